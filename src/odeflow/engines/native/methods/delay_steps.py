"""Steps of a model with delays: none is longer than a delay, and they end at breaking points.

Where a trajectory begins or is restarted, its derivative jumps; a delay later that of the next
order does, and so on. A method sees the jumps up to its own order. Each lane keeps its breaking
points, with the order of what jumps there, and every delay has its place among them: the next
breaking point is the first to come of those times plus the delays.

Reference: A. Bellen and M. Zennaro (2003), Numerical Methods for Delay Differential Equations,
chapter 2 and section 4.1. Oxford University Press.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np

from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.refusal import UntranslatableError
from odeflow.engines.native.program.value import Value, any_of, select
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import Problem

#: Breaking points that a lane keeps; of more than these the earliest are no longer stopped at.
_MOST = 64
#: Times are the same where so many roundings part them.
_ROUNDINGS = 16
_TIME, _LEVEL, _NUMBER, _NEXT = "break_time", "break_level", "breaks", "next_break"


def ring_place(b: LaneBuilder, number: Value, size: int) -> Value:
    """Where the item of a number lies in a ring whose size is a power of 2."""
    return number - size * Value(b, b.apply("floor", (number * (1.0 / size)).operand))


class DelaySteps:
    """How the steps of a problem go with its delays, if there are any."""

    def __init__(self, problem: Problem):
        self._delays, self._dtype = problem.model.declared.delay_places, problem.dtype
        self._cursors = [f"delay_cursor_{j}" for j in range(len(self._delays))]
        self._order = METHODS[problem.solver.method].order
        if self and not problem.solver.is_adaptive:
            raise UntranslatableError("steps of constant length", "they do not end as delays ask")

    def __bool__(self) -> bool:
        return bool(self._delays)

    def rows(self) -> list[str]:
        """Names of the rows of the buffer."""
        return [_NUMBER, _NEXT, *self._cursors] if self else []

    def row_groups(self) -> dict[str, int]:
        """The numbers of further rows by name."""
        return {_TIME: _MOST, _LEVEL: _MOST} if self else {}

    def lengths(self, b: LaneBuilder) -> list[Value]:
        """How long the delays are."""
        return [b.row(f"p_{delay.by}") for delay in self._delays]

    def rounding(self, t: Value, length: Value) -> Value:
        """How far apart times near `t` may be that are the same but for roundings."""
        return _ROUNDINGS * float(np.finfo(self._dtype).eps) * (abs(t) + length)

    def begin(self, b: LaneBuilder, t: Value) -> None:
        """A lane begins or goes on at `t`, which is a breaking point.

        What the last step has passed beyond that, it has not.
        """
        if not self:
            return
        lengths, fresh = self.lengths(b), t == b.setting("t0")
        near = self.rounding(t, self._longest(lengths))
        number = select(fresh, 0.0, b.row(_NUMBER))
        number = number - select(
            (number > 0.0) & (self._time(b, number - 1.0) > t + near), 1.0, 0.0
        )
        known = (number > 0.0) & (abs(self._time(b, number - 1.0) - t) <= near)
        cursors = []
        for row, length in zip(self._cursors, lengths):
            cursor = select(fresh, 0.0, b.row(row))
            passed = self._time(b, cursor - 1.0) + length
            cursors.append(cursor - select((cursor > 0.0) & (passed > t + near), 1.0, 0.0))
        place = select(known, number - 1.0, number)
        self._put(b, place, t, Value(b, 0.0), Value(b, True))
        number = place + 1.0
        b.store_rows(self.rows(), [number, self._next(b, number, cursors), *cursors])

    def first_step_end(self, b: LaneBuilder, t: Value, end: Value) -> Value:
        """The end of a lane's first step, which begins at `t` and would be at `end`."""
        return self._cut(b, t, end, b.row(_NEXT)) if self else end

    def next_step_end(
        self, b: LaneBuilder, keep: Value, reached: Value, t: Value, end: Value
    ) -> tuple[Value, Mapping[str, Value]]:
        """The end of the next step, which begins at `t` and would be at `end`, and what to
        remember. `reached` is the end of the last one, which counts if `keep`.
        """
        if not self:
            return end, {}
        lengths, number = self.lengths(b), b.row(_NUMBER)
        near = self.rounding(reached, self._longest(lengths))
        passed, cursors, levels = [], [], []
        for row, length in zip(self._cursors, lengths):
            cursor = b.row(row)
            passes = keep & (cursor < number) & (self._time(b, cursor) + length <= reached + near)
            level = b.gathered(_LEVEL, ring_place(b, cursor, _MOST))
            passed.append(passes)
            levels.append(select(passes, level + 1.0, float(self._order + 1)))
            cursors.append(cursor + select(passes, 1.0, 0.0))
        level = reduce(lambda x, y: select(x < y, x, y), levels)
        matters = any_of(passed) & (level <= float(self._order))
        self._put(b, number, reached, level, matters)
        number = number + select(matters, 1.0, 0.0)
        oldest = number - float(_MOST)
        cursors = [select(cursor < oldest, oldest, cursor) for cursor in cursors]
        following = self._next(b, number, cursors)
        rows = dict(zip(self.rows(), [number, following, *cursors]))
        return self._cut(b, t, end, following), rows

    def _cut(self, b: LaneBuilder, t: Value, end: Value, point: Value) -> Value:
        """The end of a step, no later than a delay and the next breaking point allow.

        What is left up to that is shared by two steps where one is not enough.
        """
        shortest = reduce(lambda x, y: select(x < y, x, y), self.lengths(b))
        longest = t + (1.0 - 1e-12) * shortest
        end, half = select(end < longest, end, longest), t + 0.5 * (point - t)
        return select(end >= point, point, select((end > half) & (half > t), half, end))

    def _next(self, b: LaneBuilder, number: Value, cursors: Sequence[Value]) -> Value:
        """The first of the breaking points to come."""
        result = Value(b, np.inf)
        for cursor, length in zip(cursors, self.lengths(b)):
            time = select(cursor < number, self._time(b, cursor) + length, np.inf)
            result = select(time < result, time, result)
        return result

    @staticmethod
    def _longest(lengths: Sequence[Value]) -> Value:
        return reduce(lambda x, y: select(x > y, x, y), lengths)

    @staticmethod
    def _time(b: LaneBuilder, number: Value) -> Value:
        return b.gathered(_TIME, ring_place(b, number, _MOST))

    @staticmethod
    def _put(b: LaneBuilder, number: Value, time: Value, level: Value, where: Value) -> None:
        place = ring_place(b, number, _MOST)
        b.scatter(_TIME, place, time, where)
        b.scatter(_LEVEL, place, level, where)
