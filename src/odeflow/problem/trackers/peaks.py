"""How many peaks a variable has, when, and how high they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import jax.numpy as jnp
import numpy as np

from odeflow.problem.measures import CountedPeaks, regularity
from odeflow.problem.step_curves import turns
from odeflow.problem.trackers.tracker import Answer, Time, Value, any_of, is_within, nth, time_at

#: Coefficients that turn by so many roundings do not.
_ROUNDINGS = 8


@dataclass(frozen=True)
class PeakTracker:
    """Carries the highest value since a variable has risen, or the lowest since it has fallen, by
    more than the prominence; then the number, the last, and the first of them.
    """

    measure: CountedPeaks

    @property
    def rows(self) -> tuple[str, ...]:
        """See `Tracker.rows`."""
        of_each = [f"{word}_{k}" for word in ("time", "height") for k in range(self._kept_peaks)]
        return ("rises", "extreme", "extreme_time", "number", "last", *of_each)

    @property
    def _kept_peaks(self) -> int:
        return max(self.measure.times, 1)

    def start(self, t: Time, value: Value) -> tuple[Value, ...]:
        """See `Tracker.start`."""
        zero, nothing = jnp.zeros_like(value), jnp.full_like(value, jnp.nan)
        return (zero, value, zero + t, zero, nothing, *[nothing] * 2 * self._kept_peaks)

    def look(
        self, kept: Sequence[Value], t: Time, h: Time, controls: Sequence[Value]
    ) -> tuple[tuple[Value, ...], Answer]:
        """See `Tracker.look`."""
        rising = controls[-1] > controls[0]
        slack = _ROUNDINGS * jnp.finfo(controls[0].dtype).eps * jnp.abs(controls[0])
        back = lambda a, b: jnp.where(rising, a - b, b - a) > slack
        turning = any_of(back(a, b) for a, b in pairwise(controls))
        at_end = self._seen(kept, controls[-1], jnp.zeros_like(controls[-1]) + (t + h))
        return tuple(jnp.where(turning, old, new) for old, new in zip(kept, at_end)), turning

    def search(
        self, kept: Sequence[Value], t: Time, h: Time, values: Sequence[Value]
    ) -> tuple[Value, ...]:
        """See `Tracker.search`."""
        for place, value in turns(values)[1:]:
            kept = self._seen(kept, value, time_at(t, h, place))
        return tuple(kept)

    def jump(self, kept: Sequence[Value], t: Time, value: Value) -> tuple[Value, ...]:
        """See `Tracker.jump`."""
        return self._seen(kept, value, jnp.zeros_like(value) + t)

    def results(self, kept: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """See `Tracker.results`."""
        _, _, _, number, last, *rest = kept
        times, heights = rest[: self._kept_peaks], rest[self._kept_peaks :]
        found = {"number": number, **regularity(number, times[0], last)}
        found |= {f"time_{k + 1}": time for k, time in enumerate(times)}
        return found | {f"height_{k + 1}": height for k, height in enumerate(heights)}

    def _seen(self, kept: Sequence[Value], value: Value, time: Value) -> tuple[Value, ...]:
        """After one more extreme, or a place on the way to it."""
        rises, extreme, extreme_time, number, last, *rest = kept
        times, heights = rest[: self._kept_peaks], rest[self._kept_peaks :]
        wanted, is_rising = self.measure, rises > 0
        assert wanted.prominence is not None  # as whoever asks has resolved it
        needed = wanted.prominence + wanted.relative * jnp.abs(extreme)
        further = jnp.where(is_rising, value > extreme, value < extreme)
        back = jnp.where(is_rising, extreme - value, value - extreme) > needed
        counts = back & is_rising & is_within(extreme_time, wanted.start, wanted.end)
        times = nth(times, number, counts, extreme_time)
        heights = nth(heights, number, counts, extreme)
        moves = further | back
        return (
            jnp.where(back, 1.0 - rises, rises),
            jnp.where(moves, value, extreme),
            jnp.where(moves, time, extreme_time),
            jnp.where(counts, number + 1, number),
            jnp.where(counts, extreme_time, last),
            *times,
            *heights,
        )
