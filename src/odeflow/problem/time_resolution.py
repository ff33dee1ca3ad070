"""What a precision can tell apart of times."""

from functools import lru_cache

import numpy as np

from odeflow.files.errors import ConfigError
from odeflow.problem.time_text import shown_time

#: Units in the last place that a time span needs.
_LEAST_SPAN = 1000


@lru_cache(maxsize=256)
def check_span(key: str, t0: float, t1: float, dtype: np.dtype) -> None:
    """Raises ConfigError, which names the key, where steps from t0 to t1 cannot be told apart."""
    largest = max(abs(t0), abs(t1))
    if t1 - t0 < _LEAST_SPAN * resolution(largest, dtype):
        raise ConfigError(
            f"{key}: from {shown_time(t0, t1)} to {shown_time(t1, t0)} there is no room for steps: "
            f"{too_close(largest, dtype)}"
        )


def resolution(time: float, dtype: np.dtype) -> float:
    """The distance of a time to the next that there is."""
    return float(np.spacing(dtype.type(abs(time))))


def too_close(time: float, dtype: np.dtype) -> str:
    """Why, and what to do: of the sizes of times, near to which they are too close."""
    better = "runtime.precision=float64, or " if dtype == np.float32 else ""
    return (
        f"{dtype} tells times near {shown_time(time)} apart by {resolution(time, dtype):.3g}; take "
        f"{better}a time that begins at 0"
    )
