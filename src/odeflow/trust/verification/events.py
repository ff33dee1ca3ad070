"""SBML's events of one trajectory: a list of what has fired and waits, in plain Python.

Reference: SBML Level 3 Version 2 Core, section 4.11.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from odeflow.trust.verification.event_functions import EventFunctions

#: Events at one time after which they set each other off without end.
_MOST_AT_ONCE = 10_000


class EventsFailedError(Exception):
    """Events that have no meaning: without end, a negative delay, an order left to chance."""


class _Pending:
    def __init__(self, event: int, due: float, values: Any):
        self.event, self.due, self.values = event, due, values


class Events:
    """The events of a trajectory: which triggers count as true, and what waits."""

    def __init__(self, events: Sequence[EventFunctions]):
        self._events = events
        self._counted = [event.initially_true for event in events]
        self._pending: list[_Pending] = []

    @property
    def next_due(self) -> float:
        """When the next of those that wait is due; infinite where none does."""
        return min((one.due for one in self._pending), default=np.inf)

    def holds(self, t: float, y: np.ndarray, args: np.ndarray) -> np.ndarray:
        """Which triggers hold."""
        return np.array([event.trigger(t, y, args) for event in self._events], bool)

    def fire(self, t: float, y: Float[np.ndarray, " component"], args: np.ndarray) -> None:
        """Notes the triggers that have become true, and forgets those that wait in vain."""
        for number, (event, now) in enumerate(zip(self._events, self.holds(t, y, args))):
            if not event.persistent and not now:
                self._pending = [one for one in self._pending if one.event != number]
            if now and not self._counted[number]:
                delay = 0.0 if event.delay is None else float(event.delay(t, y, args))
                if not delay >= 0:
                    raise EventsFailedError(f"the delay of event {event.name} is {delay:g}")
                values = event.values(t, y, args) if event.uses_trigger_values else None
                self._pending.append(_Pending(number, t + delay, values))
            self._counted[number] = bool(now)

    def happen(
        self, t: float, y: Float[np.ndarray, " component"], args: np.ndarray
    ) -> Float[np.ndarray, " component"] | None:
        """The state after the first of the events that are due; None where none is."""
        due = [one for one in self._pending if one.due <= t]
        if not due:
            return None
        ranked = [(self._priority(one, t, y, args), one) for one in due]
        known = [(p, one) for p, one in ranked if p is not None]
        if known:
            best = max(p for p, _ in known)
            equals = _first_of_each([one for p, one in known if p == best])
            self._refuse_chance(equals, t, y, args)
            chosen = equals[0]
        else:
            chosen = min(due, key=lambda one: one.event)
        chosen = min((x for x in due if x.event == chosen.event), key=lambda one: one.due)
        self._pending.remove(chosen)
        return self._changed(chosen, t, y, args)

    def at_once(
        self, t: float, y: np.ndarray, args: np.ndarray, stops: Any, restored: Any
    ) -> tuple[np.ndarray, bool, bool]:
        """All that happens at one time: the state after it, whether something did, whether a stop.

        `stops(t, y)` says whether a stop of the config has fired; it is called after each event,
        with the state that `restored(t, y)` makes of what that has assigned.
        """
        happened = False
        for _ in range(_MOST_AT_ONCE):
            if stops(t, y):
                return y, happened, True
            self.fire(t, y, args)
            after = self.happen(t, y, args)
            if after is None:
                return y, happened, False
            y, happened = restored(t, after), True
        raise EventsFailedError(f"events at t = {t:g} set each other off without end")

    def _priority(self, one: _Pending, t: float, y: np.ndarray, args: np.ndarray) -> float | None:
        function = self._events[one.event].priority
        if function is None:
            return None
        value = float(function(t, y, args))
        return -np.inf if np.isnan(value) else value

    def _changed(self, one: _Pending, t: float, y: np.ndarray, args: np.ndarray) -> np.ndarray:
        event = self._events[one.event]
        values = event.values(t, y, args) if one.values is None else one.values
        return event.placed(t, y, args, values)

    def _is_forgotten(self, one: _Pending, t: float, y: np.ndarray, args: np.ndarray) -> bool:
        """Whether one that waits is not to happen once the state is this."""
        event = self._events[one.event]
        return not event.persistent and not event.trigger(t, y, args)

    def _refuse_chance(self, equals: list[_Pending], t: float, y: np.ndarray, args: Any) -> None:
        """Raises where the order of events of equal priority, which is drawn, matters."""
        if len(equals) < 2:
            return
        first, second = equals[:2]
        after, instead = (self._changed(x, t, y, args) for x in (first, second))
        one, other = self._changed(second, t, after, args), self._changed(first, t, instead, args)
        forgotten = self._is_forgotten(second, t, after, args)
        forgotten |= self._is_forgotten(first, t, instead, args)
        if forgotten or not np.array_equal(one, other, equal_nan=True):
            names = " and ".join(self._events[x.event].name for x in equals[:2])
            raise EventsFailedError(f"the order of events {names} at t = {t:g} is drawn")


def _first_of_each(pending: list[_Pending]) -> list[_Pending]:
    return list({one.event: one for one in reversed(pending)}.values())[::-1]
