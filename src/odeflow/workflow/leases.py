"""Which files runs are using: what one of them needs, another does not remove or write.

A run leases the chunks of its plan: a file with their names and its process, made when it plans,
renewed while it runs, gone when it ends. `prune` keeps what is leased. Before its first job a run
adds the other files that it is to read and write, which no second run may write meanwhile, asked to
ignore locks or not: unlike Snakemake's locks, leases are not left behind. A lease counts while its
process is there or, where that is on another machine, as long as it is renewed. Without JAX.
"""

import atexit
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TextIO

from odeflow.files.errors import ConfigError
from odeflow.files.whole_file import replaced_when_whole
from odeflow.workflow.chunks import RESULTS
from odeflow.workflow.processes import machine, since_start, start_of

#: Where leases are, relative to the study.
LEASES = RESULTS / "chunks" / ".leases"
#: Seconds between renewals, and after which a lease of another machine's counts no more.
_RENEWED, _COUNTS = 60.0, 900.0


@dataclass(frozen=True)
class Lease:
    """The files that a process is using; `where` and `started` tell processes of a number apart.

    `chunks` are those of its plan, `reads` and `writes` the other files of its jobs, once claimed.
    `prunes` says that it removes chunks.
    """

    where: str
    process: int
    started: str
    chunks: tuple[str, ...] = ()
    prunes: bool = False
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


class HeldLease:
    """A lease of this process, kept until the process ends.

    Where it cannot be written, the disk may be full, that is tried again while the process runs.
    """

    def __init__(self, study: Path, chunks: Iterable[str] = (), prunes: bool = False) -> None:
        process, folder = os.getpid(), study / LEASES
        self._study = study
        self._new = [place for place in (folder, *folder.parents) if not place.exists()]
        self._file = folder / f"{process}-{time.time_ns()}.json"
        self._ended, self._writing = threading.Event(), threading.Lock()
        self.lease = Lease(machine(), process, start_of(process), tuple(sorted(chunks)), prunes)
        self._write()
        threading.Thread(target=self._keep, daemon=True).start()
        atexit.register(self.release)

    def claim(self, reads: Iterable[str], writes: Iterable[str]) -> None:
        """Adds the files that jobs are to read and write.

        Raises ConfigError where another process writes one of them or reads one that is to be
        written. Both write before they read, so of two at one time no more than one goes on; that
        none does is possible. Who was first is not asked: clocks differ, and writing takes time.
        """
        files = {"reads": tuple(sorted(reads)), "writes": tuple(sorted(writes))}
        self.lease = replace(self.lease, **files)
        self._write()
        for other in _others(self._study).values():
            if other is None:
                continue
            shared = {*other.writes} & {*self.lease.reads, *self.lease.writes}
            shared |= {*other.reads} & {*self.lease.writes}
            if shared:
                self.release()
                raise ConfigError(
                    f"{min(shared)}: another run is using it (process {other.process} on "
                    f"{other.where.split()[0]}); run again when that one has ended"
                )

    def release(self) -> None:
        """Takes the lease away, and the folders that were made for it and are empty."""
        if os.getpid() != self.lease.process:  # a child that was forked
            return
        self._ended.set()
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
            for folder in self._new:
                folder.rmdir()

    def _keep(self) -> None:
        while not self._ended.wait(_RENEWED):
            with suppress(OSError):
                if self._is_written and self._file.exists():
                    os.utime(self._file)
                else:
                    self._write()

    def _write(self) -> None:
        with self._writing, suppress(OSError):
            self._is_written = False
            with replaced_when_whole(self._file) as whole:
                whole.write_text(json.dumps(asdict(self.lease)), encoding="utf-8")
            self._is_written = True


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
    here, own = machine(), os.getpid()
    for file in sorted((study / LEASES).glob("*.json")):
        with suppress(OSError):  # taken away meanwhile
            lease = _read(file)
            at_home = lease if lease and lease.where == here else None
            if at_home and at_home.process == own:
                continue
            if at_home and at_home.started:
                counts = start_of(at_home.process) == at_home.started
            else:
                counts = _age(file) < (_limit(lease.where, here) if lease else _COUNTS)
            if counts:
                found[file] = lease
            else:
                file.unlink()
    return found


def _read(file: Path) -> Lease | None:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        lists = {key: tuple(data[key]) for key in ("chunks", "reads", "writes")}
        return Lease(**data | lists)
    except (ValueError, TypeError, KeyError):
        return None


def _limit(where: str, here: str) -> float:
    """Seconds for which a lease of a process counts that cannot be seen from here.

    One of this machine's name may be of its twin, or of itself before it was started again: then
    the lease was not renewed since.
    """
    twin = where.split()[:-1] == here.split()[:-1]
    return min(_COUNTS, max(since_start(), 2 * _RENEWED)) if twin else _COUNTS


def _age(file: Path) -> float:
    """Seconds since a file was written, by the clock of its file system where that can be told."""
    now = time.time()
    with suppress(OSError), tempfile.TemporaryFile(dir=file.parent) as clock:
        now = os.fstat(clock.fileno()).st_mtime
    return now - file.stat().st_mtime
