"""One trajectory by SciPy: stepped, stopped where something happens, and started anew.

What happens are the changes of `schedule`, times at which the field switches (`switching`), stops
of the config, and events (`events`). Where conditions change is found on SciPy's dense output.

Reference: E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
sections II.5 and II.6; E. Hairer and G. Wanner (1996), II, section IV.8. Springer.
"""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.integrate import DOP853, LSODA, RK45, Radau

from odeflow.trust.verification.crossings import Conditions, first_change
from odeflow.trust.verification.events import Events, EventsFailedError
from odeflow.trust.verification.problem import PointProblem
from odeflow.trust.verification.schedule import Change
from odeflow.trust.verification.switching import TooManySwitchesError

#: SciPy refuses a smaller relative tolerance.
SMALLEST_RTOL = 100 * float(np.finfo(float).eps)
_METHODS = {"DOP853": DOP853, "LSODA": LSODA, "RK45": RK45, "Radau": Radau}
#: Saved times this near to an event or stop, as a part of the span, may be of either side of it.
_BESIDE = 1e-6
#: Restarts of a trajectory after which events pile up.
_MOST_RESTARTS = 100_000


class NoReferenceError(RuntimeError):
    """SciPy found no solution; the message says why."""


class OutOfTimeError(Exception):
    """The time that there was for verification is over."""


class Accuracy(NamedTuple):
    """How SciPy solves: one of its methods, tolerances (`atol` one a component), longest step."""

    method: str
    rtol: float
    atol: Float[np.ndarray, " component"]
    max_step: float = np.inf


class Work:
    """Counts evaluations of a field, up to a limit and a deadline of `time.monotonic`."""

    def __init__(self, most: int, deadline: float = np.inf):
        self.most, self.deadline, self.count = most, deadline, 0

    def look(self) -> None:
        """Raises OutOfTimeError after the deadline."""
        if time.monotonic() > self.deadline:
            raise OutOfTimeError

    def add(self) -> None:
        """One more. Raises NoReferenceError beyond the limit, OutOfTimeError after the deadline."""
        self.count += 1
        if self.count > self.most:
            raise NoReferenceError(f"it needs more than {self.most:,} evaluations")
        if not self.count % 64:
            self.look()


@dataclass
class Course:
    """Values of a trajectory at the times asked for, NaN after its end; where it was near an event
    or stop then, `beside` has those of the other side of it.

    `near_end` says whether a stop was that near, `args` are the parameters at each time, `largest`
    the largest |y| of each component on the way, `end`, `at_end` and `end_args` where a stop ended
    it, else t1, and what holds there.
    """

    ys: Float[np.ndarray, "time component"]
    beside: Float[np.ndarray, "time component"]
    args: Float[np.ndarray, "time parameter"]
    near_end: Bool[np.ndarray, " time"]
    largest: Float[np.ndarray, " component"]
    end: float
    at_end: Float[np.ndarray, " component"]
    end_args: Float[np.ndarray, " parameter"]
    stopped: bool
    evaluations: int
    method: str


def course(
    problem: PointProblem, ts: Float[np.ndarray, " time"], accuracy: Accuracy, work: Work
) -> Course:
    """The trajectory of a problem at `ts`, increasing, within its span.

    Raises NoReferenceError where SciPy gets not to the end, and OutOfTimeError.
    """
    before = work.count
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what LSODA says before it gives up
            found = _Walk(problem, ts, accuracy, work).done()
    except (NoReferenceError, EventsFailedError, TooManySwitchesError, ValueError,
            np.linalg.LinAlgError) as error:  # fmt: skip
        raise NoReferenceError(f"{accuracy.method}: {error}") from error
    found.evaluations = work.count - before
    return found


