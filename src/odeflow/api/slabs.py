"""Some trajectories after others, where what an engine is given of them has to be copied."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from odeflow.api.batch import Batch
from odeflow.api.handles import OUTCOMES, Handle, SolvedLanes
from odeflow.engines.attempts import progress_after
from odeflow.engines.choice import Resources
from odeflow.files.slabs import PIECE, SLAB_BYTES, slabs
from odeflow.problem.problem import Problem, Progress, Solution

#: A slab may take this part of what is kept of all trajectories: to join slabs takes time.
_PART = 1 / 16


def solved_by_slabs(
    handle: Handle, problem: Problem, batch: Batch, resources: Resources, progress: Progress | None
) -> SolvedLanes:
    """All trajectories of a batch, solved in slabs where its rows are many bytes of copies."""
    lanes = 1 if batch.lanes is None else batch.lanes
    copied = 0 if lanes <= PIECE else batch.copied
    if not copied:
        return handle.solve(problem, batch.rows(), resources, progress)
    kept = len(problem.times) * handle.outputs.size
    whole: list[Any] = []
    for first, last in slabs(0, lanes, 8 * copied, max(SLAB_BYTES, int(_PART * 8 * kept * lanes))):
        done = progress_after(first, progress)
        part = handle.solve(problem, batch.rows(first, last), resources, done)
        if last - first == lanes:
            return part
        whole = whole or [np.empty((lanes, *x.shape[1:]), x.dtype) for x in _arrays(part)]
        for array, x in zip(whole, _arrays(part)):
            array[first:last] = x
        del part, x  # not in memory while the next is solved
    values, *outcomes = whole
    return SolvedLanes(values, Solution({}, *outcomes))


def _arrays(part: SolvedLanes) -> Sequence[np.ndarray]:
    """What is kept of solved lanes."""
    return [part.values, *(getattr(part.solution, name) for name in OUTCOMES)]
