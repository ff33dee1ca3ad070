"""The kinds of things that a model reads, and what each of them is at present. Without JAX."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

#: What comes and goes in a folder and is not an input of a model.
_PASSING = {"__pycache__", "results", ".snakemake", ".git", ".ipynb_checkpoints"}


class Thing(NamedTuple):
    """Something that was read: its kind, its name, and what it is.

    Paths are relative to the study where they lie in or beside it, so that both can be moved.
    """

    kind: str
    name: str
    value: str


def absolute(path: str | bytes | os.PathLike[str]) -> Path:
    """The path from the root, without `..` in it; links stay what they are."""
    return Path(os.path.normpath(Path(os.fsdecode(path)).absolute()))


def path_name(path: Path, study: Path) -> str:
    """The name of a path: relative where it is in the study's folder or the one around that."""
    home = absolute(study)
    place = absolute(home / path)
    if len(home.parts) > 2 and place.is_relative_to(home.parent):
        return Path(os.path.relpath(place, home)).as_posix()
    return place.as_posix()


def is_outside(name: str) -> bool:
    """Whether a name is of a place that is neither in the study nor beside it."""
    return Path(name).is_absolute()


def present(kind: str, name: str, study: Path, imported: Sequence[str] = ()) -> str:
    """What a thing is now: a digest or a word. `imported` are names of modules, for `modules`."""
    if kind == "modules":
        return _modules(study / name, imported)
    found = _KINDS[kind]
    return found(study / name) if kind in _OF_PATHS else found(name)  # type: ignore[arg-type]


def _file(path: Path) -> str:
    try:
        found = path.stat()
        if path.is_dir():
            return "folder"
        if not path.is_file():
            return "special"  # a pipe or a device has no content of its own
        return _content(path, (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino))
    except OSError as error:
        return _why_not(error)


@lru_cache(maxsize=4096)
def _content(path: Path, _version: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _existence(path: Path) -> str:
    try:
        path.stat()
    except OSError as error:
        return "link" if path.is_symlink() else _why_not(error)
    return "folder" if path.is_dir() else "file"


def _why_not(error: OSError) -> str:
    missing = isinstance(error, FileNotFoundError | NotADirectoryError)
    return "absent" if missing else f"unreadable: {error.strerror}"


def _listing(path: Path) -> str:
    try:
        names = sorted(file.name for file in path.iterdir() if _is_lasting(file.name))
    except OSError as error:
        return _why_not(error)
    return hashlib.sha256("\n".join(names).encode(errors="surrogateescape")).hexdigest()


def _is_lasting(name: str) -> bool:
    of_a_batch_system = name.startswith("slurm-") and name.endswith(".out")
    passing = name in _PASSING or name.endswith((".pyc", "~", ".swp", ".tmp"))
    return not passing and not of_a_batch_system


def _modules(path: Path, imported: Sequence[str]) -> str:
    """The modules of these names that are in a folder: one that is put there hides another."""
    try:
        names = [file.name for file in path.iterdir()]
    except OSError:
        return ""
    wanted = set(imported)
    return " ".join(sorted(name for name in names if name.split(".", 1)[0] in wanted))


def _environment(name: str) -> str:
    value = os.environ.get(name)
    return "unset" if value is None else hashlib.sha256(value.encode(errors="replace")).hexdigest()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _package(name: str) -> str:
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
    record = found.read_text("RECORD") or found.read_text("METADATA") or ""
    # what is compiled here, and files of the installer's, say nothing
    lines = [line for line in record.splitlines() if "__pycache__" not in line]
    return f"{found.version} {hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"


_KINDS: dict[str, Callable[..., str]] = {
    "file": _file,
    "existence": _existence,
    "listing": _listing,
    "environment": _environment,
    "package": _package,
    "version": _version,
}
_OF_PATHS = ("file", "existence", "listing")
