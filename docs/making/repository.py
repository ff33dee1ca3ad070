"""Where the repository is, and which of its pages outside of `docs/` the site shows."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Pages that stay where they are in the repository, by their place in the site.
OUTSIDE = {
    "reference/config-in-words.md": "config/README.md",
    "project/architecture.md": "ARCHITECTURE.md",
    "project/contributing.md": "CONTRIBUTING.md",
    "project/changelog.md": "CHANGELOG.md",
    "project/benchmarks.md": "benchmarks/README.md",
    "project/corpus.md": "tests/corpus/README.md",
}


def headings(text: str) -> list[str]:
    """The headings of a page of Markdown, without their marks; what is in code is none."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", prose, re.MULTILINE)


def anchor(heading: str) -> str:
    """The anchor of a heading, as MkDocs and forges of Git make it."""
    return re.sub(r"[^\w\s-]", "", heading).strip().lower().replace(" ", "-")
