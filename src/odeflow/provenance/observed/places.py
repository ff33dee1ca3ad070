"""Whose code a file is, and which of the user's lines something happens in."""

from __future__ import annotations

import re
import site
import sys
import sysconfig
import threading
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from types import FrameType
from typing import Literal
from weakref import WeakKeyDictionary

from odeflow.files.source_code import PACKAGE
from odeflow.provenance.versions import NUMERICAL_PACKAGES

Kind = Literal["library", "trusted", "users"]

#: Python's own functions that import a module: what it does in them is not its importer's.
_IMPORTING = {"exec_module", "_call_with_frames_removed", "_find_and_load", "create_module"}
#: Installed packages that count by their version alone, with those that they need.
_KNOWN = {
    "pandas", "pyarrow", "matplotlib", "netcdf4", "h5py", "h5netcdf", "zarr", "pyyaml", "xarray",
    "hydra-core", "pydantic",
}  # fmt: skip


def library_folders() -> list[Path]:
    """Folders with Python's own modules."""
    keys = ("stdlib", "platstdlib")
    zipped = [path for path in sys.path if path.endswith(".zip") and path in sys.path[:3]]
    found = [*(sysconfig.get_paths()[key] for key in keys), *zipped]
    return [Path(path).resolve() for path in found]


def package_folders() -> list[Path]:
    """Folders of installed packages."""
    keys = ("purelib", "platlib")
    found = [sysconfig.get_paths()[key] for key in keys]
    found += [*site.getsitepackages(), site.getusersitepackages()]
    found += [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return [Path(path).resolve() for path in dict.fromkeys(found)]


def _rested_on() -> set[str]:
    """The modules of the packages that odeflow may use, and of all that these need."""
    pending, seen = [*_KNOWN, *NUMERICAL_PACKAGES], set[str]()
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            with suppress(PackageNotFoundError):
                pending += [
                    _spelled(need) for need in requires(name) or () if "extra ==" not in need
                ]
    spelled = {_spelled(name) for name in seen}
    known = packages_distributions().items()
    return {top for top, packages in known if any(_spelled(p) in spelled for p in packages)}


def _spelled(need: str) -> str:
    """The name of a package in a requirement, in the one spelling of all."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", need, maxsplit=1)[0]).lower()


class Places:
    """Sorts code by where it is; packages that are imported by now are trusted."""

    def __init__(self) -> None:
        self._library, self._packages = library_folders(), package_folders()
        self._trusted = {name.split(".")[0] for name in sys.modules} | {*_rested_on()}
        self._starters: WeakKeyDictionary[
            threading.Thread, tuple[Kind | None, tuple[Path, int] | None]
        ] = WeakKeyDictionary()
        self.kind = lru_cache(maxsize=None)(self._kind)
        self.installed = lru_cache(maxsize=None)(self._installed)

    def _installed(self, path: Path) -> str | None:
        """The first name below the folder of installed packages; None for other files."""
        path = path.resolve()
        for folder in self._packages:
            if path.is_relative_to(folder):
                return path.relative_to(folder).parts[0].split(".")[0]
        return None

    def is_trusted(self, package: str) -> bool:
        """Whether a package's version says all."""
        return package in self._trusted

    def _kind(self, file: str) -> Kind:
        if file.startswith("<"):
            return "library"
        path = Path(file).resolve()
        package = self.installed(path)
        if package is not None:
            return "trusted" if package in self._trusted else "users"
        if path.is_relative_to(PACKAGE):
            return "trusted"
        in_library = any(path.is_relative_to(folder) for folder in self._library)
        return "library" if in_library else "users"

    def nearest(self, frame: FrameType | None) -> Kind | None:
        """Whose code does what happens, Python's own modules aside; None while importing.

        Where a thread has none but Python's own, it is whoever started the thread.
        """
        while frame is not None:
            if _is_importing(frame):
                return None
            kind = self.kind(frame.f_code.co_filename)
            if kind != "library":
                return kind
            frame = frame.f_back
        return self._starters.get(threading.current_thread(), (None, None))[0]

    def line(self, frame: FrameType | None) -> tuple[Path, int] | None:
        """The user's line that leads to this, through the start of a thread if need be.

        None where a library does it while it is imported.
        """
        while frame is not None:
            if _is_importing(frame):
                return None
            if self.kind(frame.f_code.co_filename) == "users":
                return Path(frame.f_code.co_filename), frame.f_lineno
            frame = frame.f_back
        return self._starters.get(threading.current_thread(), (None, None))[1]

    def starts(self, thread: threading.Thread, frame: FrameType) -> None:
        """Keeps who starts a thread: the frames in it do not lead there."""
        self._starters[thread] = self.nearest(frame), self.line(frame)


def _is_importing(frame: FrameType) -> bool:
    code = frame.f_code
    return code.co_filename.startswith("<frozen importlib") and code.co_name in _IMPORTING
