"""Starts of an estimation, some of them at a time: where each began and ended."""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from odeflow.analysis.estimation.objective import Objective
from odeflow.analysis.estimation.trust_region import FitStatus, Options, minimise
from odeflow.files.flags import flag_attributes


def fit(
    objective: Objective,
    seed: int,
    numbers: Sequence[int],
    options: Options,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Minimises from starts of these numbers, which no other start changes.

    Arguments:
        objective: the negative log-posterior.
        seed: of the starts.
        numbers: of the starts, from 0.
        options: when a start ends.
        progress: called with the number of starts that have ended.

    Returns:
        Dimensions (start, parameter): `start_point` and `end_point` on the scales, `objective`
        (infinite where a trajectory failed at the start), `gradient_norm`, `fit_status` and counts.
    """
    parameters = objective.parameters
    start = parameters.starts(seed, numbers)
    lower = np.broadcast_to(parameters.lower, start.shape)
    upper = np.broadcast_to(parameters.upper, start.shape)
    fixed = np.broadcast_to(~objective.searched, start.shape)
    found = minimise(objective, start, lower, upper, fixed, options, progress)
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


def _about(long_name: str) -> dict[str, str]:
    return {"long_name": long_name, "units": "1"}
