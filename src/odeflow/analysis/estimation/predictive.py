"""What prior and posterior foretell of the measurements, noise included: quantiles for each.

A measurement far outside of what the prior foretells says that the model or the prior is wrong; one
outside of what the posterior foretells, that the fit is.

Reference: Gelman et al. (2020), Bayesian workflow, arXiv:2011.01808.
"""

import math

import numpy as np
import xarray as xr
from jaxtyping import Float

from odeflow.analysis.estimation.objective import Objective
from odeflow.analysis.estimation.parameters import Vectors

#: Draws that are simulated, and the quantiles of what is foretold.
_DRAWS, _LEVELS = 500, (0.05, 0.25, 0.5, 0.75, 0.95)


def predictive(
    objective: Objective, seed: int, posterior: Float[np.ndarray, "draw parameter"] | None = None
) -> xr.Dataset:
    """Quantiles of what is foretold of each measurement.

    Arguments:
        objective: the negative log-posterior.
        seed: of the draws from the prior and of the noise.
        posterior: draws from the posterior, if there are any.

    Returns:
        `prior_predictive_quantiles(quantile, measurement)`, with `posterior` also
        `posterior_predictive_quantiles`, in the units of what was measured, and as attributes of
        each how many draws could be simulated and the share of measurements between its outermost
        quantiles. NaN where no draw can be simulated.
    """
    rng = np.random.default_rng([seed, 2**32 - 2])
    draws = {"prior": objective.parameters.draws(rng, _DRAWS)}
    if posterior is not None:
        some = np.linspace(0, len(posterior) - 1, min(_DRAWS, len(posterior))).astype(int)
        draws["posterior"] = posterior[some]
    levels = {"long_name": "quantile of what is foretold", "units": "1"}
    data = {
        f"{name}_predictive_quantiles": _quantiles(objective, name, theta, rng)
        for name, theta in draws.items()
    }
    return xr.Dataset(data, {"predictive_quantile": ("predictive_quantile", [*_LEVELS], levels)})


def _quantiles(
    objective: Objective, name: str, theta: Vectors, rng: np.random.Generator
) -> xr.Variable:
    simulated = objective.simulated(theta)
    foretold: np.ndarray = np.full(simulated.values.shape, np.nan)
    with np.errstate(all="ignore"):
        for group in objective.simulation.measurements.groups:
            foretold[:, group.rows] = _measured(
                simulated.values[:, group.rows],
                simulated.noise[:, group.rows],
                group.transformation,
                group.distribution,
                rng,
            )
    usable = ~simulated.failed & np.isfinite(foretold).all(axis=1)
    found = np.full((len(_LEVELS), objective.measured.size), np.nan)
    inside = math.nan
    if usable.any():
        found = np.quantile(foretold[usable], _LEVELS, axis=0)
        measured = objective.measured
        inside = float(np.mean((measured >= found[0]) & (measured <= found[-1])))
    about = {
        "long_name": f"quantiles of the {name} predictive, noise included",
        "units": "1",
        "draws": int(usable.sum()),
        "share_within": inside,
    }
    return xr.Variable(("predictive_quantile", "measurement"), found, about)


def _measured(
    values: np.ndarray,
    noise: np.ndarray,
    transformation: str,
    distribution: str,
    rng: np.random.Generator,
) -> np.ndarray:
    """Simulated values as they would be measured."""
    drawn = rng.laplace if distribution == "laplace" else rng.normal
    error = noise * drawn(size=values.shape)
    if transformation == "log":
        return values * np.exp(error)
    return values * 10.0**error if transformation == "log10" else values + error
