"""An audit hook, and wrappers where Python audits nothing, that note what a model reads.

Reference: PEP 578, Python runtime audit hooks (2019).
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

from odeflow.provenance.observed.places import Places
from odeflow.provenance.observed.things import absolute

#: The system's own folders, whose files are not data.
_SYSTEM = ("/proc", "/sys", "/dev")
_WRITING = os.O_WRONLY | os.O_RDWR
#: What cannot be recorded: the audit event, and what to say of it.
_BEYOND = {
    "socket.connect": "uses the network",
    "socket.getaddrinfo": "uses the network",
    "socket.gethostbyname": "uses the network",
    "socket.gethostname": "reads the name of the machine",
    "urllib.Request": "uses the network",
    "subprocess.Popen": "starts another program",
    "os.system": "starts another program",
    "os.exec": "starts another program",
    "os.posix_spawn": "starts another program",
    "os.fork": "starts another process",
}
#: Functions of `os.path` that ask which parts of a path are links.
_RESOLVING = {"realpath", "_joinrealpath"}
WHOLE_ENVIRONMENT = "reads the whole environment"


class ReadWatch:
    """What was read while it was on: pairs of kind and name of place, and lines on the rest.

    `files`, `existing` and `listed` are absolute paths, `variables` those of the environment,
    `imported` the names of modules. `beyond` says of what cannot be recorded which line reads it;
    `loads_libraries` is whether the user's code loads compiled ones by `ctypes`.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self.files: set[Path] = set()
        self.written: set[Path] = set()
        self._updated: dict[Path, tuple[int, int]] = {}
        self.existing: set[Path] = set()
        self.listed: set[Path] = set()
        self.variables: set[str] = set()
        self.imported: set[str] = set()
        self.beyond: dict[str, str] = {}
        self.loads_libraries = False
        self._on = False
        self._own = threading.local()

    @contextmanager
    def on(self) -> Iterator[None]:
        """Notes what happens meanwhile."""
        self._on = True
        try:
            yield
        finally:
            self._on = False

    @property
    def is_on(self) -> bool:
        """Whether what this thread does now is noted."""
        return self._on and not getattr(self._own, "notes", False)

    def install(self) -> None:
        """Begins to see; what is seen counts while it is on. Cannot be undone."""
        sys.addaudithook(self._audited)
        os.environ.__class__ = _watched_environment(self)
        if os.supports_bytes_environ:
            os.environb.__class__ = _watched_environment(self)
        for name in ("stat", "lstat", "access"):
            setattr(os, name, self._around(getattr(os, name), self.looked_at))

        threading.Thread.start = self._starting(threading.Thread.start)

    def _starting(self, start: Callable[..., None]) -> Any:
        def started(thread: threading.Thread) -> None:
            if self.is_on:
                self.without_echo(self.places.starts, thread, sys._getframe(1))
            start(thread)

        return started

    def _around(self, function: Callable[..., Any], note: Callable[..., None]) -> Any:
        def called(*args: Any, **kwargs: Any) -> Any:
            if self.is_on and args:
                self.without_echo(note, args[0], sys._getframe(1))
            return function(*args, **kwargs)

        return called

    def without_echo(self, note: Callable[..., None], *args: Any) -> None:
        """Calls it while nothing of this thread is noted: what it does is not the model's."""
        self._own.notes = True
        try:
            note(*args)
        finally:
            self._own.notes = False

    def _audited(self, event: str, args: tuple[Any, ...]) -> None:
        if self.is_on and (event in _BEYOND or event in self._EVENTS):
            frame = sys._getframe(1)
            if event in _BEYOND:
                self.without_echo(self.reads_beyond, _BEYOND[event], frame)
            else:
                self.without_echo(self._EVENTS[event], self, args, frame)

    def _opened(self, args: tuple[Any, ...], frame: FrameType) -> None:
        path, mode, flags = _path(args[0]), args[1], args[2]
        if path is None or path.as_posix().startswith(_SYSTEM):
            return
        if _writes(mode, flags):
            before = _version(path) if _reads_too(mode, flags) else None
            if before is None or path in self.written:
                self.written.add(path)
                return
            self._updated.setdefault(path, before)
        if path.suffix == ".pyc" and path.parent.name == "__pycache__":
            source = Path(importlib.util.source_from_cache(os.fspath(path)))
            path = source if source.exists() else path
        kind, installed = self.places.kind(os.fspath(path)), self.places.installed(path)
        own = kind == "users" and installed is None and self._is_near(path)
        # what a library reads of its own, or while it is imported, is a part of it
        if own or (kind == "users" and self.places.line(frame) is not None):
            self.files.add(path)

    def take_updates(self) -> None:
        """Files that were there and were opened to be read and changed: have they changed?"""
        self.written |= {path for path, was in self._updated.items() if _version(path) != was}

    #: Folders all of whose files are the user's, whoever opens them.
    near: tuple[Path, ...] = ()

    def _is_near(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self.near)

    def _listed(self, args: tuple[Any, ...], frame: FrameType) -> None:
        path = _path("." if args[0] is None else args[0])
        if path is not None and self.places.nearest(frame) == "users":
            self.listed.add(path)

    def looked_at(self, path: Any, frame: FrameType) -> None:
        """Whether there is a file was asked."""
        if frame.f_code.co_name in _RESOLVING:
            return  # each folder of the path, which says nothing of the file
        found = _path(path)
        if found is not None and self.places.nearest(frame) == "users":
            self.existing.add(found)

    def _imports(self, args: tuple[Any, ...], frame: FrameType) -> None:
        self.imported.add(str(args[0]).split(".", 1)[0])

    def _loaded(self, args: tuple[Any, ...], frame: FrameType) -> None:
        name = args[0]
        self.loads_libraries |= self.places.line(frame) is not None
        if isinstance(name, str | bytes) and os.sep in os.fsdecode(name):
            path = _path(name)
            if path is not None and self.places.line(frame) is not None:
                self.files.add(path)

    def _connected(self, args: tuple[Any, ...], frame: FrameType) -> None:
        path = _path(args[0])
        if path is not None and self.places.line(frame) is not None:
            self.files.add(path)

    def read_variable(self, name: str, frame: FrameType) -> None:
        """A variable of the environment was read."""
        if self.places.nearest(frame) == "users":
            self.variables.add(name)

    def read_all_variables(self, frame: FrameType) -> None:
        """All of them were."""
        if self.places.nearest(frame) == "users":
            self.reads_beyond(WHOLE_ENVIRONMENT, frame)

    def reads_beyond(self, what: str, frame: FrameType) -> None:
        """Something that cannot be recorded was read."""
        line = self.places.line(frame)
        if line is not None and self.places.nearest(frame) != "trusted":
            self.beyond.setdefault(what, f"{line[0]}:{line[1]}")

    _EVENTS: ClassVar[dict[str, Callable[..., None]]] = {
        "open": _opened,
        "os.listdir": _listed,
        "os.scandir": _listed,
        "import": _imports,
        "ctypes.dlopen": _loaded,
        "sqlite3.connect": _connected,
    }


