"""What is estimated: a parameter on its scale, between bounds, with a prior. Cheap, without JAX."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

Scale = Literal["lin", "log", "log10"]
Kind = Literal["normal", "laplace", "cauchy", "gamma", "rayleigh"]
SCALES: tuple[Scale, ...] = ("lin", "log", "log10")

Values = Float[np.ndarray, "..."]


@dataclass(frozen=True)
class Prior:
    """A prior of `of`: the parameter on its `scale`, its `value`, or its `log`.

    `location` and `spread` are the mean and the standard deviation of a normal prior, the location
    and the scale of a Laplace or Cauchy one, the shape and the scale of a gamma one; a Rayleigh one
    has a scale alone. The last two are of positive values. A prior of `log` has the density of the
    value, as log-normal laws do.
    """

    kind: Kind
    of: Literal["scale", "value", "log"]
    location: float
    spread: float


#: Priors of positive parameters by their usual names, of their numbers.
POSITIVE_PRIORS: Mapping[str, Callable[..., Prior]] = {
    "chisquare": lambda degrees: Prior("gamma", "value", degrees / 2, 2.0),
    "exponential": lambda scale: Prior("gamma", "value", 1.0, scale),
    "gamma": lambda shape, scale: Prior("gamma", "value", shape, scale),
    "rayleigh": lambda scale: Prior("rayleigh", "value", 0.0, scale),
}


@dataclass(frozen=True)
class Estimated:
    """A parameter to estimate: `lower` and `upper` are on its scale, `nominal` is a value.

    `name` is that of a parameter of the model, of a state for its initial value, or of a quantity
    that noise alone reads.
    """

    name: str
    scale: Scale
    lower: float
    upper: float
    nominal: float | None = None
    prior: Prior | None = None


def law_within(prior: Prior, low: float, high: float, base: float = 1.0) -> dict[str, list[float]]:
    """A prior of a value, or of its logarithm, between bounds, as the law of an axis of a design.

    The numbers of a prior on a logarithmic scale are those of the natural logarithm over `base`.
    """
    log = "log" if prior.of == "log" else ""
    numbers = [prior.location * base, prior.spread * base]
    return {f"trunc{log}{prior.kind}": [*(numbers[prior.kind == "rayleigh" :]), low, high]}


def on_scale(value: float, scale: Scale) -> float:
    """A value on a scale; minus infinity for zero on a logarithmic one."""
    if scale == "lin":
        return value
    if value <= 0:
        return -math.inf
    return math.log(value) if scale == "log" else math.log10(value)


def from_scale(theta: Values, scale: Scale) -> Values:
    """The values of what is on a scale."""
    if scale == "lin":
        return np.asarray(theta)
    # a column of a table has strides, for which NumPy's exponential rounds otherwise
    theta = np.asarray(theta, order="C")
    return np.asarray(np.exp(theta if scale == "log" else theta * math.log(10)))


def slope(value: Values, scale: Scale) -> Values:
    """The derivative of a value along its scale."""
    if scale == "lin":
        return np.ones_like(value)
    return value if scale == "log" else value * math.log(10)
