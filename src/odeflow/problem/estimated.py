"""What is estimated: a parameter on its scale, between bounds, with a prior. Cheap, without JAX."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

Scale = Literal["lin", "log", "log10"]
SCALES: tuple[Scale, ...] = ("lin", "log", "log10")

Values = Float[np.ndarray, "..."]


@dataclass(frozen=True)
class Prior:
    """A normal or Laplace prior of `of`: the parameter on its `scale`, its `value`, or its `log`.

    `location` and `spread` are the mean and the standard deviation of a normal prior, the location
    and the scale of a Laplace one. A prior of `log` has the density of the value, as log-normal
    laws do.
    """

    kind: Literal["normal", "laplace"]
    of: Literal["scale", "value", "log"]
    location: float
    spread: float


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
