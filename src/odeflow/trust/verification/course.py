"""One trajectory by SciPy: stepped, stopped where something happens, and started again.

What happens are the changes of `schedule`, times at which the field switches (`switching`), stops
of the config, and events (`events`). Where conditions change is found on SciPy's dense output.

Reference: E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
sections II.5 and II.6; E. Hairer and G. Wanner (1996), II, section IV.8. Springer.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from odeflow.trust.verification.algebraic import FieldAt, Integrated
from odeflow.trust.verification.course_line import Piece
from odeflow.trust.verification.crossings import first_change
from odeflow.trust.verification.events import Events, EventsFailedError
from odeflow.trust.verification.followed import FoundAgain
from odeflow.trust.verification.problem import PointProblem
from odeflow.trust.verification.schedule import Change
from odeflow.trust.verification.stepping import Accuracy, NoReferenceError, Stepping, Work
from odeflow.trust.verification.switching import SwitchesNotFollowedError

#: Saved times this near to an event or stop, as a part of the span, may be of either side of it.
_BESIDE = 1e-6
#: Restarts of a trajectory after which events pile up.
_MOST_RESTARTS = 100_000


@dataclass
class Course:
    """Values of a trajectory at the times asked for, NaN after its end; where it was near an event
    or stop then, `beside` has those of the other side of it.

    `near_end` says whether a stop was that near, `args` are the parameters at each time, `largest`
    the largest |y| of each component on the way, `end`, `at_end` and `end_args` where a stop ended
    it, else t1, and what holds there. `pieces` are its steps, where the problem has variables that
    are `followed`, and its end, as one of no length; `metrics` what is made of them, once it is.
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
    pieces: list[Piece]
    metrics: Mapping[str, FoundAgain] | None = None


