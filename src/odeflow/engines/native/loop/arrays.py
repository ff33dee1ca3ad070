"""What a compiled loop reads and writes: the arrays of one solve, and the solution made of them."""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from odeflow.engines.native.loop.lane_restarts import SEGMENT, counted_columns
from odeflow.engines.native.loop.lanes import LaneModule
from odeflow.engines.native.methods.controller import end_columns
from odeflow.engines.native.methods.knot_steps import KnotSteps
from odeflow.engines.shared.stop_values import stop_shapes, with_stop_values
from odeflow.problem.problem import Lanes, Problem, Solution
from odeflow.problem.reductions import finish
from odeflow.problem.status import has_failed

_CACHE_LINE = 64


class Outputs(NamedTuple):
    """What a kernel writes, in the order of its arguments; on a GPU it has not the last two.

    Each of `values` has one row per trajectory and time, each of `events` one per trajectory and
    crossing that is kept; `reduced` and `event_counts` have one column per trajectory.
    """

    values: tuple[np.ndarray, ...]
    reduced: np.ndarray
    saved: np.ndarray
    status: np.ndarray
    num_steps: np.ndarray
    num_accepted_steps: np.ndarray
    time_reached: np.ndarray
    events: tuple[np.ndarray, ...]
    event_counts: np.ndarray

    def copy(self) -> "Outputs":
        """The same numbers in memory of their own."""
        return Outputs(
            tuple([array.copy() for array in self.values]),
            self.reduced.copy(),
            self.saved.copy(),
            self.status.copy(),
            self.num_steps.copy(),
            self.num_accepted_steps.copy(),
            self.time_reached.copy(),
            tuple([array.copy() for array in self.events]),
            self.event_counts.copy(),
        )

    def clear_late(self, first: int = 0, last: int | None = None) -> None:
        """Puts NaN at times that the trajectories from `first` to before `last` did not reach."""
        lanes, saved = len(self.saved), self.saved[first:last]
        times = len(self.values[0]) // lanes if self.values else 0
        is_short = saved < times
        if not np.count_nonzero(is_short):
            return
        short = first + np.flatnonzero(is_short)
        late = np.arange(times) >= self.saved[short, None]
        for values in self.values:
            by_time = values.reshape(lanes, times, -1)
            by_time[short] = np.where(late[..., None], np.nan, by_time[short])


