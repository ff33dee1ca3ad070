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

from tests.support.done_pages import done_once
from tests.support.snakes import PROJECT

PAGES = PROJECT / "docs/tutorials"
NAMES = sorted(page.stem for page in PAGES.glob("*.md") if page.stem != "index")
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


def blocks(text: str) -> list[tuple[str, str, str]]:
    """Kind, `rtol` and content of each block of a page."""
    return _BLOCK.findall(text)


def file_of(content: str) -> str | None:
    """The name of the file that a block is, from the comment it begins with."""
    path = re.match(r"(?:# @.*\n)?(?:#|//) (\S+\.\w+|Snakefile)\n", content)
    return path and path.group(1)


def check(name: str, again: bool = False) -> bool:
    """Does a page unless that was done as it is now; whether it had to be.

    Raises AssertionError where it is not as printed, or its pictures are others.
    """

    def done() -> None:
        with tempfile.TemporaryDirectory() as folder:
            do(name, Path(folder))
            for picture in pictures(name, Path(folder)):
                compare(picture)

    return done_once(name, [PAGES / f"{name}.md"], done, again)


def compare(picture: Picture) -> None:
    """Raises AssertionError where a picture is not the one that the page shows."""
    from matplotlib.image import imread

    made, there = imread(picture.made), imread(picture.shown)
    assert made.shape == there.shape, f"{picture.shown.name} is of another size"
    # draws of a sampler and fonts may move a little between machines
    assert abs(made - there).mean() < 0.05, f"{picture.shown.name} shows something else"


def environment() -> dict[str, str]:
    """The environment of a reader who has odeflow installed."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT / "src"),
    }


def do(name: str, folder: Path) -> None:
    """Does what the page says, in an empty folder; an AssertionError where it says something else.

    A block is a file where its first line is a comment with its name, a command, or what the
    command before it prints: each line in order, numbers within `rtol`. One of the kind `console`
    is shown only, for what cannot be done here.
    """
    here, printed = folder, ""
    for kind, rtol, content in blocks(text_of(name)):
        if kind == "bash":
            here, printed = _run(content, here)
        elif kind == "text":
            check_printed(printed, content, float(rtol or 0))
        elif kind != "console":
            path = file_of(content)
            assert path, f"{name}: a block without the name of its file: {content[:60]}"
            file = here / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")


def _run(commands: str, folder: Path) -> tuple[Path, str]:
    """The folder where the commands end, and all that they print."""
    done = subprocess.run(
        ["bash", "-ec", f"{commands}\necho; pwd"], cwd=folder, env=environment(), text=True,
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
    ours, theirs = (
        [float(x.replace(",", "")) for x in _NUMBER.findall(text)] for text in (line, wanted)
    )
    near = (abs(a - b) <= rtol * abs(b) for a, b in zip(ours, theirs))
    return len(ours) == len(theirs) and all(near)


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