def _path(given: Any) -> Path | None:
    """An absolute path; None for a descriptor, and for what is not a path."""
    try:
        return absolute(given)
    except (TypeError, ValueError):
        return None


def _writes(mode: str | None, flags: Any) -> bool:
    """Whether what is opened may be changed; a mode is None where only flags are given."""
    if mode is None:
        return isinstance(flags, int) and bool(flags & _WRITING)
    return any(sign in mode for sign in "wax+")


def _reads_too(mode: str | None, flags: int) -> bool:
    """Whether what can be changed keeps what is in it, and can be read."""
    if mode is None:
        return bool(flags & os.O_RDWR) and not flags & (os.O_TRUNC | os.O_EXCL)
    return "+" in mode and "w" not in mode and "x" not in mode


def _version(path: Path) -> tuple[int, int] | None:
    """When a file was changed last, and its size; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _watched_environment(watch: ReadWatch) -> Any:
    """A class for `os.environ` and `os.environb` that tells what is read, whoever imported them."""

    class Environment(os._Environ):
        def __getitem__(self, key: Any) -> Any:
            if watch.is_on and isinstance(key, str | bytes):
                watch.without_echo(watch.read_variable, os.fsdecode(key), sys._getframe(1))
            return super().__getitem__(key)

        def __contains__(self, key: Any) -> bool:
            if watch.is_on and isinstance(key, str | bytes):
                watch.without_echo(watch.read_variable, os.fsdecode(key), sys._getframe(1))
            return super().__contains__(key)

        def __iter__(self) -> Any:
            if watch.is_on:
                watch.without_echo(watch.read_all_variables, sys._getframe(1))
            return super().__iter__()

    return Environment
