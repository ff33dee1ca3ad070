"""A few lanes, solved in the memory of a solve before: what does not depend on them is in place."""

from collections.abc import Callable

import numpy as np

from odeflow.engines.native.loop.arrays import Arrays
from odeflow.engines.native.targets.machine_code import Kernel
from odeflow.problem.problem import Lanes, Problem, Solution

#: Lanes, and bytes of their values, up to which it is done: above, new memory costs nothing.
_MOST_LANES, _MOST_BYTES = 64, 1 << 16


def is_plain(problem: Problem, size: int) -> bool:
    """Whether lanes differ in y0 and args alone, and few values are all that is kept of them."""
    kept = problem.reductions or problem.events
    given = problem.own_ends or problem.counted or problem.restarts
    if kept or given or size > _MOST_LANES:
        return False
    return size * problem.lane_bytes <= _MOST_BYTES


class FewLanes:
    """The arrays of a solve of a number of lanes, to be filled again; one solve at a time."""

    def __init__(self, problem: Problem, lanes: Lanes, arrays: Arrays, kernel: Kernel):
        self.size, self.kernel = arrays.size, kernel
        y0, self._columns, *others = arrays.inputs()
        self._y0 = y0.copy()  # it may be the caller's
        self._args, self._t1 = len(lanes.args), problem.model.declared.t1
        self._times = len(problem.times)
        values, _, *self._outcomes = arrays.outputs
        states = problem.model.declared.states
        self._values = {
            name: array.reshape(self.size, self._times, *states[name].shape)
            if name in states
            else array.reshape(self.size, self._times)
            for name, array in zip(problem.variables, values)
        }
        self._rows = arrays.rows()
        self._run: Callable[[], None] = kernel.prepared(
            self._rows, arrays.jumps, 0, self.size,
            self._y0, self._columns, *others, *arrays.outputs, *arrays.event_outputs,
        )  # fmt: skip

    def solve(self, lanes: Lanes) -> Solution:
        """Solves as many lanes of the same problem."""
        self._y0[:] = lanes.y0
        self._columns[: self._args] = lanes.args
        self._rows.fill(0)
        for array in self._outcomes:
            array.fill(0)
        self._run()
        saved, status, num_steps, accepted, reached = [x.copy() for x in self._outcomes]
        values = {name: array.copy() for name, array in self._values.items()}
        if np.count_nonzero(saved < self._times):
            for array in values.values():
                for lane, number in enumerate(saved):
                    array[lane, number:] = np.nan
        time_reached = np.where(status == 0, np.float64(self._t1), reached)
        return Solution(values, status, num_steps, accepted, num_steps - accepted, time_reached)
