"""Draws from the posterior around the best fit, labelled as ArviZ has them: (chain, draw)."""

import numpy as np
import xarray as xr
from jaxtyping import Float

from odeflow.analysis.estimation.objective import Objective
from odeflow.analysis.estimation.sampling import Points, draw
from odeflow.config.estimate import PosteriorConfig

Vector = Float[np.ndarray, " parameter"]
#: Draws whose measurements are simulated again, and the quantiles of these.
_PREDICTED, _LEVELS = 500, (0.05, 0.5, 0.95)


def posterior(
    objective: Objective,
    best: Vector,
    covariance: Float[np.ndarray, "parameter parameter"],
    config: PosteriorConfig,
    seed: int,
) -> xr.Dataset:
    """Draws from the posterior density of the parameters on their scales.

    Arguments:
        objective: the negative log-posterior, in which nothing is solved in closed form.
        best: where it is least.
        covariance: about how wide the posterior is; NaN where that is not known.
        config: how many draws.
        seed: of starts and moves.

    Returns:
        `posterior(chain, draw, parameter)`, a walker per chain, `log_posterior(chain, draw)`, and
        over `measurement` quantiles of what draws make of it, without noise.
    """
    parameters = objective.parameters

    def log_density(theta: Float[np.ndarray, "vector parameter"]) -> Float[np.ndarray, " vector"]:
        inside = ((theta >= parameters.lower) & (theta <= parameters.upper)).all(axis=1)
        found = np.full(len(theta), -np.inf)
        if inside.any():
            kept = theta[inside]
            found[inside] = objective.log_likelihood(kept)
            found[inside] += parameters.log_prior(kept) + parameters.log_measure(kept)
        return found

    walkers = 4 * parameters.size if config.walkers == "auto" else config.walkers
    start = _around(objective, best, covariance, config.ensembles, max(walkers, 4), seed)
    drawn = draw(log_density, start, config.draws, config.warmup, config.thin, seed)
    size, number = parameters.size, config.ensembles * start.shape[1]
    points = drawn.points.reshape(number, config.draws, size)
    flat = points.reshape(-1, size)
    some = flat[np.linspace(0, len(flat) - 1, min(_PREDICTED, len(flat))).astype(int)]
    predicted = np.quantile(objective.simulated(some).values, _LEVELS, axis=0)
    about = {"long_name": "draws on the parameters' scales", "units": "1"}
    density = {"long_name": "log-posterior of the draws", "units": "1"}
    values = {"long_name": "values by draws from the posterior", "units": "1"}
    return xr.Dataset(
        {
            "posterior": (("chain", "draw", "parameter"), points, about),
            "log_posterior": (("chain", "draw"), drawn.log_density.reshape(number, -1), density),
            "predicted_quantiles": (("quantile", "measurement"), predicted, values),
        },
        {
            "chain": ("chain", np.arange(number), {"long_name": "walker", "units": "1"}),
            "draw": ("draw", np.arange(config.draws), {"long_name": "draw", "units": "1"}),
            "quantile": ("quantile", list(_LEVELS), {"long_name": "quantile", "units": "1"}),
            "parameter": ("parameter", np.array(parameters.names), {"long_name": "parameter"}),
        },
        {"accepted_moves": drawn.accepted},
    )


def _around(
    objective: Objective,
    best: Vector,
    covariance: Float[np.ndarray, "parameter parameter"],
    ensembles: int,
    walkers: int,
    seed: int,
) -> Points:
    """Walkers around the best fit, within the bounds, where the objective is finite."""
    low, high = objective.parameters.lower, objective.parameters.upper
    rng = np.random.default_rng([seed, 2**32 - 1])
    known = np.nan_to_num(covariance, nan=0.0)
    values, vectors = np.linalg.eigh(known)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    unknown = np.isnan(np.diag(covariance))
    number = ensembles * walkers
    moves = rng.standard_normal((number, len(best))) @ root.T
    moves += rng.standard_normal(moves.shape) * np.where(unknown, 0.05 * (high - low), 0.0)
    margin = 1e-6 * (high - low)
    for _ in range(20):
        points = np.clip(best + moves, low + margin, high - margin)
        bad = ~np.isfinite(objective.log_likelihood(points))
        if not bad.any():
            break
        moves[bad] /= 2
    # the same place for two walkers would stay the same in a direction
    points += rng.uniform(-0.5, 0.5, points.shape) * margin
    return np.asarray(points.reshape(ensembles, walkers, len(best)))
