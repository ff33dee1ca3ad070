"""How often a variable crosses a threshold, and when."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from odeflow.problem.measures import CountedCrossings, regularity
from odeflow.problem.step_curves import passages
from odeflow.problem.trackers.tracker import Answer, Time, Value, any_of, is_within, nth, time_at


@dataclass(frozen=True)
class CrossingTracker:
    """Carries on which side of the threshold it is, the number, the first times and the last.

    Above is where it is greater than the threshold. A jump across it is a crossing.
    """

    measure: CountedCrossings

    @property
    def rows(self) -> tuple[str, ...]:
        """See `Tracker.rows`."""
        return ("side", "number", "last", *(f"time_{k}" for k in range(self._kept_times)))

    @property
    def _kept_times(self) -> int:
        return max(self.measure.times, 1)

    def start(self, t: Time, value: Value) -> tuple[Value, ...]:
        """See `Tracker.start`."""
        del t
        nothing = jnp.full_like(value, jnp.nan)
        side = self._side(value)
        return (side, jnp.zeros_like(value), nothing, *[nothing] * self._kept_times)

    def look(
        self, kept: Sequence[Value], t: Time, h: Time, controls: Sequence[Value]
    ) -> tuple[tuple[Value, ...], Answer]:
        """See `Tracker.look`."""
        was = self._above(controls[0])
        crosses = any_of(self._above(value) != was for value in controls[1:])
        within = (t + h >= self.measure.start) & (t <= self.measure.end)
        return (self._side(controls[-1]), *kept[1:]), crosses & within

    def search(
        self, kept: Sequence[Value], t: Time, h: Time, values: Sequence[Value]
    ) -> tuple[Value, ...]:
        """See `Tracker.search`."""
        wanted = self.measure
        for is_there, place in passages(values, wanted.threshold, wanted.direction):
            kept = self._counted(kept, is_there, time_at(t, h, place))
        return tuple(kept)

    def jump(self, kept: Sequence[Value], t: Time, value: Value) -> tuple[Value, ...]:
        """See `Tracker.jump`."""
        was, now = kept[0] > 0, self._above(value)
        crosses = {1: ~was & now, -1: was & ~now, 0: was != now}[self.measure.direction]
        return self._counted((self._side(value), *kept[1:]), crosses, jnp.zeros_like(value) + t)

    def results(self, kept: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """See `Tracker.results`."""
        _, number, last, *times = kept
        found = {"number": number, "first": times[0], "last": last}
        found |= regularity(number, times[0], last)
        return found | {f"time_{k + 1}": time for k, time in enumerate(times)}

    def _counted(self, kept: Sequence[Value], crosses: Answer, time: Value) -> tuple[Value, ...]:
        side, number, last, *times = kept
        counts = crosses & is_within(time, self.measure.start, self.measure.end)
        times, last = nth(times, number, counts, time), jnp.where(counts, time, last)
        return (side, jnp.where(counts, number + 1, number), last, *times)

    def _side(self, value: Value) -> Value:
        return jnp.where(self._above(value), jnp.ones_like(value), 0.0)

    def _above(self, value: Value) -> Answer:
        return value > self.measure.threshold
