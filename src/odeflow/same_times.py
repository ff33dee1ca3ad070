"""Times that differ by no more than rounding are one time.

`0.14 + 2 * 0.5` is not `1.14`: a dose at the one and a value saved at the other, or a dose at the
end of a trajectory, would miss each other by the last bit.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

Times = Float[np.ndarray, "*times"]

#: Times are one where they differ by less than so many times the rounding of the larger.
_ROUNDINGS = 8


def resolution(times: Times, t0: float, dtype: Any) -> Times:
    """How far times may lie from these, which t0 is not after, to be the same in a precision."""
    rounding = float(np.finfo(dtype).eps)
    return _ROUNDINGS * rounding * np.maximum(np.abs(times), abs(t0))


def moved_to(
    times: Times, anchors: Float[np.ndarray, " anchor"], t0: float, dtype: Any
) -> Float[np.ndarray, "*times"]:
    """The times; where one of the increasing anchors is the same, that anchor."""
    if not len(anchors):
        return times
    above = np.searchsorted(anchors, times).clip(1, max(len(anchors) - 1, 1))
    low, high = anchors[above - 1], anchors[np.minimum(above, len(anchors) - 1)]
    with np.errstate(invalid="ignore"):
        nearest = np.where(times - low <= high - times, low, high)
        return np.where(np.abs(times - nearest) <= resolution(nearest, t0, dtype), nearest, times)


def first_of_same(
    ordered: Float[np.ndarray, "number lane"], t0: float, dtype: Any
) -> Float[np.ndarray, "number lane"]:
    """Of each lane's increasing times the first that is the same time, which may be infinite.

    A time is compared with the first of those before it and not with its neighbour, so that many
    times that are close together do not all become one.
    """
    with np.errstate(invalid="ignore"):
        apart = np.diff(ordered, axis=0)
        rounded = (apart > 0) & (apart <= resolution(ordered[:-1], t0, dtype))
    if not rounded.any():
        return ordered
    result = ordered.copy()
    with np.errstate(invalid="ignore"):
        for before, time in zip(result, result[1:]):
            is_same = time - before <= resolution(before, t0, dtype)
            time[...] = np.where(is_same, before, time)
    return result
