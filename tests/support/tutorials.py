"""The pages of docs/tutorials, done as printed: files are written, commands run, output compared.

    python -m tests.support.tutorials [NAME ...]

does some or all of them in temporary folders and puts the pictures that they show in place.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.snakes import PROJECT

PAGES = PROJECT / "docs/tutorials"
NAMES = sorted(page.stem for page in PAGES.glob("*.md"))
_BLOCK = re.compile(r"^```(\w+)(?: rtol=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"^<!-- (\S+) -->\n!\[.+\]\((\S+)\)$", re.MULTILINE)
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


class Picture(NamedTuple):
    """A picture of a page, and the file that the page's commands make of it."""

    made: Path
    shown: Path


def text_of(name: str) -> str:
    """The page."""
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def pictures(name: str, folder: Path) -> list[Picture]:
    """What the page shows; `folder` is where it was done."""
    found = _PICTURE.findall(text_of(name))
    return [Picture(folder / made, PAGES / shown) for made, shown in found]


def do(name: str, folder: Path) -> None:
    """Does what the page says, in an empty folder; an AssertionError where it says something else.

    A block is a file where its first line is a comment with its name, a command, or what the
    command before it prints: each line in order, numbers within `rtol`.
    """
    here, printed = folder, ""
    for kind, rtol, content in _BLOCK.findall(text_of(name)):
        if kind == "bash":
            here, printed = _run(content, here)
        elif kind == "text":
            check_printed(printed, content, float(rtol or 0))
        else:
            path = re.match(r"(?:# @.*\n)?# (\S+)\n", content)
            assert path, f"{name}: a block without the name of its file: {content[:60]}"
            file = here / path.group(1)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")


def _run(commands: str, folder: Path) -> tuple[Path, str]:
    """The folder where the commands end, and all that they print."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT / "src"),
    }
    done = subprocess.run(
        ["bash", "-ec", f"{commands}\necho; pwd"], cwd=folder, env=environment, text=True,
        check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, f"{commands}{done.stdout}"
    *printed, last = done.stdout.splitlines()
    return Path(last), "\n".join(printed)


def check_printed(printed: str, expected: str, rtol: float) -> None:
    """Raises AssertionError unless the expected lines are parts of printed ones, in order."""
    lines: Iterator[str] = iter(printed.splitlines())
    for wanted in expected.splitlines():
        assert any(_same(line, wanted, rtol) for line in lines), f"not said: {wanted}\n{printed}"


def _same(line: str, wanted: str, rtol: float) -> bool:
    if not rtol:
        return wanted in line
    if _NUMBER.sub("", line) != _NUMBER.sub("", wanted):
        return False
    values = ([float(x.replace(",", "")) for x in _NUMBER.findall(text)] for text in (line, wanted))
    return all(abs(a - b) <= rtol * abs(b) for a, b in zip(*values, strict=True))


def main(names: list[str]) -> None:
    """Does the pages, and puts their pictures in place."""
    for name in names or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            do(name, Path(folder))
            for picture in pictures(name, Path(folder)):
                shutil.copy(picture.made, picture.shown)
        print(f"{name}: as printed")


if __name__ == "__main__":
    main(sys.argv[1:])
