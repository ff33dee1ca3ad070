"""Files that are opened by compiled code, which Python's audit does not see: Linux's inotify.

What HDF5, Arrow or a started program opens in the study is known by it. Elsewhere than on Linux
nothing is.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_OPEN, _OVERFLOW, _IS_FOLDER = 0x20, 0x4000, 0x40000000
_NONBLOCK = os.O_NONBLOCK
#: Folders that are watched at most; others are of no model.
_MOST = 2000
_LEFT_OUT = {"results", "config", "__pycache__", "node_modules", "site-packages"}
#: Kinds of files that are never data: what other programs open beside a model.
_NO_DATA = {".pyc", ".yaml", ".yml", ".lock", ".log"}


def folders_below(roots: Iterable[Path]) -> list[Path]:
    """The folders themselves and what is in them, except hidden ones and odeflow's own.

    One more than can be watched at most.
    """
    found: list[Path] = []
    for root in roots:
        for folder, names, _ in os.walk(root):
            names[:] = [n for n in names if n not in _LEFT_OUT and not n.startswith(".")]
            found.append(Path(folder))
            if len(found) > _MOST:
                return found
    return found


class Opened:
    """Files that anyone opens in some folders."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._names: dict[int, Path] = {}
        self._queue = -1
        #: Why not all that is opened is seen; None where it is.
        self.misses: str | None = None
        if not sys.platform.startswith("linux"):
            self.misses = "on this system"
            return
        libc = ctypes.CDLL(None, use_errno=True)
        self._queue = libc.inotify_init1(_NONBLOCK)
        if self._queue < 0:
            self.misses = f"as inotify says {os.strerror(ctypes.get_errno())}"
            return
        for folder in folders:
            if len(self._names) >= _MOST:
                self.misses = f"in more than {_MOST} folders"
                return
            number = libc.inotify_add_watch(self._queue, os.fsencode(folder), _OPEN)
            if number >= 0:
                self._names[number] = folder
            else:
                self.misses = f"in {folder}: inotify says {os.strerror(ctypes.get_errno())}"

    def files(self) -> set[Path]:
        """Those that were opened since it was made or last asked."""
        found: set[Path] = set()
        while self._queue >= 0:
            try:
                data = os.read(self._queue, 2**16)
            except OSError:  # nothing more
                break
            if not data:
                break
            at = 0
            while at < len(data):
                number, mask, _, length = struct.unpack_from("iIII", data, at)
                name = os.fsdecode(data[at + 16 : at + 16 + length].rstrip(b"\0"))
                at += 16 + length
                if mask & _OVERFLOW:
                    self.misses = "where more are opened at once than inotify keeps"
                if name and not mask & _IS_FOLDER and number in self._names:
                    path = self._names[number] / name
                    if path.suffix not in _NO_DATA:
                        found.add(path)
        return found
