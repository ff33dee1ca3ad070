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


def pictures(pages: dict[str, str]) -> dict[str, Path]:
    """The pictures beside pages of `OUTSIDE`, by their place in the site; `pages` are the texts."""
    found = {}
    for place, text in pages.items():
        for name in re.findall(r"!\[[^\]]*\]\((\w+\.png)\)", text):
            found[f"{place.rpartition('/')[0]}/{name}"] = (ROOT / OUTSIDE[place]).parent / name
    return found


def headings(text: str) -> list[str]:
    """The headings of a page of Markdown, without their marks; what is in code is none."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", prose, re.MULTILINE)


def anchor(heading: str) -> str:
    """The anchor of a heading, as MkDocs and forges of Git make it."""
    return re.sub(r"[^\w\s-]", "", heading).strip().lower().replace(" ", "-")
