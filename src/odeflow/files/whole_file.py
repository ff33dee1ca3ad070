"""Files that are never half written: a temporary name beside, sync, rename. Cheap to import."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: How the names of files that are being written end; a process killed leaves one behind.
TEMPORARY = ".tmp"


@contextmanager
def replaced_when_whole(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, synced and renamed to it when the block ends well.

    Makes the folder. Nothing is left behind, and nothing under the final name is touched, where
    the block raises. Raises OSError as the system does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        # mkstemp's files are private; results are readable as any other of the user's files
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path`, gone when the block ends; makes the folder of both."""
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{path.name}."
    with tempfile.TemporaryDirectory(prefix=prefix, suffix=TEMPORARY, dir=path.parent) as at:
        yield Path(at)
