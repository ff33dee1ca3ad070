"""What a solving job asks for: cores, memory and time, by what the first chunk measured.

None of it touches the numbers of a trajectory.
"""

import time
from functools import lru_cache
from pathlib import Path

from odeflow.workflow import pilot
from odeflow.workflow.chunks import Chunk
from odeflow.workflow.experiment import Experiment
from odeflow.workflow.pilot import ChunkCost


def threads(experiment: Experiment, chunk: Chunk, cores: int | None, apart: bool = False) -> int:
    """Cores of one solving job: as asked, or the cores there are shared among the chunks.

    On a cluster each job has cores of its own, `apart` from the others'. Elsewhere the pilot, which
    all others wait for, takes them all; not with Diffrax alone: its program depends on the number
    of devices, and the others would compile theirs once more.
    """
    runtime = experiment.config.runtime
    if runtime.threads != "auto":
        return runtime.threads
    if apart or (chunk.is_pilot and runtime.engine != "diffrax"):
        return cores or 1
    return max(1, (cores or 1) // max(len(experiment.chunks) - (chunk.pilot is not None), 1))


def fit_threads(experiment: Experiment, cores: int | None) -> int:
    """Cores of a job that fits starts: as asked, or the cores there are shared among the jobs."""
    asked = experiment.config.runtime.threads
    if asked != "auto":
        return asked
    return max(1, (cores or 1) // max(len(experiment.start_files), 1))


def memory_mb(experiment: Experiment, chunk: Chunk) -> int:
    """Memory that a solving job asks a cluster for."""
    return pilot.memory_mb(chunk.size * experiment.trajectory_bytes, measured_lately(chunk))


def minutes(chunk: Chunk, threads: int) -> int:
    """Time limit that a solving job asks a cluster for."""
    return pilot.minutes(chunk.size, threads, measured_lately(chunk))


def advice(experiment: Experiment) -> str:
    """What an experiment's first chunk cost, and what that means for a larger run."""
    first = experiment.chunks[0]
    cut = f"{experiment.name}: {len(experiment.chunks)} chunks of {first.size:,} trajectories"
    return "\n  ".join([cut, *pilot.advice(first.size, measured_lately(first))])


def measured_lately(chunk: Chunk) -> ChunkCost | None:
    """What the pilot of a chunk measured, None before; one look a second for all its chunks."""
    if chunk.pilot is None:
        return None
    return _read_measurement(chunk.pilot, int(time.monotonic()))


@lru_cache(maxsize=64)
def _read_measurement(file: str, second: int) -> ChunkCost | None:
    return pilot.read_measurement(Path(file))
