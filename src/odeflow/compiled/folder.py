"""Which folder compiled code is kept in: it is run as it is, so nobody else may write there."""

import os
import stat
import tempfile
from pathlib import Path

#: Names the folder that the user's cache is in.
VARIABLE = "ODEFLOW_CACHE"
#: The cache's own folder in a folder of the user's, where other things may lie.
_OWN = "odeflow"
#: Where it is in a study, where the user's own cannot be written.
IN_STUDY = Path("results/cache")


def candidates() -> tuple[Path, ...]:
    """Folders in the order in which they are taken: the user's, shared by studies; the study's.

    The user's is `$ODEFLOW_CACHE/odeflow`, else `$XDG_CACHE_HOME/odeflow`, else
    `~/.cache/odeflow`. The study's is that of the folder we are in, where there are results.
    """
    folders = [_users()]
    if IN_STUDY.parent.is_dir():
        folders.append(IN_STUDY.absolute())
    return tuple(folder for folder in folders if folder is not None)


def _users() -> Path | None:
    own = os.environ.get(VARIABLE)
    if own:
        return Path(own).absolute() / _OWN
    base = os.environ.get("XDG_CACHE_HOME", "")
    if Path(base).is_absolute():  # others are to be ignored, says the specification
        return Path(base) / _OWN
    try:
        home = Path.home()
    except RuntimeError:  # no HOME, and a user who is in no list
        return None
    return home / ".cache" / _OWN if home.is_absolute() else None


def unfit(folder: Path) -> str | None:
    """Why compiled code cannot be kept in a folder, in a clause; None where it can.

    It is made where it is missing, with the folders above it, and closed to others. One that is
    there keeps its mode: what else of the user's is in it is not ours to close.
    """
    try:
        for place in (*reversed(folder.parents), folder):
            if not place.exists():
                place.mkdir(mode=0o700, exist_ok=True)
        found = folder.stat()
        if found.st_uid != os.geteuid():
            return "it belongs to another user"
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return f"others may write there, and it holds code that is run: chmod 700 {folder}"
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return f"it cannot be written ({error.strerror or error})"
    return None
