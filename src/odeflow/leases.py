"""Which chunks runs are at: what one of them needs, `prune` beside it does not remove.

A run leases the chunks of its plan: a file with their names and its process, made when it plans,
renewed while it runs, gone when it ends. A lease counts while its process is there or, where that
is on another machine, as long as it is renewed. Without JAX.
"""

import atexit
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from odeflow.chunks import RESULTS

#: Where leases are, relative to the study.
LEASES = RESULTS / "chunks" / ".leases"
#: How the name of a lease ends that is being written.
TEMPORARY = ".tmp"
#: Seconds between renewals, and after which a lease of another machine's counts no more.
_RENEWED, _COUNTS = 60.0, 900.0


@dataclass(frozen=True)
class Lease:
    """The chunks that a process needs, or that it prunes; `where` and `started` tell it apart."""

    where: str
    process: int
    started: str
    chunks: tuple[str, ...]
    prunes: bool = False


def own_lease(chunks: Iterable[str], prunes: bool = False) -> Lease:
    """The lease of this process."""
    process = os.getpid()
    return Lease(_machine(), process, _started(process), tuple(sorted(chunks)), prunes)


def hold(lease: Lease, study: Path) -> None:
    """Keeps a lease of this process until the process ends.

    Where it cannot be written, the disk may be full, that is tried again while the process runs.
    """
    folder = study / LEASES
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    file = folder / f"{lease.process}-{time.time_ns()}.json"
    ended = threading.Event()
    _renew(file, lease)
    threading.Thread(target=_keep, args=(file, lease, ended), daemon=True).start()
    atexit.register(_release, file, lease, new, ended)


def wait_for_pruning(study: Path, out: TextIO) -> None:
    """Waits until no other process removes chunks: what is there afterwards stays there."""
    said = False
    while pruning := [file for file, lease in _others(study).items() if lease and lease.prunes]:
        if not said:
            print(f"{pruning[0]}: waiting for a process that prunes", file=out, flush=True)
        said = True
        time.sleep(0.1)


def leased(study: Path) -> set[str] | None:
    """The chunks that other processes need, of each that runs; None where that cannot be told.

    Removes what is left of processes that have ended.
    """
    needed: set[str] = set()
    for lease in _others(study).values():
        if lease is None:
            return None
        needed |= {*lease.chunks}
    return needed


def _others(study: Path) -> dict[Path, Lease | None]:
    """Leases of other processes that count, by file; None for one that cannot be read."""
    found: dict[Path, Lease | None] = {}
    here, own = _machine(), os.getpid()
    for file in sorted((study / LEASES).glob("*.json")):
        with suppress(OSError):  # taken away meanwhile
            lease = _read(file)
            at_home = lease if lease and lease.where == here else None
            if at_home and at_home.process == own:
                continue
            if at_home and at_home.started:
                counts = _started(at_home.process) == at_home.started
            else:
                counts = _age(file) < _COUNTS
            if counts:
                found[file] = lease
            else:
                file.unlink()
    return found


def _read(file: Path) -> Lease | None:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return Lease(**data | {"chunks": tuple(data["chunks"])})
    except (ValueError, TypeError, KeyError):
        return None


def _age(file: Path) -> float:
    """Seconds since a file was written, by the clock of its file system where that can be told."""
    now = time.time()
    with suppress(OSError), tempfile.TemporaryFile(dir=file.parent) as clock:
        now = os.fstat(clock.fileno()).st_mtime
    return now - file.stat().st_mtime


def _keep(file: Path, lease: Lease, ended: threading.Event) -> None:
    while not ended.wait(_RENEWED):
        _renew(file, lease)


def _renew(file: Path, lease: Lease) -> None:
    """Gives a lease's file a new date, or writes it where it is not there."""
    with suppress(OSError):
        if file.exists():
            os.utime(file)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        whole = file.with_suffix(TEMPORARY)
        try:
            whole.write_text(json.dumps(asdict(lease)), encoding="utf-8")
            whole.replace(file)
        finally:
            whole.unlink(missing_ok=True)


def _release(file: Path, lease: Lease, new: list[Path], ended: threading.Event) -> None:
    """Takes a lease away, and the folders that were made for it and are empty."""
    if os.getpid() != lease.process:  # a child that was forked
        return
    ended.set()
    with suppress(OSError):
        file.unlink(missing_ok=True)
        for folder in new:
            folder.rmdir()


def _machine() -> str:
    """The machine, and on it the space of process numbers, which a container has of its own."""
    with suppress(OSError):
        return f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()}"
    return socket.gethostname()


def _started(process: int) -> str:
    """When a process of this machine was started; empty where there is none, or no way to know.

    A number is given again to another process, which was started at another time.
    """
    with suppress(OSError, IndexError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    return ""
