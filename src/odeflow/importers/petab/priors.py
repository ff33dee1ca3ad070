"""Priors of version 2: the law that samples follow, and what an estimation adds to the likelihood.

Both are within the bounds; what an estimation adds leaves out the constant that this makes.
"""

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from odeflow.importers.petab.tables import TableRow, as_number
from odeflow.problem.estimated import POSITIVE_PRIORS, Prior, law_within

_TYPE, _NUMBERS = "priorDistribution", "priorParameters"
#: Distributions, and how many parameters each has.
_DISTRIBUTIONS = {
    "uniform": 2, "log-uniform": 2, "normal": 2, "log-normal": 2, "laplace": 2, "log-laplace": 2,
    "cauchy": 2, "chisquare": 1, "exponential": 1, "gamma": 2, "rayleigh": 1,
}  # fmt: skip
#: The laws of samples without bounds, where there are such.
_UNBOUNDED = {"normal": "normal", "log-normal": "lognormal"}
_OBJECTIVES: Mapping[str, Callable[..., Prior]] = {
    "normal": lambda a, b: Prior("normal", "value", a, b),
    "log-normal": lambda a, b: Prior("normal", "log", a, b),
    "laplace": lambda a, b: Prior("laplace", "value", a, b),
    "log-laplace": lambda a, b: Prior("laplace", "log", a, b),
    "cauchy": lambda a, b: Prior("cauchy", "value", a, b),
    **POSITIVE_PRIORS,
}
#: Distributions of values above 0.
_POSITIVE = ("log-uniform", "log-normal", "log-laplace", *POSITIVE_PRIORS)


@dataclass(frozen=True)
class BoundedPrior:
    """A prior between bounds.

    `law` is that of the samples; where there is none, `refused` says why. `objective` is what an
    estimation adds, None for a uniform prior.
    """

    distribution: str
    lower: float
    upper: float
    law: dict[str, list[float]]
    refused: str = ""
    objective: Prior | None = None

    @property
    def can_be_estimated(self) -> bool:
        """Whether an estimation knows it."""
        return self.distribution == "uniform" or self.objective is not None


def read_prior(row: TableRow, low: float, high: float) -> BoundedPrior:
    """The prior of a row between its bounds; raises ConfigError with file, row and column."""
    kind = row.choice(_TYPE, tuple(_DISTRIBUTIONS), "uniform")
    if not row.has(_TYPE) and not row.has(_NUMBERS):
        return _uniform(kind, low, high)
    numbers = _numbers(row, kind)
    if kind.endswith("uniform"):
        low, high = max(numbers[0], low), min(numbers[1], high)
        if not low < high:
            raise row.mistake(_NUMBERS, "leaves nothing between the bounds")
        if kind == "log-uniform" and not low > 0:
            raise row.mistake(_NUMBERS, f"{low:g} is not > 0, as {kind} needs")
        return _uniform(kind, low, high)
    for number in numbers if kind == "gamma" else numbers[-1:]:
        if not number > 0:
            raise row.mistake(_NUMBERS, f"{number:g} is not > 0, as {kind} needs")
    if kind in _POSITIVE:
        if not high > 0:
            raise row.mistake("upperBound", f"{high:g} is not > 0, as the prior {kind} needs")
        low = max(low, 0.0)
    objective = _OBJECTIVES[kind](*numbers)
    ends = (0.0 if kind in _POSITIVE else -math.inf, math.inf)
    if (low, high) == ends and kind in _UNBOUNDED:
        return BoundedPrior(kind, low, high, {_UNBOUNDED[kind]: numbers}, objective=objective)
    if math.isinf(low) or math.isinf(high):
        why = f"{kind} with an infinite bound is not supported for samples; give finite bounds"
        return BoundedPrior(kind, low, high, {}, why, objective)
    least = max(low, sys.float_info.min) if kind.startswith("log") else low
    return BoundedPrior(kind, low, high, law_within(objective, least, high), objective=objective)


def _uniform(kind: str, low: float, high: float) -> BoundedPrior:
    if math.isinf(low) or math.isinf(high):
        return BoundedPrior(kind, low, high, {}, f"{kind} needs finite bounds for samples")
    return BoundedPrior(kind, low, high, {kind.replace("-", ""): [low, high]})


def _numbers(row: TableRow, kind: str) -> list[float]:
    given = [as_number(part) for part in row.text(_NUMBERS).split(";")]
    numbers = [x for x in given if x is not None and math.isfinite(x)]
    if len(numbers) != len(given) or len(numbers) != _DISTRIBUTIONS[kind]:
        needed = "a number" if _DISTRIBUTIONS[kind] == 1 else "two numbers, 1;2"
        raise row.mistake(_NUMBERS, f"{row.text(_NUMBERS)!r} is not {needed}, as {kind} needs")
    return numbers
