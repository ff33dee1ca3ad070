"""Which folder compiled code is kept in: it is run as it is, so nobody else may write there."""

import errno
import grp
import os
import pwd
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

#: Names the folder that the user's cache is in.
VARIABLE = "ODEFLOW_CACHE"
#: The cache's own folder in a folder of the user, where other things may lie.
_OWN = "odeflow"
#: Owners that are not users: root and, in containers and on file servers that hide it, nobody.
_MACHINE = (0, 65534)
#: Links on one way, as Linux allows.
_MOST_LINKS = 40
#: Where it is in a study, where the user's own cannot be written.
IN_STUDY = Path("results/cache")


def candidates() -> tuple[Path, ...]:
    """Folders in the order in which they are taken: the user's, shared by studies; the study's.

    The user's is `$ODEFLOW_CACHE/odeflow`, else `$XDG_CACHE_HOME/odeflow`, else
    `~/.cache/odeflow`. The study's is that of the folder we are in, where there are results.
    """
    folders = [users_folder()]
    if IN_STUDY.parent.is_dir():
        folders.append(IN_STUDY.absolute())
    return tuple(folder for folder in folders if folder is not None)


def users_folder() -> Path | None:
    """The user's folder, shared by studies, there or not; None where the user has none."""
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
    there keeps its mode: what else the user keeps there is not ours to close.
    """
    try:
        why = _open_above(folder)  # before anything is made there
        if why is not None:
            return why
        for place in (*reversed(folder.parents), folder):
            if not place.exists() and not place.is_symlink():
                place.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISLNK(found.st_mode):
            return f"it is a link: {VARIABLE} may name the folder that it is to be in"
        if found.st_uid != os.geteuid():
            return "it belongs to another user"
        if others_may_write(found):
            return f"others may write there, and it holds code that is run: chmod 700 {folder}"
        why = _open_above(folder)  # someone may have been faster
        if why is not None:
            return why
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return f"it cannot be written ({error.strerror or error})"
    return None


def others_may_write(found: os.stat_result) -> bool:
    """Whether a mode lets its group or everybody write."""
    return bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _open_above(folder: Path) -> str | None:
    """Why another user could put another folder in the place of one, by what is above it.

    Folders and links on the way must belong to us or to the machine; where others may write, as in
    `/tmp`, only their own things may be theirs to move.
    """
    for place, found in _way_to(folder):
        if found.st_uid not in (os.geteuid(), *_MACHINE):
            return f"{place}, on the way to it, belongs to another user"
        is_open = others_may_write(found) and not _group_is_its_owner_s(found)
        if not stat.S_ISLNK(found.st_mode) and is_open and not found.st_mode & stat.S_ISVTX:
            return f"others may write in {place}, on the way to it: chmod go-w {place}"
    return None


def _way_to(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Each folder and link that is passed on the way to a folder, as far as there are any."""
    at = Path(folder.anchor)
    left, links = [*reversed(folder.parent.parts[1:])], 0
    yield at, at.lstat()
    while left:
        part = left.pop()
        if part == os.pardir:
            at = at.parent
            continue
        try:
            found = (at / part).lstat()
        except FileNotFoundError:
            return
        yield at / part, found
        if not stat.S_ISLNK(found.st_mode):
            at = at / part
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = (at / part).readlink()
        left += reversed(target.parts[1:] if target.is_absolute() else target.parts)
        at = Path(folder.anchor) if target.is_absolute() else at


def _group_is_its_owner_s(found: os.stat_result) -> bool:
    """Whether only the group may write, and it is its owner's alone, as many systems make one."""
    if found.st_mode & stat.S_IWOTH:
        return False
    try:
        group, owner = grp.getgrgid(found.st_gid), pwd.getpwuid(found.st_uid)
    except KeyError:
        return False
    return group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}
