"""The problem of one trajectory for SciPy: initial state, changes, stops, events, switches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from odeflow.trust.verification.algebraic import StateSpace
from odeflow.trust.verification.crossings import Conditions
from odeflow.trust.verification.event_functions import EventFunctions
from odeflow.trust.verification.events import Events
from odeflow.trust.verification.past import Past
from odeflow.trust.verification.schedule import Change
from odeflow.trust.verification.switching import Activity, NotesAt, activity, switching_times


@dataclass(frozen=True, eq=False)
class StopCondition:
    """A condition in the config that ends a trajectory where `margin` becomes positive.

    `margin` is a function of (t, y, args). Where it is positive at t0, it has to be negative once
    before.
    """

    margin: Callable[[float, np.ndarray, np.ndarray], float]


#: (t, y, args) -> margins and wholes, or None.
NotesOf = Callable[[float, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray] | None]


@dataclass(eq=False)
class PointProblem:
    """Functions of flat arrays and the numbers of one trajectory.

    `notes` is what the field compares, `still` which components only events change. `follows_time`
    is whether a field that changes fast with time, whatever makes it so, is followed in steps that
    see it. `ends_at` is where a trajectory ends for another reason than its stops. At `given_times`
    inputs of the model have kinks and jumps. `space` is what is integrated where the field has a
    mass matrix, `followed` the variables that metrics need between the saved times. `past` makes of
    an initial state what keeps the trajectory for its delays.
    """

    field: Callable[[float, np.ndarray, np.ndarray], np.ndarray]
    notes: NotesOf
    y0: Float[np.ndarray, " component"]
    t0: float
    t1: float
    changes: list[Change]
    stops: Sequence[StopCondition] = ()
    events: Sequence[EventFunctions] = ()
    still: Bool[np.ndarray, " component"] | None = None
    follows_time: bool = True
    ends_at: float | None = None
    given_times: Float[np.ndarray, " time"] = dataclasses.field(default_factory=lambda: np.empty(0))
    space: StateSpace | None = None
    followed: Callable[[float, np.ndarray, np.ndarray], np.ndarray] | None = None
    past: Callable[[np.ndarray], Past] = lambda y0: Past((), (), np.empty(0), y0)
    _seen: bool = False
    _active: dict[bytes, Activity] = dataclasses.field(default_factory=dict)
    _known: dict[bytes, tuple[np.ndarray, float]] = dataclasses.field(default_factory=dict)

    def stops_hold(self, t: float, y: np.ndarray, args: np.ndarray) -> np.ndarray:
        """Which stops hold."""
        return np.array([stop.margin(t, y, args) > 0 for stop in self.stops], bool)

    @property
    def is_followed(self) -> bool:
        """Whether something was seen that changes fast with time, besides its exact switches."""
        return self.follows_time and self._seen

    def rates(self, t: float) -> Float[np.ndarray, " component"]:
        """The rates of infusions at a time."""
        return [change for change in self.changes if change.time <= t][-1].rates

    def conditions(self, change: Change, events: Events) -> Conditions | None:
        """What is watched while a change holds; None where there is nothing."""
        if not self.stops and not self.events:
            return None
        args = change.args

        def holds(t: float, y: np.ndarray) -> np.ndarray:
            return np.concatenate([self.stops_hold(t, y, args), events.holds(t, y, args)]).astype(
                bool
            )

        def margins(t: float, y: np.ndarray) -> np.ndarray:
            parts = [np.array([stop.margin(t, y, args) for stop in self.stops], float)]
            for event in self.events:
                own, wholes = event.notes(t, y, args)
                parts += [own, np.sin(np.pi * wholes)]
            return np.concatenate(parts)

        return Conditions(holds, margins)

    def longest(self, change: Change, y: np.ndarray) -> float:
        """The longest step that sees what time does to the field."""
        return self._by_time(change, y)[1]

    def switches(self, change: Change, y: np.ndarray) -> Float[np.ndarray, " time"]:
        """Times at which field or triggers switch while the parameters of a change hold."""
        return self._by_time(change, y)[0]

    def _by_time(self, change: Change, y: np.ndarray) -> tuple[np.ndarray, float]:
        args = change.args
        # what only events change is as good as a parameter
        still = np.zeros(len(y), bool) if self.still is None else self.still
        key = args.tobytes() + np.where(still, y, 0.0).tobytes()
        if key not in self._known:
            self._known[key] = self._looked_for(args, y, still)
        return self._known[key]

    def _looked_for(
        self, args: np.ndarray, y: np.ndarray, still: np.ndarray
    ) -> tuple[np.ndarray, float]:
        random = np.random.default_rng(0)
        moved = y * (1 + 0.1 * random.random(len(y))) + 1e-3 * random.random(len(y))
        states = np.array([y, np.where(still, y, moved)])
        inside = (self.given_times > self.t0) & (self.given_times < self.t1)
        given = self.given_times[inside]
        found = [given]
        functions: list[NotesOf] = [self.notes, *(event.notes for event in self.events)]
        for function in functions:
            if function(self.t0, y, args) is None:
                continue
            notes: NotesAt = lambda t, y, f=function: f(t, y, args)  # type: ignore[assignment,misc]
            found.append(switching_times(notes, self.t0, self.t1, states, given))
        exact = np.unique(np.concatenate(found))
        by_args = args.tobytes()
        if by_args not in self._active:  # once, since it takes thousands of evaluations
            self._active[by_args] = Activity(np.empty(0), np.inf)
            if self.follows_time:
                field = lambda t, y: self.field(t, y, args)
                self._active[by_args] = activity(field, self.t0, self.t1, states, exact)
        seen = self._active[by_args]
        self._seen |= bool(len(seen.stops)) or seen.max_step < np.inf
        return np.unique(np.concatenate([exact, seen.stops])), seen.max_step
