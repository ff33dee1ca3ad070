"""The estimated parameters together: values, bounds, priors and starts of many vectors."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from odeflow.problem.estimated import Estimated, Prior, from_scale, on_scale, slope

Vectors = Float[np.ndarray, "vector parameter"]


@dataclass(frozen=True)
class Parameters:
    """Parameters in order; a vector of them, `theta`, is on their scales."""

    all: Sequence[Estimated]

    @cached_property
    def names(self) -> list[str]:
        """Their names, in order."""
        return [one.name for one in self.all]

    @cached_property
    def lower(self) -> Float[np.ndarray, " parameter"]:
        """Lower bounds on the scales."""
        return np.array([one.lower for one in self.all])

    @cached_property
    def upper(self) -> Float[np.ndarray, " parameter"]:
        """Upper bounds on the scales."""
        return np.array([one.upper for one in self.all])

    @property
    def size(self) -> int:
        """Their number."""
        return len(self.all)

    def values(self, theta: Vectors) -> Vectors:
        """Values of vectors that are on the scales."""
        columns = [from_scale(theta[:, i], one.scale) for i, one in enumerate(self.all)]
        return np.stack(columns, axis=1)

    def slopes(self, values: Vectors) -> Vectors:
        """Derivatives of values along their scales."""
        columns = [slope(values[:, i], one.scale) for i, one in enumerate(self.all)]
        return np.stack(columns, axis=1)

    def start(self, seed: int, number: int, candidate: int = 0) -> Float[np.ndarray, " parameter"]:
        """Start `number`, uniform between the bounds on the scales, whatever others there are.

        A start may have several candidates.
        """
        key = [seed, number, candidate] if candidate else [seed, number]
        unit = np.random.default_rng(key).random(self.size)
        return self.lower + unit * (self.upper - self.lower)

    def starts(self, seed: int, numbers: Sequence[int], candidate: int = 0) -> Vectors:
        """The starts of these numbers, one per row; of each this candidate."""
        found = [self.start(seed, number, candidate) for number in numbers]
        return np.array(found).reshape(len(found), self.size)

    def draws(self, rng: np.random.Generator, number: int) -> Vectors:
        """Draws from the prior within the bounds, on the scales."""
        columns = [_drawn(one, rng, number) for one in self.all]
        return np.stack(columns, axis=1)

    def log_prior(self, theta: Vectors) -> Float[np.ndarray, " vector"]:
        """The logarithm of the prior density, that of uniform priors left out."""
        return self._priors(theta)[0]

    def prior_terms(self, theta: Vectors) -> tuple[Vectors, Vectors]:
        """Of the negative log prior: its derivatives, and a curvature that is not negative."""
        return self._priors(theta)[1:]

    def log_measure(self, theta: Vectors) -> Float[np.ndarray, " vector"]:
        """The log of d(value)/d(theta), for priors that are densities of the value."""
        values, total = self.values(theta), np.zeros(len(theta))
        for i, one in enumerate(self.all):
            if one.prior is not None and one.prior.of != "scale":
                total += np.log(slope(values[:, i], one.scale))
        return total

    def _priors(self, theta: Vectors) -> tuple[Float[np.ndarray, " vector"], Vectors, Vectors]:
        values, density = self.values(theta), np.zeros(len(theta))
        gradient, curvature = np.zeros_like(theta), np.zeros_like(theta)
        for i, one in enumerate(self.all):
            if one.prior is not None:
                along = slope(values[:, i], one.scale)
                terms = _terms(one.prior, theta[:, i], values[:, i], along)
                density, gradient[:, i], curvature[:, i] = density + terms[0], terms[1], terms[2]
        return density, gradient, curvature


Column = Float[np.ndarray, " vector"]
#: How often what falls outside of the bounds is drawn again, before it is moved there.
_MOST_DRAWS = 1000


#: Draws of each kind of prior, by a generator, two numbers and how many.
_DRAWS: Mapping[str, Callable[[np.random.Generator, float, float, int], Column]] = {
    "normal": lambda rng, mean, deviation, n: rng.normal(mean, deviation, n),
    "laplace": lambda rng, location, scale, n: rng.laplace(location, scale, n),
    "cauchy": lambda rng, location, scale, n: location + scale * rng.standard_cauchy(n),
    "gamma": lambda rng, shape, scale, n: rng.gamma(shape, scale, n),
    "rayleigh": lambda rng, _, scale, n: rng.rayleigh(scale, n),
}


def _drawn(one: Estimated, rng: np.random.Generator, number: int) -> Column:
    """Draws of a parameter from its prior, on its scale."""
    if one.prior is None:
        return rng.uniform(one.lower, one.upper, number)
    prior, left = one.prior, np.arange(number)
    found = np.empty(number)
    for _ in range(_MOST_DRAWS):
        u = _DRAWS[prior.kind](rng, prior.location, prior.spread, len(left))
        if prior.of != "scale":
            u = np.exp(u) if prior.of == "log" else u
            u = np.array([on_scale(x, one.scale) for x in u.tolist()])
        found[left] = u
        left = left[(u < one.lower) | (u > one.upper)]
        if not len(left):
            break
    return np.clip(found, one.lower, one.upper)


def _terms(
    prior: Prior, theta: Column, value: Column, along: Column
) -> tuple[Column, Column, Column]:
    """Log density, and derivative and curvature of its negative, along the scale."""
    u, du = {
        "scale": (theta, np.ones_like(theta)),
        "value": (value, along),
        "log": (np.log(np.maximum(value, 1e-300)), along / value),
    }[prior.of]
    density, gradient, curvature = _LOG_DENSITIES[prior.kind](u, prior.location, prior.spread)
    gradient, curvature = gradient * du, curvature * du**2
    if prior.of == "log":  # the density of the value, not of its logarithm
        density, gradient = density - u, gradient + du
    return density, gradient, curvature


def _normal(u: Column, mean: float, deviation: float) -> tuple[Column, Column, Column]:
    z = (u - mean) / deviation
    density = -0.5 * z**2 - math.log(deviation * math.sqrt(2 * math.pi))
    return density, z / deviation, np.full_like(u, deviation**-2)


def _laplace(u: Column, location: float, scale: float) -> tuple[Column, Column, Column]:
    z = (u - location) / scale
    density = -np.abs(z) - math.log(2 * scale)
    return density, np.sign(z) / scale, np.full_like(u, scale**-2)


def _cauchy(u: Column, location: float, scale: float) -> tuple[Column, Column, Column]:
    """Its curvature is that of the parabola that touches it from above, never negative."""
    z = (u - location) / scale
    weight = 2 / (1 + z**2)
    return -np.log(math.pi * scale * (1 + z**2)), weight * z / scale, weight / scale**2


def _gamma(u: Column, shape: float, scale: float) -> tuple[Column, Column, Column]:
    u = np.maximum(u, 1e-300)
    density = (shape - 1) * np.log(u) - u / scale - math.lgamma(shape) - shape * math.log(scale)
    return density, 1 / scale - (shape - 1) / u, max(shape - 1, 0.0) / u**2


def _rayleigh(u: Column, _: float, scale: float) -> tuple[Column, Column, Column]:
    u = np.maximum(u, 1e-300)
    density = np.log(u / scale**2) - 0.5 * (u / scale) ** 2
    return density, u / scale**2 - 1 / u, 1 / u**2 + 1 / scale**2


#: Of a number u: log density, and derivative and curvature of its negative along u.
_LOG_DENSITIES: Mapping[str, Callable[..., tuple[Column, Column, Column]]] = {
    "normal": _normal,
    "laplace": _laplace,
    "cauchy": _cauchy,
    "gamma": _gamma,
    "rayleigh": _rayleigh,
}