class _Walk:
    def __init__(self, problem: PointProblem, ts: np.ndarray, accuracy: Accuracy, work: Work):
        self.problem, self.accuracy, self.work = problem, accuracy, work
        self.ts = _snapped(ts, [change.time for change in problem.changes])
        size, number = len(problem.y0), len(problem.changes[0].args)
        self.ys = np.full((len(ts), size), np.nan)
        self.beside = np.full((len(ts), size), np.nan)
        self.near_end = np.zeros(len(ts), bool)
        self.args_at = np.full((len(ts), number), np.nan)
        self.events = Events(problem.events)
        self.t, self.y = problem.t0, problem.y0.copy()
        self.largest = np.abs(self.y)
        self.left, self.stopped = self.y, False
        self.counted: np.ndarray = np.zeros(0, bool)
        self.change: Change = problem.changes[0]
        self.slack = _BESIDE * (problem.t1 - problem.t0)

    def done(self) -> Course:
        """Walks to the end."""
        problem = self.problem
        coming = list(problem.changes)
        self.counted = problem.stops_hold(self.t, self.y, coming[0].args)
        self._apply(coming.pop(0))
        self._instant()
        switches = problem.switches(self.change, self.y)
        for _ in range(_MOST_RESTARTS):
            if self.stopped or self.t >= problem.t1:
                break
            self.work.look()
            after = switches[np.searchsorted(switches, self.t, side="right") :]
            next_change = coming[0].time if coming else np.inf
            next_switch = after[0] if len(after) else np.inf
            rest = np.inf if problem.ends_at is None else problem.ends_at
            target = min(problem.t1, next_change, next_switch, self.events.next_due, rest)
            self._stretch(target)
            at = self.t
            if at == next_change:
                self._apply(coming.pop(0))
            changed = self._instant()
            self.stopped |= at >= rest
            if at == next_switch and not self.stopped:
                # what holds only after that time
                self._record_at(at)
                self.t = float(np.nextafter(at, np.inf))
                changed |= self._instant()
            if changed or at == next_change:
                switches = problem.switches(self.change, self.y)
                if changed:
                    self._note_beside(at)
        else:
            raise EventsFailedError(f"events pile up at t = {self.t:g}")
        if not np.isfinite(self.y).all():
            raise NoReferenceError(f"not finite at t = {self.t:g}")
        self._record_at(self.t)
        return Course(
            self.ys, self.beside, self.args_at, self.near_end, self.largest,
            min(self.t, problem.t1), self.y, self.change.args, self.stopped, 0,
            self.accuracy.method,
        )  # fmt: skip

    def _apply(self, change: Change) -> None:
        self.change = change
        self.y = self.y + change.added
        self.largest = np.maximum(self.largest, np.abs(self.y))

    def _instant(self) -> bool:
        """Stops and events at this time; whether the state has changed or ended."""
        problem, args = self.problem, self.change.args

        def stops(t: float, y: np.ndarray) -> bool:
            now = problem.stops_hold(t, y, args)
            fired = bool((now & ~self.counted).any())
            self.counted = now
            return fired

        y, happened, self.stopped = self.events.at_once(self.t, self.y, args, stops)
        self.y = y
        self.largest = np.maximum(self.largest, np.abs(y))
        return happened or self.stopped

    def _record_at(self, t: float) -> None:
        for i in np.flatnonzero(self.ts == t):
            self.ys[i], self.args_at[i] = self.y, self.change.args

    def _note_beside(self, t: float) -> None:
        """Values near an event, which may be of its other side."""
        for i in np.flatnonzero(np.abs(self.ts - t) <= self.slack):
            self.near_end[i] |= self.stopped
            self.beside[i] = self.left if self.ts[i] >= t else self.y

    def _stretch(self, target: float) -> None:
        """To `target`, or to where a condition changes before it."""
        problem, change, work = self.problem, self.change, self.work
        start, args, rates = self.t, change.args, change.rates
        infused = bool(rates.any())
        low, high = np.nextafter(start, np.inf), np.nextafter(target, -np.inf)
        function = problem.field

        def field(t: float, y: np.ndarray) -> np.ndarray:
            work.add()
            # neither what holds before nor what holds after this stretch
            value = function(min(max(t, low), high), y, args)
            return value + rates if infused else value

        self.left = self.y
        if not low < high:
            self.t = target
            return
        self._record_at(start)
        inside = np.flatnonzero((self.ts > start) & (self.ts < target))
        conditions = problem.conditions(change, self.events)
        stepping = _Stepping(
            field, start, self.y, target, self.accuracy, problem.longest(change, self.y)
        )
        holds = None if conditions is None else conditions.holds(start, self.y)
        waiting = list(inside)
        # SciPy's dense output of Radau is of order 3: it steps onto the times instead
        onto = self.accuracy.method == "Radau"
        while stepping.t < target:
            bound = self.ts[waiting[0]] if onto and waiting else target
            a, b, dense = stepping.step(float(bound), bool(waiting) or conditions is not None)
            here = b
            if conditions is not None and holds is not None:
                hit = first_change(conditions, dense, a, b, holds)
                if hit is not None:
                    here = hit
            while waiting and self.ts[waiting[0]] <= here:
                i = waiting.pop(0)
                self.ys[i], self.args_at[i] = dense(self.ts[i]), args
            self.largest = np.maximum(self.largest, np.abs(dense(here)))
            if here < b or (
                conditions is not None and (conditions.holds(b, dense(b)) != holds).any()
            ):
                self.t, self.y = stepping.exactly(conditions, holds, here, dense)  # type: ignore[arg-type]
                self.left = self.y
                return
        self.t, self.y = target, stepping.y
        self.left = self.y


