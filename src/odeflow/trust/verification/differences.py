"""Sensitivities by differences of independent solutions, without any differentiation.

Central differences at two distances give, by Richardson's extrapolation, a value of order 4 and
how uncertain it is. Whatever moves with the axis is in it: the times of switches, events, doses
and stops, and what the model computes at its start.

Reference: L. F. Richardson, Phil. Trans. R. Soc. A 210, 307-357 (1911).
"""

from collections.abc import Callable, Mapping

import numpy as np

from odeflow.trust.verification.reference import Values

#: The distances, relative to the size of the axis' value, each tried where the one before is not
#: good enough.
_DISTANCES = (1e-3, 1e-4, 1e-5)


def derivatives(
    values_at: Callable[[float], Values],
    size: float,
    is_enough: Callable[[Mapping[str, np.ndarray], Mapping[str, np.ndarray]], bool],
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Derivatives by variable, and their uncertainty.

    `values_at(shift)` are the values where the axis is changed by `shift`, `size` is that of the
    axis' value. `is_enough(derivatives, uncertainty)` says when to stop.
    """
    best: dict[str, np.ndarray] = {}
    uncertain: dict[str, np.ndarray] = {}
    for distance in _DISTANCES:
        h = distance * size
        wide, narrow = (_central(values_at, step) for step in (h, h / 2))
        for name in wide:
            value = (4 * narrow[name] - wide[name]) / 3
            doubt = np.abs(value - narrow[name])
            doubt = np.where(np.isnan(doubt), np.inf, doubt)
            if name not in best:
                best[name], uncertain[name] = value, doubt
            better = doubt < uncertain[name]
            best[name] = np.where(better, value, best[name])
            uncertain[name] = np.where(better, doubt, uncertain[name])
        if is_enough(best, uncertain):
            break
    return best, uncertain


def _central(values_at: Callable[[float], Values], h: float) -> dict[str, np.ndarray]:
    above, below = values_at(h), values_at(-h)
    return {name: (above[name] - below[name]) / (2 * h) for name in above}
