"""For how long a variable is beyond a threshold."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from odeflow.problem.measures import TimeBeyond
from odeflow.problem.step_curves import passages
from odeflow.problem.trackers.tracker import (
    Answer,
    Time,
    Unmoved,
    Value,
    any_of,
    overlap,
    time_at,
)


@dataclass(frozen=True)
class BeyondTracker(Unmoved):
    """Carries the time so far."""

    measure: TimeBeyond
    rows = ("duration",)

    def start(self, t: Time, value: Value) -> tuple[Value, ...]:
        """See `Tracker.start`."""
        del t
        return (jnp.zeros_like(value),)

    def look(
        self, kept: Sequence[Value], t: Time, h: Time, controls: Sequence[Value]
    ) -> tuple[tuple[Value, ...], Answer]:
        """See `Tracker.look`."""
        was = self._beyond(controls[0])
        low, high = overlap(t, t + h, self.measure.start, self.measure.end)
        crosses = any_of(self._beyond(value) != was for value in controls[1:]) & (high > low)
        return (kept[0] + jnp.where(was & ~crosses, high - low, 0.0),), crosses

    def search(
        self, kept: Sequence[Value], t: Time, h: Time, values: Sequence[Value]
    ) -> tuple[Value, ...]:
        """See `Tracker.search`."""
        sign, threshold = self.measure.sign, self.measure.threshold
        total, beyond = kept[0], self._beyond(values[0])
        since = jnp.zeros_like(values[0]) + t
        for is_there, place in passages([sign * v for v in values], sign * threshold, 0):
            time = time_at(t, h, place)
            total = total + jnp.where(is_there & beyond, self._within(since, time), 0.0)
            since = jnp.where(is_there, time, since)
            beyond = beyond != is_there
        return (total + jnp.where(beyond, self._within(since, t + h), 0.0),)

    def results(self, kept: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """See `Tracker.results`."""
        return {"duration": kept[0]}

    def _within(self, a: Time, b: Time) -> Time:
        low, high = overlap(a, b, self.measure.start, self.measure.end)
        return high - low

    def _beyond(self, value: Value) -> Answer:
        return self.measure.sign * value > self.measure.sign * self.measure.threshold
