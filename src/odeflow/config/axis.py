"""The laws of axes and of saved times: listed values, distributions, categories."""

from typing import Annotated

from pydantic import AfterValidator, Field

from odeflow.config.base import (
    ChoiceName,
    Distinct,
    Integer,
    OneLaw,
    PositiveReal,
    Real,
    Strict,
    increasing_pair,
)

LEVEL_LAWS = ("linspace", "logspace", "geomspace", "arange", "values")
RANDOM_LAWS = (
    "uniform",
    "loguniform",
    "normal",
    "lognormal",
    "truncnormal",
    "trunclognormal",
    "trunclaplace",
    "truncloglaplace",
    "trunccauchy",
    "truncgamma",
    "truncrayleigh",
)
#: The law of an axis over categories, in any design that lists or draws its axes.
CATEGORIES = "names"


def _positive_num(value: tuple[float, float, int]) -> tuple[float, float, int]:
    if value[2] < 1:
        raise ValueError(f"number of points must be >= 1, not {value[2]}")
    return value


def _positive_ends(value: tuple[float, float, int]) -> tuple[float, float, int]:
    if value[0] <= 0 or value[1] <= 0:
        raise ValueError("both ends must be > 0")
    return value


def _positive_pair(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] <= 0:
        raise ValueError("low must be > 0")
    return value


def _step_advances(value: tuple[float, float, float]) -> tuple[float, float, float]:
    start, stop, step = value
    if step == 0 or (stop - start) / step <= 0:
        raise ValueError(f"step {step:g} does not lead from {start:g} to {stop:g}")
    return value


def _ordered_bounds(value: tuple[float, ...]) -> tuple[float, ...]:
    if not value[-2] < value[-1]:
        raise ValueError(f"low ({value[-2]:g}) must be less than high ({value[-1]:g})")
    return value


NotNegative = Annotated[Real, Field(ge=0)]
Spaced = Annotated[tuple[Real, Real, Integer], AfterValidator(_positive_num)]


class Lognormal(Strict):
    """A log-normal law by its median and the standard deviation of the natural logarithm."""

    median: PositiveReal = Field(description="the median, which half of the values are below")
    sigma: PositiveReal = Field(description="standard deviation of the natural logarithm")


class Levels(OneLaw):
    """Values listed by one law, NumPy's by name: an axis of a grid or zip, or times to save."""

    linspace: Spaced | None = Field(None, description="[start, stop, number]")
    logspace: Spaced | None = Field(None, description="[log10 start, log10 stop, number]")
    geomspace: Annotated[Spaced, AfterValidator(_positive_ends)] | None = Field(
        None, description="[start, stop, number], equal ratios"
    )
    arange: Annotated[tuple[Real, Real, Real], AfterValidator(_step_advances)] | None = Field(
        None, description="[start, stop, step], stop not included"
    )
    values: list[Real] | None = Field(None, min_length=1, description="a list of values")


class Axis(Levels):
    """The law of one axis: listed levels (grid, zip), a distribution (samplers), or categories."""

    names: Annotated[list[ChoiceName], Distinct] | None = Field(
        None,
        min_length=1,
        description="categories, of which samplers draw each as often: the courses of "
        "`model.inputs` that are given `by` this axis",
    )

    uniform: Annotated[tuple[Real, Real], AfterValidator(increasing_pair)] | None = Field(
        None, description="[low, high]"
    )
    loguniform: (
        Annotated[
            tuple[Real, Real], AfterValidator(_positive_pair), AfterValidator(increasing_pair)
        ]
        | None
    ) = Field(None, description="[low, high], uniform in the logarithm")
    normal: tuple[Real, PositiveReal] | None = Field(None, description="[mean, standard deviation]")
    lognormal: tuple[Real, PositiveReal] | Lognormal | None = Field(
        None,
        description="[mu, sigma] of the natural logarithm (as NumPy), or {median: m, sigma: s}",
    )
    truncnormal: (
        Annotated[tuple[Real, PositiveReal, Real, Real], AfterValidator(_ordered_bounds)] | None
    ) = Field(None, description="[mean, standard deviation, low, high]")
    trunclognormal: (
        Annotated[tuple[Real, PositiveReal, PositiveReal, Real], AfterValidator(_ordered_bounds)]
        | None
    ) = Field(None, description="[mu, sigma, low, high], mu and sigma of the natural logarithm")
    trunclaplace: (
        Annotated[tuple[Real, PositiveReal, Real, Real], AfterValidator(_ordered_bounds)] | None
    ) = Field(None, description="[location, scale, low, high]")
    truncloglaplace: (
        Annotated[tuple[Real, PositiveReal, PositiveReal, Real], AfterValidator(_ordered_bounds)]
        | None
    ) = Field(None, description="[location, scale, low, high], the first two of the logarithm")
    trunccauchy: (
        Annotated[tuple[Real, PositiveReal, Real, Real], AfterValidator(_ordered_bounds)] | None
    ) = Field(None, description="[location, scale, low, high]")
    truncgamma: (
        Annotated[
            tuple[PositiveReal, PositiveReal, NotNegative, Real], AfterValidator(_ordered_bounds)
        ]
        | None
    ) = Field(
        None,
        description="[shape, scale, low, high]; shape 1 is the exponential law, shape k/2 and "
        "scale 2 the chi-squared one of k degrees",
    )
    truncrayleigh: (
        Annotated[tuple[PositiveReal, NotNegative, Real], AfterValidator(_ordered_bounds)] | None
    ) = Field(None, description="[scale, low, high]")
