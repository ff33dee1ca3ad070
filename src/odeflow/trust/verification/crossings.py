"""The first time within a step at which a condition changes, on SciPy's dense output.

A condition is a boolean function of margins that change sign: each margin is followed over the
step, with its extremes, so that one which is crossed twice within the step is seen.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq, minimize_scalar

#: Points of a step at which margins are looked at.
_POINTS = np.linspace(0.0, 1.0, 11)
#: A margin may be zero beside an end of the step where it is this part of its size elsewhere.
_NEAR = 0.2

#: (t, y) -> numbers; the conditions themselves, as 0 and 1, and the margins behind them.
AtPoint = Callable[[float, np.ndarray], np.ndarray]


class Conditions(NamedTuple):
    """What is watched on the way: conditions, and margins that tell when they may change."""

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
        roots += roots_of(lambda t, i=i: conditions.margins(t, dense(t))[i], ts, course)
    known = before
    places = sorted({b, *ts[1:], *roots})
    if roots:  # a slow margin may be zero for many numbers on both sides of its root
        places = sorted({*places, *(0.5 * (x + y) for x, y in zip([a, *places], places))})
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


def roots_of(margin: Callable[[float], float], ts: np.ndarray, values: np.ndarray) -> list[float]:
    """Where a margin is zero, from its values at some times and its extremes between them."""
    roots = []
    for i in range(len(ts) - 1):
        if np.sign(values[i]) * np.sign(values[i + 1]) < 0:
            roots.append(_root(margin, ts[i], ts[i + 1]))
    size, last = np.abs(values), len(ts) - 1
    near = _NEAR * size.max()
    for i in range(last + 1):
        left, right = max(i - 1, 0), min(i + 1, last)
        alike = np.sign(values[left]) == np.sign(values[i]) == np.sign(values[right])
        if not (size[i] <= size[left] and size[i] <= size[right] and alike and values[i]):
            continue
        if i in (0, last) and size[i] > near:  # an end of the step, and far from zero
            continue
        sign = np.sign(values[i])
        found: Any = minimize_scalar(
            lambda t, sign=sign: sign * margin(t), bounds=(ts[left], ts[right]), method="bounded",
            options={"xatol": 1e-9 * (ts[right] - ts[left])},
        )  # fmt: skip
        if found.fun < 0:
            roots += [_root(margin, ts[left], found.x), _root(margin, found.x, ts[right])]
    return roots


def _root(margin: Callable[[float], float], a: float, b: float) -> float:
    try:
        xtol = 4 * float(np.spacing(max(abs(a), abs(b))))
        root: Any = brentq(margin, a, b, xtol=xtol, rtol=np.float64(1e-15))
        return float(root)
    except ValueError:  # a sign that rounding has changed meanwhile
        return float(0.5 * (a + b))
