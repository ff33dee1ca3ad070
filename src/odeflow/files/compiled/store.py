"""Entries by key in a folder, each a file with a digest: what is damaged is compiled again.

A file is a line that says what it is, the SHA-256 of key and content, and the content. The key
says all that the content depends on (source, versions, processor), and is in the name as a digest:
an entry that was cut, changed, or put under another's name is found before any of it is used.
"""

import contextlib
import hashlib
import os
import re
import stat
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from odeflow.files.compiled.folder import VARIABLE, candidates, others_may_write, unfit

_HEAD = b"odeflow compiled code 1\n"
_SUFFIX, _TEMPORARY = ".code", ".tmp"
#: Names of entries, finished or being written; whatever else is in the folder is left alone.
_ENTRY = re.compile(r"\w*-[0-9a-f]{40}\.code(?P<unfinished>\.\w{8}\.tmp)?")
#: Bytes that the entries of a folder may have together; when there are more, the oldest go.
LIMIT = 2**30
#: What is left of them then, so that not every entry makes room for itself.
_LEFT = LIMIT * 3 // 4
#: A file that is being written is younger.
_LEFTOVER_SECONDS = 3600


class Store:
    """Compiled code in a folder, which many processes may use at once; none without a folder."""

    def __init__(self, folder: Path | None):
        self.folder = folder
        self._unseen: int | None = None  # bytes written since the folder was looked through

    def get(self, key: str) -> bytes | None:
        """The content that was put under a key; None where there is none, or a damaged one."""
        if self.folder is None:
            return None
        path = self._path(key)
        try:
            text = _own_bytes(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.discard(key, f"cannot be read ({error.strerror or error})")
            return None
        if text is None:
            self.discard(key, "belongs to another user, or others may write it")
            return None
        digest_end = len(_HEAD) + hashlib.sha256().digest_size
        content = text[digest_end:]
        if text[:digest_end] != _HEAD + _digest(key, content):
            self.discard(key, "is damaged, or of another machine")
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # the oldest is the one that was not used for longest
        return content

    def put(self, key: str, content: bytes) -> None:
        """Keeps content under a key, whole or not at all; where it cannot be, one line says so."""
        if self.folder is None:
            return
        temporary = None
        try:
            path = self._path(key)
            handle, name = tempfile.mkstemp(_TEMPORARY, f"{path.name}.", self.folder)
            temporary = Path(name)
            with os.fdopen(handle, "wb") as file:
                file.write(_HEAD + _digest(key, content) + content)
            temporary.replace(path)
        except OSError as error:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink()
            note(
                f"{self.folder} cannot be written ({error.strerror or error}): code is compiled "
                f"in each run until there is space, or {VARIABLE} names another folder"
            )
            return
        if self._unseen is None or self._unseen > LIMIT // 16:
            self._unseen = 0
            self._make_room()
        self._unseen += len(content)

    def discard(self, key: str, why: str) -> None:
        """Removes an entry that cannot be used, and says so."""
        path = self._path(key)
        note(f"{path} {why}: removed, compiled again")
        with contextlib.suppress(OSError):
            path.unlink()

    def _path(self, key: str) -> Path:
        """The key's first word, so that one can see what is there, and a digest of all of it."""
        assert self.folder is not None
        word = re.sub(r"\W", "", key.split()[0])
        return self.folder / f"{word}-{hashlib.sha256(key.encode()).hexdigest()[:40]}{_SUFFIX}"

    def _make_room(self) -> None:
        """Removes the oldest entries above the limit, and what killed processes left there."""
        assert self.folder is not None
        entries, now = [], time.time()
        for path in self.folder.iterdir():
            ours = _ENTRY.fullmatch(path.name)
            if ours is None:
                continue
            with contextlib.suppress(OSError):
                found = path.lstat()
                if not ours["unfinished"]:
                    entries.append((found.st_mtime, found.st_size, path))
                elif now - found.st_mtime > _LEFTOVER_SECONDS:
                    path.unlink()
        size = sum(entry[1] for entry in entries)
        if size <= LIMIT:
            return
        for _, length, path in sorted(entries):
            if size <= _LEFT:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                size -= length


def _own_bytes(path: Path) -> bytes | None:
    """The bytes of a file; None where anybody but us may have written it. Follows no link."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        return file.read() if ours and not others_may_write(found) else None


def _digest(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + content).digest()


def open_store(folder: Path | None = None) -> Store:
    """The store in a folder; the user's, or else the study's, where none is named."""
    return _open((folder.absolute(),) if folder is not None else candidates())


@cache
def _open(folders: tuple[Path, ...]) -> Store:
    for folder in folders:
        why = unfit(folder)
        if why is None:
            return Store(folder)
        note(f"{folder} is not used: {why}")
    note(f"no folder for it, code is compiled in each run; {VARIABLE} may name one")
    return Store(None)


def note(line: str) -> None:
    """A line for the job's log."""
    print(f"compile cache: {line}", file=sys.stderr)
