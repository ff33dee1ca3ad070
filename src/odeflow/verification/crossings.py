"""The first time within a step at which a condition changes, on SciPy's dense output.

A condition is a boolean function of margins that change sign: each margin is followed over the
step, with its extremes, so that one which is crossed twice within the step is seen.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq, minimize_scalar

#: Points of a step at which margins are looked at.
_POINTS = np.linspace(0.0, 1.0, 11)

#: (t, y) -> numbers; the conditions themselves, as 0 and 1, and the margins behind them.
AtPoint = Callable[[float, np.ndarray], np.ndarray]


class Conditions(NamedTuple):
    """What is watched along a trajectory: conditions, and margins that tell when they may change."""

    holds: AtPoint
    margins: AtPoint


def first_change(
    conditions: Conditions,
    dense: Callable[[float], np.ndarray],
    a: float,
    b: float,
    before: np.ndarray,
) -> float | None:
    """The first time in (a, b] at which one of the conditions is not what it was `before`.

    None where nothing changes. It is a number at which the new value holds, to the last bit.
    """
    ts = a + (b - a) * _POINTS
    values = np.array([conditions.margins(t, dense(t)) for t in ts])
    roots: list[float] = []
    for i, course in enumerate(values.T):
        roots += _roots(lambda t, i=i: conditions.margins(t, dense(t))[i], ts, course)
    known = before
    places = sorted({b, *ts[1:], *roots})
    last = a
    for place in places:
        for t in _around(place, last, b):
            if (conditions.holds(t, dense(t)) != known).any():
                return _exact(conditions, dense, last, t, known)
            last = t
    return None


def _around(place: float, last: float, b: float) -> list[float]:
    """A root itself and the numbers on both of its sides, within (last, b]."""
    width = 4 * np.spacing(abs(place))
    return [t for t in (place - width, place, place + width) if last < t <= b]


def _exact(
    conditions: Conditions,
    dense: Callable[[float], np.ndarray],
    low: float,
    high: float,
    before: np.ndarray,
) -> float:
    """By bisection: nothing has changed at `low`, something has at `high`."""
    while True:
        middle = 0.5 * (low + high)
        if not low < middle < high:
            return float(high)
        if (conditions.holds(middle, dense(middle)) != before).any():
            high = middle
        else:
            low = middle


def _roots(margin: Callable[[float], float], ts: np.ndarray, values: np.ndarray) -> list[float]:
    """Where a margin is zero, from its values at some times and its extremes between them."""
    roots = []
    for i in range(len(ts) - 1):
        if np.sign(values[i]) * np.sign(values[i + 1]) < 0:
            roots.append(_root(margin, ts[i], ts[i + 1]))
    size = np.abs(values)
    for i in range(1, len(ts) - 1):
        nearest = size[i] <= size[i - 1] and size[i] <= size[i + 1]
        alike = np.sign(values[i - 1]) == np.sign(values[i]) == np.sign(values[i + 1])
        if not (nearest and alike and values[i]):
            continue
        sign = np.sign(values[i])
        bounds = (ts[i - 1], ts[i + 1])
        found = minimize_scalar(
            lambda t, sign=sign: sign * margin(t), bounds=bounds, method="bounded",
            options={"xatol": 1e-9 * (bounds[1] - bounds[0])},
        )  # fmt: skip
        if found.fun < 0:
            roots += [_root(margin, ts[i - 1], found.x), _root(margin, found.x, ts[i + 1])]
    return roots


def _root(margin: Callable[[float], float], a: float, b: float) -> float:
    try:
        return float(brentq(margin, a, b, xtol=4 * np.spacing(max(abs(a), abs(b))), rtol=1e-15))
    except ValueError:  # a sign that rounding has changed meanwhile
        return float(0.5 * (a + b))
