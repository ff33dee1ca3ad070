"""Steps that end at a model's knots, and the piece between knots that each lane is in.

All else goes on there: a step hands on its last derivative, and the controller plans the next one
as if the knot had not cut this one short. So does `engines.diffrax.knot_control`.
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from odeflow.engines.native.frontend.names import PIECE
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.refusal import UntranslatableError
from odeflow.engines.native.program.table import ConstantTable
from odeflow.engines.native.program.value import Value, select
from odeflow.problem.problem import Problem

#: The end of the piece of the step to come; what it is called there; and its planned length.
_ROWS = _NEXT_KNOT, _AHEAD, _PLANNED = "next_knot", "piece_ahead", "planned"


class KnotSteps:
    """What a lane does at the knots of a problem, if there are any.

    A lane stays in the piece of a step until the next one starts, so that what is looked at inside
    of a step, when it is over, is looked at in the piece of that step.
    """

    def __init__(self, problem: Problem):
        self._knots, self._dtype = problem.model.knots, problem.dtype
        if self._knots is not None and not problem.solver.is_adaptive:
            raise UntranslatableError("steps of constant length", "they do not end at knots")

    def __bool__(self) -> bool:
        return self._knots is not None

    @cached_property
    def _table(self) -> ConstantTable:
        """The end of each piece; infinite for the last."""
        assert self._knots is not None
        return ConstantTable(np.append(self._knots.times, np.inf).astype(self._dtype))

    def rows(self) -> list[str]:
        """Names of the rows of the buffer, beside `PIECE`."""
        return list(_ROWS) if self else []

    def first_pieces(self, t0: float, size: int) -> list[np.ndarray]:
        """The row of the pieces that trajectories begin in, if there is one."""
        if not self:
            return []
        ends = self._table.values
        return [np.full((1, size), np.searchsorted(ends, ends.dtype.type(t0), "right"), ends.dtype)]

    def enter(self, b: LaneBuilder) -> None:
        """Before a step: the lane is in the piece of it."""
        if self:
            b.store(PIECE, b.row(_AHEAD))

    def begin(self, b: LaneBuilder, t: Value) -> None:
        """A lane begins at `t`, in the piece that it was in or at the start of the next."""
        if self:
            piece = b.row(PIECE)
            piece = piece + select(t >= self._end(b, piece), 1.0, 0.0)
            b.store_rows([PIECE, _AHEAD, _NEXT_KNOT], [piece, piece, self._end(b, piece)])

    def first_step_end(self, b: LaneBuilder, end: Value) -> Value:
        """The end of a lane's first step, which would be at `end`."""
        if not self:
            return end
        b.store(_PLANNED, 0.0)
        knot = b.row(_NEXT_KNOT)
        return select(end > knot, knot, end)

    def planned(self, b: LaneBuilder, keep: Value, dt: Value) -> Value:
        """The length of the next step: `dt`, or that of the last one before a knot cut it short."""
        if not self:
            return dt
        before = b.row(_PLANNED)
        return select(keep & (before > dt), before, dt)

    def next_step_end(
        self, b: LaneBuilder, keep: Value, reached: Value, t: Value, dt: Value, end: Value
    ) -> tuple[Value, Mapping[str, Value]]:
        """The end of the next step, which begins at `t`, and what to remember.

        `reached` is the end of the last one, which counts if `keep`. The next is planned to take
        `dt`, and ends at `end` where no knot is in the way. What is left up to a knot is shared by
        two steps where one is not enough.
        """
        if not self:
            return end, {}
        piece, knot = b.row(PIECE), b.row(_NEXT_KNOT)
        passes = keep & (reached >= knot)
        piece = piece + select(passes, 1.0, 0.0)
        knot = select(passes, self._end(b, piece), knot)
        planned, half = t + dt, t + 0.5 * (knot - t)
        cut = select(planned >= knot, knot, select(planned > half, half, planned))
        end = select(knot <= b.row("t1"), cut, end)
        return end, {_AHEAD: piece, _NEXT_KNOT: knot, _PLANNED: dt}

    def _end(self, b: LaneBuilder, piece: Value) -> Value:
        """The end of a piece."""
        return Value(b, b.apply("entry", self._table, piece.operand))