class _Stepping:
    """SciPy's solver of one stretch, whose bound may come nearer on the way."""

    def __init__(
        self,
        field: Callable[[float, np.ndarray], np.ndarray],
        t: float,
        y: np.ndarray,
        target: float,
        accuracy: Accuracy,
        longest: float,
    ):
        self._field, self._accuracy = field, accuracy
        self._max_step = min(accuracy.max_step, longest)
        self._solver = self._made(t, y, target)

    def _made(self, t: float, y: np.ndarray, target: float) -> Any:
        accuracy = self._accuracy
        return _METHODS[accuracy.method](
            self._field,
            t,
            y,
            target,
            rtol=max(accuracy.rtol, SMALLEST_RTOL),
            atol=accuracy.atol,
            max_step=self._max_step,
        )

    @property
    def t(self) -> float:
        return float(self._solver.t)

    @property
    def y(self) -> np.ndarray:
        return self._solver.y

    def step(
        self, bound: float, with_dense: bool
    ) -> tuple[float, float, Callable[[float], np.ndarray]]:
        """One step, not beyond `bound`: its ends, and the values between them."""
        solver = self._solver
        solver.t_bound, solver.status = bound, "running"
        self._from = (solver.t, solver.y.copy())
        message = solver.step()
        if solver.status == "failed":
            raise NoReferenceError(f"{message} at t = {solver.t:g}")
        if not np.isfinite(solver.y).all():
            raise NoReferenceError(f"not finite at t = {solver.t:g}")
        a, b, y = float(solver.t_old), float(solver.t), solver.y
        dense = solver.dense_output() if with_dense else lambda t: y
        return a, b, lambda t: y if t == b else dense(t)

    def exactly(
        self,
        conditions: Conditions,
        before: np.ndarray,
        t: float,
        dense: Callable[[float], np.ndarray],
    ) -> tuple[float, np.ndarray]:
        """Time and state at which a condition changes in the last step, which begins anew for it
        where the dense output is not as good as a step.
        """
        if self._accuracy.method != "Radau" or t == self._solver.t:
            return t, dense(t)
        a, y = self._from
        shift = np.zeros_like(y)
        for _ in range(8):
            off = shift
            shift = self._at(a, y, t) - dense(t)
            moved = lambda t, shift=shift: dense(t) + shift
            again = first_change(conditions, moved, a, self.t, before)
            if again is None or abs(again - t) <= 4 * np.spacing(abs(t)):
                break
            t = again
            if np.allclose(off, shift, rtol=1e-12, atol=0):
                break
        state = dense(t) + shift
        for power in range(60):  # to where it has changed at that state too
            if (conditions.holds(t, state) != before).any():
                break
            t = min(t + 2.0**power * np.spacing(abs(t)), self.t)
            state = dense(t) + shift
        return t, state

    def _at(self, a: float, y: np.ndarray, t: float) -> np.ndarray:
        solver = self._made(a, y, t)
        while solver.status == "running":
            solver.step()
        if solver.status == "failed":
            raise NoReferenceError(f"no step to t = {t:g}")
        return solver.y


def _snapped(ts: np.ndarray, times: list[float]) -> np.ndarray:
    """The times to save, those that a rounding parts from a change at its time."""
    result = np.array(ts, float)
    for time_ in times:
        near = np.abs(result - time_) <= 8 * np.spacing(
            max(abs(time_), np.abs(result).max(initial=0))
        )
        result[near] = time_
    return result