def course(
    problem: PointProblem, ts: Float[np.ndarray, " time"], accuracy: Accuracy, work: Work
) -> Course:
    """The trajectory of a problem at `ts`, increasing, within its span.

    Raises NoReferenceError where SciPy does not get to the end, and OutOfTimeError.
    """
    before = work.count
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what LSODA says before it gives up
            found = _Walk(problem, ts, accuracy, work).done()
    except (NoReferenceError, EventsFailedError, SwitchesNotFollowedError, ValueError,
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
        if problem.space is not None:
            args = problem.changes[0].args
            self.y = problem.space.started(self._field(args), self.t, self.y)
        self.largest = np.abs(self.y)
        self.left, self.stopped = self.y, False
        self.counted: np.ndarray = np.zeros(0, bool)
        self.change: Change = problem.changes[0]
        self.slack = _BESIDE * (problem.t1 - problem.t0)
        self.pieces: list[Piece] = []
        self.past = problem.past(problem.y0)

    def done(self) -> Course:
        """Walks to the end."""
        problem = self.problem
        coming = list(problem.changes)
        self.counted = problem.stops_hold(self.t, self.y, coming[0].args)
        self._apply(coming.pop(0))
        self._instant()
        self.past.restarted(self.t)
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
            self._stretch(min(target, self.past.next()))
            at = self.t
            self.past.passed(at)
            if at == next_change:
                self._apply(coming.pop(0))
            changed = self._instant()
            self.stopped |= at >= rest
            if at == next_switch and not self.stopped:
                # what holds only after that time
                self.y = self._restored(float(np.nextafter(at, np.inf)), self.y)
                self._record_at(at)
                self.t = float(np.nextafter(at, np.inf))
                changed |= self._instant()
            if changed or at == next_change:
                switches = problem.switches(self.change, self.y)
                self.past.restarted(self.t)
                if changed:
                    self._note_beside(at)
        else:
            raise EventsFailedError(f"events pile up at t = {self.t:g}")
        if not np.isfinite(self.y).all():
            raise NoReferenceError(f"not finite at t = {self.t:g}")
        self._record_at(self.t)
        end = min(self.t, problem.t1)
        self._follow(end, end, lambda t: self.y, self.change.args)
        return Course(
            self.ys, self.beside, self.args_at, self.near_end, self.largest,
            end, self.y, self._args(end), self.stopped, 0,
            self.accuracy.method, self.pieces,
        )  # fmt: skip

    def _apply(self, change: Change) -> None:
        self.change = change
        kept = self.y if change.kept else np.zeros_like(self.y)
        self.y = self._restored(self.t, kept + change.added)
        self.largest = np.maximum(self.largest, np.abs(self.y))

    def _instant(self) -> bool:
        """Stops and events at this time; whether the state has changed or ended."""
        problem, args = self.problem, self._args(self.t)

        def stops(t: float, y: np.ndarray) -> bool:
            now = problem.stops_hold(t, y, args)
            fired = bool((now & ~self.counted).any())
            self.counted = now
            return fired

        y, happened, self.stopped = self.events.at_once(self.t, self.y, args, stops, self._restored)
        self.y = y
        self.largest = np.maximum(self.largest, np.abs(y))
        return happened or self.stopped

    def _args(self, t: float) -> np.ndarray:
        """The parameters at a time."""
        return self.past.args(t, self.change.args)

    def _field(self, args: np.ndarray) -> FieldAt:
        return lambda t, y: self.problem.field(t, y, args)

    def _restored(self, t: float, y: np.ndarray) -> np.ndarray:
        """The state that obeys the algebraic equations, if there are any."""
        space = self.problem.space
        return y if space is None else space.restored(self._field(self.change.args), t, y)

    def _record_at(self, t: float) -> None:
        for i in np.flatnonzero(self.ts == t):
            self.ys[i], self.args_at[i] = self.y, self._args(t)

    def _follow(
        self, a: float, b: float, dense: Callable[[float], np.ndarray], args: np.ndarray
    ) -> None:
        followed = self.problem.followed
        if followed is not None:
            inside = (a, b) if a < b else (-np.inf, np.inf)
            args_at = lambda t: self.past.args(t, args, inside)
            self.pieces.append(Piece(a, b, lambda t: followed(t, dense(t), args_at(t))))

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

        def within(t: float, y: np.ndarray) -> np.ndarray:
            # neither what holds before nor what holds after this stretch
            return function(min(max(t, low), high), y, self.past.args(t, args, (start, target)))

        def moving(t: float, y: np.ndarray) -> np.ndarray:
            return within(t, y) + rates if infused else within(t, y)

        if problem.space is None:
            known = Integrated(moving, self.y, lambda t, y: y, self.accuracy.atol)
        else:
            known = problem.space.integrated(within, start, self.y, rates)

        def field(t: float, y: np.ndarray) -> np.ndarray:
            work.add()
            return known.field(t, y)

        self.y = self.left = known.lift(start, known.start)
        if not low < high:
            self.t = target
            return
        self._record_at(start)
        inside = np.flatnonzero((self.ts > start) & (self.ts < target))
        conditions = problem.conditions(change, self.events)
        stepping = Stepping(
            field, start, known.start, target, self.accuracy._replace(atol=known.atol),
            min(problem.longest(change, self.y), self.past.shortest), known.lift,
        )  # fmt: skip
        holds = None if conditions is None else conditions.holds(start, self.y)
        waiting = list(inside)
        # SciPy's dense output of Radau is of order 3: it steps onto the times instead
        onto = self.accuracy.method == "Radau"
        while stepping.t < target:
            bound = self.ts[waiting[0]] if onto and waiting else target
            looks_inside = conditions is not None or problem.followed is not None
            looks_inside |= bool(self.past)
            a, b, dense = stepping.step(float(bound), bool(waiting) or looks_inside)
            if self.past:
                self.past.add(a, dense)
            here = b
            if conditions is not None and holds is not None:
                hit = first_change(conditions, dense, a, b, holds)
                if hit is not None:
                    here = hit
            while waiting and self.ts[waiting[0]] <= here:
                i = waiting.pop(0)
                self.ys[i], self.args_at[i] = dense(self.ts[i]), self._args(self.ts[i])
            self.largest = np.maximum(self.largest, np.abs(dense(here)))
            self._follow(a, here, dense, args)
            if here < b or (
                conditions is not None and (conditions.holds(b, dense(b)) != holds).any()
            ):
                self.t, self.y = stepping.exactly(conditions, holds, here, dense)  # type: ignore[arg-type]
                self.left = self.y
                return
        self.t, self.y = target, stepping.y
        self.left = self.y


def _snapped(ts: np.ndarray, times: list[float]) -> np.ndarray:
    """The times to save, those that a rounding parts from a change at its time.

    Near the first change, which is t0, it is the next time to save whose rounding counts: the last
    one may be larger by more than the digits of a number.
    """
    result = np.array(ts, float)
    later = result[result > times[0]]
    least = max(abs(times[0]), later.min(initial=np.inf) if len(later) else 0.0)
    for time_ in times:
        result[np.abs(result - time_) <= 8 * np.spacing(max(abs(time_), least))] = time_
    return result
