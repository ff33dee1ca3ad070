"""The value of a variable at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from odeflow.problem.measures import ValueAt
from odeflow.problem.step_curves import curve_through
from odeflow.problem.trackers.tracker import Answer, Time, Value

#: Times that are so many roundings apart are the same.
_ROUNDINGS = 256


@dataclass(frozen=True)
class ValueTracker:
    """Carries it, NaN until then; at the time of a jump it is the value after it."""

    measure: ValueAt
    rows = ("value",)

    def start(self, t: Time, value: Value) -> tuple[Value, ...]:
        """See `Tracker.start`."""
        return (jnp.where(self._is_now(t, value), value, jnp.nan),)

    def look(
        self, kept: Sequence[Value], t: Time, h: Time, controls: Sequence[Value]
    ) -> tuple[tuple[Value, ...], Answer]:
        """See `Tracker.look`."""
        time, end = self.measure.time, t + h
        is_inside = (t < time) & ((end >= time) | self._is_now(end, controls[0]))
        return tuple(kept), is_inside & jnp.ones_like(controls[0], bool)

    def search(
        self, kept: Sequence[Value], t: Time, h: Time, values: Sequence[Value]
    ) -> tuple[Value, ...]:
        """See `Tracker.search`."""
        del kept
        place = jnp.minimum(2 * (self.measure.time - t) / h - 1, 1.0)
        value = curve_through(values).at(jnp.zeros_like(values[0]) + place)
        return (jnp.where(place < 1, value, values[-1]),)

    def jump(self, kept: Sequence[Value], t: Time, value: Value) -> tuple[Value, ...]:
        """See `Tracker.jump`."""
        return (jnp.where(self._is_now(t, value), value, kept[0]),)

    def results(self, kept: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """See `Tracker.results`."""
        return {"value": kept[0]}

    def _is_now(self, t: Time, value: Value) -> Answer:
        slack = _ROUNDINGS * float(jnp.finfo(value.dtype).eps) * abs(self.measure.time)
        return jnp.abs(t - self.measure.time) <= slack
