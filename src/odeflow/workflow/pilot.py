"""What the first chunk of a run measures, and what the others ask a cluster for because of it.

Cheap, and without JAX. None of it touches the numbers of a trajectory.
"""

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

#: What a job asks for where nothing is measured: MB of the program, minutes.
_PROGRAM_MB, _UNKNOWN_MINUTES = 1500, 30
#: Bytes of results that a job holds at once: the slab that is solved and the one that is written.
_HELD_BYTES = 2 * 64 * 2**20
#: Room above what was measured, for trajectories that are harder than the pilot's.
_MEMORY_ROOM, _TIME_ROOM = 1.5, 3.0
#: Seconds of solving that make the start of a job small beside it.
_WORTHWHILE = 600


@dataclass(frozen=True)
class ChunkCost:
    """One chunk's cost. `seconds` includes the start and compiling, `seconds_each` neither.

    `seconds_each` is the time per trajectory on `threads` cores, `peak_mb` the process's memory.
    """

    trajectories: int
    threads: int
    seconds: float
    seconds_each: float
    peak_mb: int


class Stopwatch:
    """Measures a solve: call it with the number of trajectories done so far."""

    def __init__(self, trajectories: int, threads: int):
        self._trajectories, self._threads = trajectories, threads
        self._start = time.monotonic()
        self._reports: list[tuple[float, int]] = []

    def __call__(self, done: int) -> None:
        """Notes how far the solve is. The first note is later than compiling."""
        self._reports.append((time.monotonic(), done))

    def stop(self) -> ChunkCost:
        """The cost until now."""
        import resource  # POSIX only, as the executors of clusters are

        seconds = time.monotonic() - self._start
        each = seconds / self._trajectories
        if len(self._reports) > 1:
            (t0, n0), *_, (t1, n1) = self._reports
            each = (t1 - t0) / max(n1 - n0, 1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        return ChunkCost(self._trajectories, self._threads, seconds, each, peak)


def write_measurement(measured: ChunkCost | None, path: Path) -> None:
    """Keeps a measurement for the chunks that follow; None where the chunk was there already,
    which leaves what was measured then.
    """
    if measured is None and path.exists():
        return
    path.write_text(json.dumps(None if measured is None else asdict(measured)) + "\n", "utf-8")


def read_measurement(path: Path | None) -> ChunkCost | None:
    """A measurement kept earlier; None where there is none (yet)."""
    try:
        data = json.loads(path.read_text("utf-8")) if path is not None else None
        return None if data is None else ChunkCost(**data)
    except (FileNotFoundError, ValueError, TypeError):
        return None


def memory_mb(result_bytes: int, measured: ChunkCost | None) -> int:
    """MB that a solving job asks for: from what it holds at once, or 1.5 times the pilot's."""
    if measured is None:
        return _rounded(_PROGRAM_MB + 4 * min(result_bytes, _HELD_BYTES) / 2**20)
    return _rounded(_MEMORY_ROOM * measured.peak_mb)


def minutes(trajectories: int, threads: int, measured: ChunkCost | None) -> int:
    """Time limit of a solving job in minutes: half an hour, or three times what the pilot took."""
    if measured is None:
        return _UNKNOWN_MINUTES
    slower = max(measured.threads / threads, 1)
    solving = trajectories * measured.seconds_each * slower
    return 2 + math.ceil(_TIME_ROOM * (measured.seconds + solving) / 60)


def advice(size: int, measured: ChunkCost | None) -> list[str]:
    """Lines for a person: what chunks of `size` trajectories cost, and what would be better."""
    if measured is None:
        return ["nothing is measured: a run of several chunks measures the first one"]
    chunk, best = size * measured.seconds_each, advised_chunk_size(measured)
    lines = [
        f"{1000 * measured.seconds_each:.3g} ms per trajectory on {measured.threads} core(s), "
        f"{chunk:.3g} s per chunk after a start of {max(measured.seconds - chunk, 0):.3g} s, "
        f"{measured.peak_mb:,} MB",
        f"solving jobs ask for mem_mb={memory_mb(0, measured)} "
        f"runtime={minutes(size, measured.threads, measured)}",
    ]
    if chunk < _WORTHWHILE / 10:
        lines.append(
            f"short for a job of its own: --group-components chunks={max(best // size, 1)} makes "
            f"jobs of ten minutes, and so does runtime.chunk_size={best}, which solves again"
        )
    elif chunk > 12 * _WORTHWHILE:
        lines.append(f"long for one job: runtime.chunk_size={best} makes jobs of ten minutes")
    return lines


def advised_chunk_size(measured: ChunkCost) -> int:
    """Trajectories that keep the same cores busy for ten minutes: a power of two."""
    fitting = _WORTHWHILE / max(measured.seconds_each, 1e-9)
    return 2 ** int(math.log2(max(fitting, 1)))


def _rounded(megabytes: float) -> int:
    return 100 * math.ceil(megabytes / 100)
