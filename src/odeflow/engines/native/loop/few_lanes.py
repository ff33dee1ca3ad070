"""A few lanes, solved in the memory of a solve before: what does not depend on them is in place."""

from collections.abc import Callable

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

    def __init__(self, lanes: Lanes, arrays: Arrays, kernel: Kernel):
        self.size, self.kernel, self._arrays = arrays.size, kernel, arrays
        y0, columns, *others = arrays.inputs()
        self._y0 = y0.copy()  # it may be the caller's
        self._args = columns[: len(lanes.args)]
        self._run: Callable[[], None] = kernel.prepared(
            arrays.rows(), arrays.jumps, 0, self.size, self._y0, columns, *others, *arrays.outputs
        )

    def solve(self, lanes: Lanes) -> Solution:
        """Solves as many lanes of the same problem."""
        self._y0[:] = lanes.y0
        self._args[:] = lanes.args
        self._run()
        outputs = self._arrays.outputs.copy()
        outputs.clear_late()
        return self._arrays.solution(outputs)
