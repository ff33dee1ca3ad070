"""Times that differ by no more than rounding are one time.

`0.14 + 2 * 0.5` is not `1.14`: a dose at the one and a value saved at the other, or a dose at the
end of a trajectory, would miss each other by the last bit.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

#: One time or many: NumPy gives a number for the arithmetic of arrays without axes.
Times = Float[np.ndarray, "*times"] | float

#: Times are one where they differ by no more than this many times the rounding of the larger.
_ROUNDINGS = 8


@dataclass(frozen=True, eq=False)
class Clock:
    """The span of trajectories, and which times in it are the same in the precision `dtype`.

    `saved` are the times to save, increasing; none where only the end is saved.
    """

    t0: float
    t1: float
    dtype: np.dtype
    saved: Float[np.ndarray, " time"] = field(default_factory=lambda: np.empty(0))

    def resolution(self, times: Times) -> Times:
        """How far times may lie from these to be the same."""
        # near a t0 of zero the next time that is looked at says what is close
        later = self.saved[self.saved > self.t0]
        following = later[0] if len(later) else self.t1
        scale = max(abs(self.t0), abs(float(following)))
        return _ROUNDINGS * float(np.finfo(self.dtype).eps) * np.maximum(np.abs(times), scale)

    def is_before_start(self, times: Times) -> Bool[np.ndarray, "*times"]:
        """Whether times are before t0, and not it."""
        return np.asarray(times < self.t0 - self.resolution(self.t0))

    def moved(self, times: Times, t1: Float[np.ndarray, " *lane"]) -> Times:
        """The times; t0, a saved time or the end t1 instead, where it is the same."""
        times = self.moved_to_saved(times)
        with np.errstate(invalid="ignore"):
            times = np.where(np.abs(times - t1) <= self.resolution(t1), t1, times)
        return np.where(times <= self.t0 + self.resolution(self.t0), self.t0, times)

    def moved_to_saved(self, times: Times) -> Times:
        """The times; a saved time instead, where it is the same."""
        if not len(self.saved):
            return times
        above = np.searchsorted(self.saved, times).clip(1, max(len(self.saved) - 1, 1))
        low, high = self.saved[above - 1], self.saved[np.minimum(above, len(self.saved) - 1)]
        with np.errstate(invalid="ignore"):
            nearest = np.where(times - low <= high - times, low, high)
            return np.where(np.abs(times - nearest) <= self.resolution(nearest), nearest, times)

    def first_of_same(
        self, ordered: Float[np.ndarray, "number lane"]
    ) -> Float[np.ndarray, "number lane"]:
        """Of each lane's increasing times, infinite ones included, the first that is the same.

        A time is compared with the first of those before it and not with its neighbour, so that
        many times that are close together do not all become one.
        """
        result = ordered.copy()
        with np.errstate(invalid="ignore"):  # of infinities
            for before, time in zip(result, result[1:]):
                is_same = time - before <= self.resolution(before)
                time[...] = np.where(is_same, before, time)
        return result
