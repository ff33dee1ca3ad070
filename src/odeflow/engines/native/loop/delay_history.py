"""What the states of a lane were: its last steps, kept in a ring, and their interpolants.

The value a while before is that of the interpolant of the step which holds that time. Since no step
is longer than a delay, it is never the one that is being taken.

Reference: Bellen and Zennaro (2003), see `methods.delay_steps`: with an interpolant of order p - 1
throughout its step, a method of order p keeps its order.
"""

from typing import Any

from odeflow.engines.native.frontend.names import parameter_names
from odeflow.engines.native.loop.last_step import number_of_coefficients
from odeflow.engines.native.methods.controller import StepDecision
from odeflow.engines.native.methods.delay_steps import DelaySteps, ring_place
from odeflow.engines.native.methods.stepper import Inside, Start, Stepped, Stepper, interpolated
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.value import Value, select
from odeflow.problem.delays import DelayPlaces
from odeflow.problem.problem import Problem
from odeflow.problem.status import Status

_NUMBER, _START, _LENGTH = "steps_kept", "kept_start", "kept_length"


class DelayHistory:
    """The parameters of a problem at any time of a lane: the values of delays are among them."""

    def __init__(self, problem: Problem, stepper: Stepper):
        self._stepper, self.delays = stepper, problem.model.declared.delay_places
        self._steps = DelaySteps(problem)
        self.names = parameter_names(problem.model)
        self._size = 1 << max(problem.solver.delay_steps - 1, 1).bit_length()
        self._components = sorted({i for delay in self.delays for i in delay.components})
        self._powers = number_of_coefficients(stepper, len(problem.model.components))

    def __bool__(self) -> bool:
        return bool(self.delays)

    def rows(self) -> list[str]:
        """Names of the rows of the buffer."""
        return [_NUMBER, *self._steps.rows()] if self else []

    def row_groups(self) -> dict[str, int]:
        """The numbers of further rows by name."""
        if not self:
            return {}
        kept = [_kept(i, power) for i in self._components for power in range(self._powers)]
        return dict.fromkeys([_START, _LENGTH, *kept], self._size) | self._steps.row_groups()

    def begin(self, b: LaneBuilder, t: Value) -> None:
        """A lane begins at `t`, or goes on there."""
        if self:
            self._steps.begin(b, t)
            b.store(_NUMBER, select(t == b.setting("t0"), 0.0, b.row(_NUMBER)))

    def keep(self, b: LaneBuilder, keep: Value, start: Start, stepped: Stepped) -> None:
        """After a step: it is one of the last, if it is kept."""
        if not self:
            return
        number = b.row(_NUMBER)
        place = ring_place(b, number, self._size)
        b.scatter(_START, place, start.t, keep)
        b.scatter(_LENGTH, place, start.h, keep)
        inside = Inside(start.h, start.y, stepped.candidate, stepped.dense)
        polynomials = self._stepper.polynomial(inside)
        for i in self._components:
            for power, coefficient in enumerate(polynomials[i]):
                b.scatter(_kept(i, power), place, coefficient, keep)
        b.store(_NUMBER, number + select(keep, 1.0, 0.0))

    def parameters(self, b: LaneBuilder) -> "LaneParameters":
        """Those of a lane at a time up to its own, right after what happened a while before."""
        return LaneParameters(self, b, None)

    def within(self, b: LaneBuilder, t: Value, t_next: Value) -> "LaneParameters":
        """Those of a lane at a time of the step from `t` to `t_next`.

        At its start they are as right after what happened a while before, at its end as right
        before that.
        """
        return LaneParameters(self, b, (t, t_next))

    def looked_up(
        self, b: LaneBuilder, delay: DelayPlaces, time: Value, ends: tuple[Value, Value] | None
    ) -> tuple[list[Value], list[Value], Value]:
        """The values of a delay at a time, their slopes, and whether they are no longer kept."""
        length = b.row(self.names[delay.by])
        near = self._steps.rounding(time, length)
        before = time - length
        if ends is None:
            before = before + near
        else:
            first, last = ends[0] - length + near, ends[1] - length - near
            before = select(before < first, first, before)
            before = select(before > last, last, before)
        # where it is no longer kept, this is the first one that is
        number = b.ring_search(_START, self._size, b.row(_NUMBER), before)
        place = ring_place(b, number, self._size)
        start, step = b.gathered(_START, place), b.gathered(_LENGTH, place)
        part, powers = (before - start) / step, range(self._powers)
        # what a lane still has of the trajectory before is not looked at
        is_history = (number < 0.0) | (before < b.setting("t0"))
        found, slopes = [], []
        for component, row in zip(delay.components, delay.values):
            polynomial = [b.gathered(_kept(component, power), place) for power in powers]
            history = b.row(self.names[row])
            found.append(select(is_history, history, interpolated(polynomial, part)))
            slope = [float(power) * x for power, x in enumerate(polynomial)][1:]
            slopes.append(select(is_history, 0.0, interpolated(slope, part) / step))
        return found, slopes, ~is_history & (before < start)


class LaneParameters:
    """The parameters of a lane as a function of time; `lost` is whether one was no longer known."""

    def __init__(self, history: DelayHistory, b: LaneBuilder, ends: tuple[Value, Value] | None):
        self._history, self._b, self._ends = history, b, ends
        self._own = b.rows(history.names)
        self._known: dict[Any, list[Value]] = {}
        self.lost = Value(b, False)

    def __call__(self, time: Value) -> list[Value]:
        """All of them, in order, and behind them the slopes of delayed states."""
        if not self._history:
            return self._own
        if time.operand not in self._known:
            found, behind = list(self._own), []
            for delay in self._history.delays:
                values, slopes, lost = self._history.looked_up(self._b, delay, time, self._ends)
                self.lost = self.lost | lost
                for place, value in zip(delay.values, values):
                    found[place] = value
                behind += slopes
            self._known[time.operand] = found + behind
        return self._known[time.operand]


def without_lost(start: Start, lost: Value, decision: StepDecision) -> StepDecision:
    """A step taken back whose delays look further back than a lane keeps its steps."""
    return decision._replace(
        keep=decision.keep & ~lost,
        t=select(lost, start.t, decision.t),
        stalled=select(lost, float(Status.history_full), decision.stalled),
    )


def _kept(component: int, power: int) -> str:
    return f"kept_{component}_{power}"
