"""The native engine: batches of trajectories through compiled lane loops, on all cores."""

import math
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from odeflow.engine.native.controller import end_columns
from odeflow.engine.native.explicit_rk import EXPLICIT_METHODS, explicit_rk
from odeflow.engine.native.kernel import load_kernel
from odeflow.engine.native.lane_restarts import SEGMENT
from odeflow.engine.native.lanes import LaneModule, lane_module
from odeflow.engine.native.refusal import UntranslatableError
from odeflow.engine.native.rosenbrock import ROSENBROCK_METHODS, rosenbrock
from odeflow.engine.problem import Lanes, Problem, Progress, Solution
from odeflow.engine.reduction import finish
from odeflow.methods import find_method
from odeflow.status import Status, has_failed

#: Trajectories of a batch: enough that few lanes idle at its end, few enough to share out.
_LARGEST_BATCH = 4096
_SMALLEST_BATCH = 256
_CACHE_LINE = 64


def refusal(problem: Problem) -> str | None:
    """Why the native engine cannot run a problem; None where it can."""
    try:
        _module(problem)
    except UntranslatableError as error:
        return str(error)
    return None


def solve(
    problem: Problem,
    lanes: Lanes,
    *,
    threads: int,
    progress: Progress | None = None,
    cache_dir: Path,
) -> Solution:
    """Solves every lane; a lane that fails stops nobody.

    `cache_dir` keeps the generated source and its machine code. `progress` is called from this
    thread with the number of lanes done. Raises `UntranslatableError` where `refusal` has a
    reason.
    """
    module = _module(problem)
    run = _Run(problem, lanes, module, load_kernel(module.source, cache_dir))
    size = int(np.clip(lanes.size // (4 * threads), _SMALLEST_BATCH, _LARGEST_BATCH))
    done = 0
    with ThreadPoolExecutor(threads) as pool:
        batches = [
            pool.submit(run.batch, first, min(first + size, lanes.size))
            for first in range(0, lanes.size, size)
        ]
        try:
            for batch in as_completed(batches):
                done += batch.result()
                if progress is not None:
                    progress(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return run.solution()


def module_source(problem: Problem) -> str:
    """The module that is generated for a problem; raises `UntranslatableError`."""
    return _module(problem).source


@lru_cache(maxsize=8)
def _module(problem: Problem) -> LaneModule:
    method = find_method(problem.solver.method).diffrax_name
    if method in EXPLICIT_METHODS:
        return lane_module(problem, explicit_rk(problem.model, method, problem.dtype))
    if method in ROSENBROCK_METHODS:
        return lane_module(problem, rosenbrock(problem.model, method, problem.dtype))
    raise UntranslatableError(problem.solver.method, "the native engine does not have this method")


class _Run:
    """The arrays of one solve, which batches fill in."""

    def __init__(self, problem: Problem, lanes: Lanes, module: LaneModule, kernel: Any):
        self._problem, self._module, self._kernel = problem, module, kernel
        model, dtype, size = problem.model.config, problem.dtype, lanes.size
        # the end value of a trajectory that may stop on the way is kept once it has
        afterwards = problem.ts is None and problem.restarts
        saved = np.full(1, np.inf) if afterwards else problem.times
        times = np.append(saved, np.inf).astype(dtype)
        self._t1 = np.full(size, model.t1) if lanes.t1 is None else lanes.t1
        ends, jumps = _segments(problem, lanes, self._t1.astype(dtype))
        self._inputs = (
            np.ascontiguousarray(lanes.y0, dtype),
            np.concatenate([lanes.args.astype(dtype), *(x[None] for x in ends.values())]),
            jumps,
            times,
            np.array(module.settings, dtype),
            problem.solver.max_steps,
        )
        self._shapes = {
            name: model.states[name].shape if name in model.states else ()
            for name in problem.variables
        }
        self._values = tuple(
            np.empty((size, len(times) - 1, math.prod(shape)), dtype)
            for shape in self._shapes.values()
        )
        self._columns = tuple(x.reshape(-1, x.shape[2]) for x in self._values)
        columns = [c.stop for slices in module.reduced.values() for c in slices]
        self._reduced = np.empty((size, max(columns, default=0)), dtype)
        self._saved = np.zeros(size, np.int64)
        self._status = np.zeros(size, np.int8)
        self._num_steps = np.zeros(size, np.int64)
        self._num_accepted_steps = np.zeros(size, np.int64)
        self._time_reached = np.zeros(size, dtype)

    def batch(self, first: int, last: int) -> int:
        """Solves the lanes from `first` to before `last`; returns their number."""
        self._kernel(
            self._rows(),
            *self._inputs,
            first,
            last,
            self._columns,
            self._reduced,
            self._saved,
            self._status,
            self._num_steps,
            self._num_accepted_steps,
            self._time_reached,
        )
        short = first + np.flatnonzero(self._saved[first:last] < len(self._problem.times))
        for values in self._values:
            late = np.arange(values.shape[1]) >= self._saved[short, None]
            values[short] = np.where(late[..., None], np.nan, values[short])
        return last - first

    def _rows(self) -> np.ndarray:
        """The lanes' buffer, at the start of a cache line."""
        item = self._problem.dtype.itemsize
        raw = np.zeros(self._module.buffer_size + _CACHE_LINE // item, self._problem.dtype)
        start = -raw.ctypes.data % _CACHE_LINE // item
        return raw[start : start + self._module.buffer_size]

    def solution(self) -> Solution:
        """The result, once all batches are done."""
        model = self._problem.model.config
        reached_end = self._status == Status.success
        time_reached = np.where(reached_end, self._t1, self._time_reached)
        return Solution(
            values={
                name: values.reshape(*values.shape[:2], *shape)
                for (name, shape), values in zip(self._shapes.items(), self._values)
            },
            status=self._status,
            num_steps=self._num_steps,
            num_accepted_steps=self._num_accepted_steps,
            num_rejected_steps=self._num_steps - self._num_accepted_steps,
            time_reached=time_reached,
            reduced=finish(
                self._problem.reductions,
                self._accumulators(),
                ~has_failed(self._status),
                time_reached - model.t0,
            ),
        )

    def _accumulators(self) -> dict[str, list[np.ndarray]]:
        """Those of each reduced variable, lanes first."""
        states = self._problem.model.config.states
        return {
            name: [
                self._reduced[:, c].reshape(-1, *(states[name].shape if name in states else ()))
                for c in columns
            ]
            for name, columns in self._module.reduced.items()
        }


def _segments(
    problem: Problem, lanes: Lanes, t1: Float[np.ndarray, " lane"]
) -> tuple[dict[str, np.ndarray], tuple[np.ndarray, ...]]:
    """The columns of each trajectory's first segment, and its jumps as the lane loop takes them:
    their number, what they add, and what they set, the columns of the next segment included.

    A segment ends at the next jump. A time to save at a jump is left to the segment after it.
    """
    t0 = problem.model.config.t0
    if problem.jumps is None or lanes.jumps is None:
        none = np.zeros((0, 0, 0), t1.dtype)
        return end_columns(problem.solver, t0, t1), (np.zeros(t1.size, np.int64), none, none)
    dtype = t1.dtype
    times, amounts, values = (
        x.astype(dtype) for x in (lanes.jumps.times, lanes.jumps.amounts, lanes.jumps.values)
    )
    happens = times <= t1
    ends = np.concatenate([np.where(happens, times, t1), t1[None]])
    followed = np.concatenate([happens, np.zeros((1, t1.size), bool)])
    columns = end_columns(problem.solver, t0, ends)
    columns["last_save"] = np.where(followed, np.nextafter(ends, dtype.type(-np.inf)), ends)
    later = np.stack([columns[name][1:] for name in SEGMENT], axis=1)
    data = (happens.sum(0), np.ascontiguousarray(amounts), np.concatenate([values, later], axis=1))
    return {name: column[0] for name, column in columns.items()}, data
