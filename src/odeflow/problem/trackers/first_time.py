"""The first time at which a variable is beyond a threshold."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from odeflow.problem.measures import FirstTime
from odeflow.problem.step_curves import first_above
from odeflow.problem.trackers.tracker import Answer, Time, Value, any_of, time_at


@dataclass(frozen=True)
class FirstTimeTracker:
    """Carries that time, NaN until then."""

    measure: FirstTime
    rows = ("time",)

    def start(self, t: Time, value: Value) -> tuple[Value, ...]:
        """See `Tracker.start`."""
        return (jnp.where(self._beyond(value), jnp.zeros_like(value) + t, jnp.nan),)

    def look(
        self, kept: Sequence[Value], t: Time, h: Time, controls: Sequence[Value]
    ) -> tuple[tuple[Value, ...], Answer]:
        """See `Tracker.look`."""
        del t, h
        is_beyond = any_of(self._beyond(value) for value in controls[1:])
        return tuple(kept), jnp.isnan(kept[0]) & is_beyond

    def search(
        self, kept: Sequence[Value], t: Time, h: Time, values: Sequence[Value]
    ) -> tuple[Value, ...]:
        """See `Tracker.search`."""
        sign, threshold = self.measure.sign, self.measure.threshold
        found, place = first_above([sign * v for v in values], sign * threshold)
        return (jnp.where(found, time_at(t, h, place), kept[0]),)

    def jump(self, kept: Sequence[Value], t: Time, value: Value) -> tuple[Value, ...]:
        """See `Tracker.jump`."""
        is_first = self._beyond(value) & jnp.isnan(kept[0])
        return (jnp.where(is_first, jnp.zeros_like(value) + t, kept[0]),)

    def results(self, kept: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """See `Tracker.results`."""
        return {"time": kept[0]}

    def _beyond(self, value: Value) -> Answer:
        return self.measure.sign * value > self.measure.sign * self.measure.threshold
