"""Starts of an estimation, some of them at a time: where each began and ended."""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from odeflow.analysis.estimation.objective import Objective
from odeflow.analysis.estimation.parameters import Vectors
from odeflow.analysis.estimation.trust_region import FitStatus, Minimum, Options, minimise
from odeflow.files.flags import flag_attributes

#: How far a hop goes along each parameter: the standard deviation, as a part of its bounds' width.
_HOP = 0.1


def fit(
    objective: Objective,
    seed: int,
    numbers: Sequence[int],
    options: Options,
    progress: Callable[[int], None] | None = None,
    *,
    candidates: int = 1,
    hops: int = 0,
) -> xr.Dataset:
    """Minimises from starts of these numbers, which no other start changes.

    Arguments:
        objective: the negative log-posterior.
        seed: of the starts.
        numbers: of the starts, from 0.
        options: when a start ends.
        progress: called with the number of starts that have ended.
        candidates: points drawn for each start, of which it begins at the best.
        hops: how often a start goes on from near its best end so far. Basin hopping (Wales and
            Doye, 1997, J. Phys. Chem. A 101, 5111-5116), without its uphill moves.

    Returns:
        Dimensions (start, parameter): `start_point` and `end_point` on the scales, `objective`
        (infinite where a trajectory failed at the start), `gradient_norm`, `fit_status` and counts.
    """
    parameters = objective.parameters
    start = first_points(objective, seed, numbers, candidates)
    lower = np.broadcast_to(parameters.lower, start.shape)
    upper = np.broadcast_to(parameters.upper, start.shape)
    fixed = np.broadcast_to(~objective.searched, start.shape)
    found = minimise(objective, start, lower, upper, fixed, options, progress)
    for hop in range(hops):
        near = found.theta + _HOP * (upper - lower) * _directions(seed, hop, numbers, start.shape)
        again = minimise(objective, near, lower, upper, fixed, options)
        found = _better(found, again)
    both, words = ("start", "parameter"), "on the parameters' scales"
    status = flag_attributes([one.name for one in FitStatus], np.int8)
    return xr.Dataset(
        {
            "start_point": (both, start, _about(f"start, {words}")),
            "end_point": (both, found.theta, _about(f"end of the fit, {words}")),
            "objective": ("start", found.objective, _about("negative log-posterior at the end")),
            "gradient_norm": (
                "start",
                found.gradient_norm,
                _about("largest slope of the objective along a free parameter"),
            ),
            "num_steps": ("start", found.num_steps, _about("trial steps of the optimiser")),
            "num_gradients": ("start", found.num_gradients, _about("gradients computed")),
            "fit_status": ("start", found.status, {"long_name": "how the fit ended"} | status),
        },
        {
            "start": ("start", np.asarray(numbers), _about("number of the start")),
            "parameter": ("parameter", np.array(parameters.names), {"long_name": "parameter"}),
        },
    )


def first_points(
    objective: Objective, seed: int, numbers: Sequence[int], candidates: int
) -> Vectors:
    """Where starts begin: the best of some points of their own, which no other start changes.

    Arguments:
        objective: the negative log-posterior.
        seed: of the starts.
        numbers: of the starts, from 0.
        candidates: points of a start; the first is where it begins if there is one alone.

    Returns:
        Points on the parameters' scales, one row per start.
    """
    parameters = objective.parameters
    best = parameters.starts(seed, numbers)
    if candidates == 1:
        return best
    least, best = objective.settled(best)
    for other in range(1, candidates):
        value, point = objective.settled(parameters.starts(seed, numbers, other))
        lower = value < least  # not where it is NaN
        least, best = np.where(lower, value, least), np.where(lower[:, None], point, best)
    return best


def _directions(seed: int, hop: int, numbers: Sequence[int], shape: tuple[int, ...]) -> Vectors:
    """Normal numbers for each start, the same whatever others there are."""
    rows = [np.random.default_rng([seed, n, hop, 1]).standard_normal(shape[1]) for n in numbers]
    return np.array(rows).reshape(shape)


def _better(one: Minimum, other: Minimum) -> Minimum:
    """Of each lane the lower end, with the steps of both."""
    lower = other.objective < one.objective
    pick = lambda name: np.where(lower, getattr(other, name), getattr(one, name))
    return Minimum(
        np.where(lower[:, None], other.theta, one.theta),
        pick("objective"),
        pick("gradient_norm"),
        one.num_steps + other.num_steps,
        one.num_gradients + other.num_gradients,
        pick("status"),
    )


def _about(long_name: str) -> dict[str, str]:
    return {"long_name": long_name, "units": "1"}
