"""Noise of measurements: the density of what is measured, given what is simulated.

With y the simulated value, m the measured one and s the noise, z = T(m) - T(y) for a transformation
T (identity, natural or decimal logarithm), and independent measurements:

    normal   log p = -z^2 / (2 s^2) - log(s sqrt(2 pi)) + log T'(m)
    laplace  log p = -|z| / s - log(2 s) + log T'(m)
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, "*#shape"]

TRANSFORMATIONS = ("lin", "log", "log10")
DISTRIBUTIONS = ("normal", "laplace")


class NoiseModel(NamedTuple):
    """A transformation and a distribution, of those above."""

    transformation: str
    distribution: str


def transformed(
    values: Float[np.ndarray, "*shape"], transformation: str
) -> Float[np.ndarray, "*shape"]:
    """T of values; minus infinity at zero and not a number below it for a logarithm."""
    function = {"lin": np.asarray, "log": np.log, "log10": np.log10}[transformation]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(function(values))


def log_density(
    measured: Values,
    simulated: Values,
    noise: Values | float,
    transformation: str,
    distribution: str,
) -> Float[np.ndarray, "..."]:
    """Logarithm of the density of measured values, by broadcasting.

    Minus infinity where a simulated value has no logarithm, NaN where it or the noise is NaN.
    """
    distance = np.abs(
        transformed(measured, transformation) - transformed(simulated, transformation)
    )
    jacobian = 0.0 if transformation == "lin" else np.log(measured)
    if transformation == "log10":
        jacobian = jacobian + math.log(math.log(10))
    with np.errstate(all="ignore"):
        if distribution == "normal":
            density = -0.5 * (distance / noise) ** 2 - np.log(noise * math.sqrt(2 * math.pi))
        else:
            density = -distance / noise - np.log(2 * noise)
        impossible = (simulated <= 0) & (transformation != "lin")
    return np.asarray(np.where(impossible, -np.inf, density) - jacobian)


def drawn(
    simulated: Float[np.ndarray, "*shape"],
    unit: Float[np.ndarray, "*shape"],
    noise: Values | float,
    model: NoiseModel,
) -> Float[np.ndarray, "*shape"]:
    """Measured values, at these probabilities of the noise's law.

    With noise of a logarithm, zero stays zero and a value keeps its sign.

    Arguments:
        simulated: the simulated values.
        unit: probabilities, in (0, 1).
        noise: how large the noise is, > 0: what `log_density` calls s.
        model: the law.

    Returns:
        The values, NaN where the simulated one or the noise is.
    """
    from scipy.special import ndtri

    if model.distribution == "normal":
        z = noise * ndtri(unit)
    else:
        z = noise * np.where(unit < 0.5, np.log(2 * unit), -np.log(2 * (1 - unit)))
    match model.transformation:
        case "lin":
            return np.asarray(simulated + z)
        case "log":
            return np.asarray(simulated * np.exp(z))
        case _:
            return np.asarray(simulated * np.exp(z * math.log(10)))
