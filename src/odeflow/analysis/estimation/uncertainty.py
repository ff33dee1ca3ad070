"""Covariance, confidence intervals and what can be identified, from the Fisher information."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import chi2, norm

Vector = Float[np.ndarray, " parameter"]
Matrix = Float[np.ndarray, "parameter parameter"]
#: Eigenvalues below this part of the largest one are of directions that data say nothing of.
_SMALLEST = 1e-12


class Curvature(NamedTuple):
    """What the Fisher information says at a point, on the scales of the parameters.

    `covariance` is its inverse over the free parameters, NaN where a direction that moves the
    parameter has no information, and for parameters at a bound. `eigenvalues` increase.
    """

    covariance: Matrix
    standard_error: Vector
    eigenvalues: Vector


def curvature(fisher: Matrix, free: Bool[np.ndarray, " parameter"]) -> Curvature:
    """Inverts a Fisher information.

    Arguments:
        fisher: the information at the best point.
        free: the parameters that are not at a bound.

    Returns:
        Covariance, standard errors and eigenvalues.
    """
    size = len(fisher)
    scale = np.sqrt(np.where(np.diag(fisher) > 0, np.diag(fisher), 1.0))
    part = np.ix_(free, free)
    scaled = (fisher / scale / scale[:, None])[part]
    values, vectors = np.linalg.eigh(scaled)
    known = values > _SMALLEST * max(values.max(initial=0.0), 1e-300)
    inverse = (vectors[:, known] / values[known]) @ vectors[:, known].T
    blind = (np.abs(vectors[:, ~known]) > 1e-3).any(axis=1)
    inverse[blind], inverse[:, blind] = np.nan, np.nan
    covariance = np.full((size, size), np.nan)
    covariance[part] = inverse / scale[free] / scale[free][:, None]
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.diag(covariance))
    return Curvature(covariance, errors, np.linalg.eigvalsh(fisher))


def threshold(level: float) -> float:
    """By how much the objective rises to the end of a likelihood interval of one parameter."""
    return float(chi2.ppf(level, 1)) / 2


def normal_interval(
    best: Vector, errors: Vector, lower: Vector, upper: Vector, level: float
) -> tuple[Vector, Vector]:
    """The interval of each parameter by its standard error, within the bounds."""
    reach = norm.ppf(0.5 + level / 2) * errors
    return np.maximum(best - reach, lower), np.minimum(best + reach, upper)
