"""Values listed by a law: the levels of a grid's or zip's axis, the times to save."""

import math

import numpy as np

from odeflow.config.axis import Levels
from odeflow.files.errors import ConfigError

#: Values that one law may list: 0.8 GB.
MOST_LEVELS = 10**8


def count(levels: Levels, key: str = "levels") -> int:
    """How many values a law lists, without making them.

    Arguments:
        levels: one of the laws `values`, `linspace`, `geomspace`, `logspace` and `arange`.
        key: what messages call it.

    Returns:
        The number of values.

    Raises:
        ConfigError: they are more than `MOST_LEVELS`; it starts with `key`.
    """
    given = getattr(levels, levels.law)
    if levels.law in ("values", "names"):
        number = len(given)
    else:
        number = _arange_count(*given) if levels.law == "arange" else given[2]
    if number > MOST_LEVELS:
        raise ConfigError(
            f"{key}: {levels.law} lists {number:,} values; at most {MOST_LEVELS:,}, ask for fewer"
        )
    return int(number)


def expand(levels: Levels, key: str = "levels") -> np.ndarray:
    """The values of a law, in order.

    The laws are NumPy's. `linspace` [start, stop, n] has both ends, as have `geomspace` and
    `logspace`, whose ends are given as decimal logarithms; with n = 1 each is its start alone.
    `arange` [start, stop, step] is start + i * step without stop: unlike `numpy.arange`, a last
    value that is stop but for rounding is left out too, so that [1, 1.3, 0.1] has 3 values.

    Arguments:
        levels: one of the laws `values`, `linspace`, `geomspace`, `logspace` and `arange`.
        key: what messages call it.

    Returns:
        Float64 (level,), in the units of what the law is for.

    Raises:
        ConfigError: a value that float64 cannot hold, or more than `MOST_LEVELS` values; it starts
            with `key`.

    Example:
        >>> from odeflow.config.axis import Axis
        >>> from odeflow.design import expand
        >>> expand(Axis(geomspace=(1, 100, 3))).tolist()
        [1.0, 10.0, 100.0]
    """
    number = count(levels, key)
    given = getattr(levels, levels.law)
    with np.errstate(all="ignore"):
        match levels.law:
            case "values":
                values = np.array(given, float)
            case "names":
                return np.arange(number, dtype=np.int16)
            case "arange":
                values = given[0] + given[2] * np.arange(number)
            case law:
                values = getattr(np, law)(given[0], given[1], number)
    if not np.isfinite(values).all():
        raise ConfigError(
            f"{key}: {levels.law} {list(given)} leads beyond the largest "
            "float64, 1.8e308; choose ends that are closer to zero"
        )
    return values


def _arange_count(start: float, stop: float, step: float) -> float:
    """Values from start by step before stop; a float, for it may be infinite."""
    steps = (stop - start) / step
    if not math.isfinite(steps):
        return math.inf
    # Each of the three numbers is off by up to half a unit in its last place.
    rounding = 2 * 2.0**-52 * (abs(start) + abs(stop) + abs(stop - start)) / abs(step)
    nearest = round(steps)
    return max(nearest if abs(steps - nearest) <= min(rounding, 0.01) else math.ceil(steps), 1)
