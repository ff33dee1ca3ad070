"""The wheel of this checkout, installed into a folder, and what is beside it there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.support.snakes import PROJECT


def install_wheel(folder: Path) -> Path:
    """Builds the wheel and installs it alone into `folder/wheel`, which is returned."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder)]
    for command in (
        [*build, str(PROJECT)],
        ["install", "--no-deps", "--no-index", "--no-compile", "--target", str(folder / "wheel")],
    ):
        wheels = map(str, folder.glob("*.whl"))
        subprocess.run([*pip, *command, *wheels], check=True, cwd=folder)
    return folder / "wheel"


def surroundings(*paths: Path, **variables: str) -> dict[str, str]:
    """The environment of the tests with other import paths, and nothing written beside modules."""
    given = {"PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**os.environ, **given, **variables}


def link_packages(requirements: Iterable[str], folder: Path) -> Path:
    """A folder with what distributions that are installed here need, and nothing else.

    Linked, not copied: it is put where installed packages would be, of an environment that has
    these alone.
    """
    folder.mkdir()
    pending, seen = [Requirement(text) for text in requirements], set[str]()
    while pending:
        one = pending.pop()
        name = re.sub(r"[-_.]+", "-", one.name).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            raise AssertionError(f"{one}: is not installed here") from None
        for top in {Path(file).parts[0] for file in found.files or () if ".." not in str(file)}:
            source, link = Path(str(found.locate_file(top))), folder / top
            if source.exists() and not link.exists():
                link.symlink_to(source)
        needs = [Requirement(text) for text in found.requires or ()]
        extras = [{"extra": extra} for extra in ("", *one.extras)]
        pending += [
            need for need in needs
            if need.marker is None or any(need.marker.evaluate(extra) for extra in extras)
        ]  # fmt: skip
    return folder