class Arrays:
    """The arrays of one solve: `inputs` and `outputs`, in the order of a kernel's arguments.

    `jumps` are those of each trajectory: their number, what they add, and what they set.
    """

    def __init__(self, problem: Problem, lanes: Lanes, module: LaneModule):
        self._problem, self._module, self.size = problem, module, lanes.size
        self.components = len(lanes.y0)
        model, dtype, size = problem.model.declared, problem.dtype, lanes.size
        # the end value of a trajectory that may stop on the way is kept once it has
        afterwards = problem.ts is None and problem.restarts
        saved = np.full(1, np.inf) if afterwards else problem.times
        times = np.append(saved, np.inf).astype(dtype)
        self._t1 = np.full(size, model.t1) if lanes.t1 is None else lanes.t1
        ends, self.jumps = _segments(problem, lanes, self._t1.astype(dtype))
        if problem.counted and lanes.counted is not None:
            counted = lanes.counted.astype(dtype)
            ends |= dict(zip(counted_columns(problem), counted, strict=True))
        pieces = KnotSteps(problem).first_pieces(model.t0, size)
        columns = [lanes.args.astype(dtype), *pieces, *(x[None] for x in ends.values())]
        self._y0, self._args = lanes.y0, np.concatenate(columns)
        self._shared_inputs: tuple[Any, ...] = (
            times,
            np.array(module.settings, dtype),
            problem.solver.max_steps,
        )
        states, times = model.states, len(times) - 1
        shape = lambda name: states[name].shape if name in states else ()
        self._shapes = [(x, (size, times, *shape(x))) for x in problem.variables]
        stops = [c.stop for slices in module.reduced.values() for c in slices]
        self._columns = max(stops, default=0)
        at_stop = sum(math.prod(shape) for shape in stop_shapes(problem).values())
        self._has_more = bool(module.reduced or problem.events or problem.model.stopping)
        self.outputs = Outputs(
            values=tuple(
                np.empty((size * times, math.prod(shape)), dtype)
                for _, (_, _, *shape) in self._shapes
            ),
            reduced=np.empty((self._columns + at_stop, size), dtype),
            saved=np.zeros(size, np.int64),
            status=np.zeros(size, np.int8),
            num_steps=np.zeros(size, np.int64),
            num_accepted_steps=np.zeros(size, np.int64),
            time_reached=np.zeros(size, dtype),
            events=tuple(
                np.full((size * event.most, problem.event_width(event)), np.nan, dtype)
                for event in problem.events
            ),
            event_counts=np.zeros((len(problem.events), size), np.int64),
        )

    def inputs(self, first: int = 0, last: int | None = None) -> tuple[Any, ...]:
        """Those of the trajectories from `first` to before `last`, and the most steps at the end.

        Initial states are copied here: all trajectories at once may share one of many components.
        """
        dtype = self._problem.dtype
        y0 = np.ascontiguousarray(self._y0[:, first:last], dtype)
        return y0, np.ascontiguousarray(self._args[:, first:last]), *self._shared_inputs

    def rows(self) -> np.ndarray:
        """A new buffer of the lanes' rows, at the start of a cache line."""
        dtype, size = self._problem.dtype, self._module.code.layout.size
        raw = np.zeros(size + _CACHE_LINE // dtype.itemsize, dtype)
        start = -raw.ctypes.data % _CACHE_LINE // dtype.itemsize
        return raw[start : start + size]

    def solution(self, found: Outputs) -> Solution:
        """The result, of `outputs` or a copy of them, once all trajectories are solved."""
        solution = Solution(
            {name: x.reshape(shape) for (name, shape), x in zip(self._shapes, found.values)},
            found.status,
            found.num_steps,
            found.num_accepted_steps,
            found.num_steps - found.num_accepted_steps,
            # success is 0
            np.where(found.status, found.time_reached, self._t1),
        )
        return self._completed(solution, found) if self._has_more else solution

    def _completed(self, solution: Solution, found: Outputs) -> Solution:
        """The solution with metrics, crossings, and what the model says of stops."""
        model = self._problem.model.declared
        shape = lambda name: model.states[name].shape if name in model.states else ()
        accumulators = {
            name: [found.reduced[c].T.reshape(-1, *shape(name)) for c in columns]
            for name, columns in self._module.reduced.items()
        }
        reduced = finish(
            self._problem.reductions,
            accumulators,
            ~has_failed(solution.status),
            solution.time_reached - model.t0,
        )
        names = [event.name for event in self._problem.events]
        counts = dict(zip(names, found.event_counts))
        events = {
            name: kept.reshape(len(solution.status), -1, kept.shape[1])
            for name, kept in zip(names, found.events)
        }
        solution = replace(solution, reduced=reduced, events=events, event_counts=counts)
        return with_stop_values(self._problem, solution, found.reduced[self._columns :].T)


def _segments(
    problem: Problem, lanes: Lanes, t1: Float[np.ndarray, " lane"]
) -> tuple[dict[str, np.ndarray], tuple[np.ndarray, ...]]:
    """The columns of each trajectory's first segment, and its jumps as the lane loop takes them:
    their number, what they add, and what they set, the columns of the next segment included.

    A segment ends at the next jump. A time to save at a jump is left to the segment after it.
    """
    t0 = problem.model.declared.t0
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
    sets = np.concatenate([values, later], axis=1)
    data = (happens.sum(0), np.ascontiguousarray(amounts), np.ascontiguousarray(sets))
    return {name: column[0] for name, column in columns.items()}, data
