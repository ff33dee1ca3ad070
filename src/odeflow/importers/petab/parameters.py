"""The parameter table: which parameters are estimated, and the laws that samples follow."""

import math
from dataclasses import dataclass
from pathlib import Path

from odeflow.files.errors import ConfigError
from odeflow.importers.petab.priors import BoundedPrior
from odeflow.importers.petab.tables import TableRow, as_number, each_once, read_table

_NEEDED = ("parameterId", "parameterScale", "lowerBound", "upperBound", "estimate")
_SCALES = ("lin", "log", "log10")
_PRIORS = (
    "uniform",
    "normal",
    "laplace",
    "logNormal",
    "logLaplace",
    "parameterScaleUniform",
    "parameterScaleNormal",
    "parameterScaleLaplace",
)
_TYPE, _NUMBERS = "initializationPriorType", "initializationPriorParameters"


@dataclass(frozen=True)
class PetabParameter:
    """A row: `law` is that of an axis, None where it is not estimated.

    `value` is the nominal value; where there is none, the middle of the bounds on its scale.
    `prior` is that of version 2.
    """

    row: TableRow
    label: str | None
    value: float
    law: dict[str, list[float]] | None
    prior: BoundedPrior | None = None

    @property
    def has_nominal(self) -> bool:
        """Whether the table gives its nominal value."""
        return self.row.has("nominalValue")


def read_parameters(folder: Path, files: list[str]) -> dict[str, PetabParameter]:
    """The parameters of the tables by id; raises ConfigError with file, row and column."""
    rows = [row for file in files for row in read_table(folder, file, _NEEDED, None)[1]]
    return {identifier: _parameter(row) for identifier, row in each_once(rows, "parameterId")}


def _parameter(row: TableRow) -> PetabParameter:
    label = row.cells["parameterName"] if row.has("parameterName") else None
    scale = row.choice("parameterScale", _SCALES, "lin")
    flag = as_number(row.text("estimate"))
    if flag not in (0, 1):
        raise row.mistake("estimate", f"{row.text('estimate')!r} is not 0 or 1")
    if flag == 0:
        _check_fixed(row, scale)
        return PetabParameter(row, label, row.number_in("nominalValue"), None)
    low, high = row.number_in("lowerBound"), row.number_in("upperBound")
    if not low < high:
        raise row.mistake("upperBound", f"{high:g} is not above lowerBound, {low:g}")
    if scale != "lin" and not low > 0:
        raise row.mistake("lowerBound", f"{low:g} is not > 0, as parameterScale {scale} needs")
    if row.has("nominalValue"):
        value = row.number_in("nominalValue")
        if scale != "lin" and value < 0:
            raise _on_its_scale(row, f"{value:g} is not > 0", scale)
    else:
        value = (low + high) / 2 if scale == "lin" else math.sqrt(low * high)
    return PetabParameter(row, label, value, _law(row, scale, low, high))


def _check_fixed(row: TableRow, scale: str) -> None:
    """Raises ConfigError where a value on a logarithmic scale looks like its logarithm."""
    value = row.number_in("nominalValue")
    if scale == "lin":
        return
    if value < 0:
        raise _on_its_scale(row, f"{value:g} is not > 0", scale)
    for column, is_beyond in (("lowerBound", value.__lt__), ("upperBound", value.__gt__)):
        if row.has(column) and is_beyond(row.number_in(column)):
            side = "below" if column == "lowerBound" else "above"
            why = f"{value:g} is {side} {column}, {row.number_in(column):g}"
            raise _on_its_scale(row, why, scale)


def _on_its_scale(row: TableRow, why: str, scale: str) -> ConfigError:
    value = row.number_in("nominalValue")
    try:
        meant = f"write {_linear(value, scale):g} if it is the {scale} of the value, else"
    except OverflowError:
        meant = "here"
    return row.mistake(
        "nominalValue",
        f"{why}, though parameterScale is {scale}: values are given as they are, not on the scale; "
        f"{meant} correct the value, its bounds or parameterScale",
    )


def _law(row: TableRow, scale: str, low: float, high: float) -> dict[str, list[float]]:
    """The law of the samples: between the bounds, evenly on the scale, or the prior.

    Normal laws are those of the prior within the bounds, log-normal ones too.
    """
    even = "uniform" if scale == "lin" else "loguniform"
    kind = row.choice(_TYPE, _PRIORS, "parameterScaleUniform")
    if kind.lower().endswith("laplace"):
        raise row.mistake(
            _TYPE, f"{kind} is not supported; take a uniform or normal prior, or leave it empty"
        )
    if not row.has(_NUMBERS):
        if kind.lower().endswith("normal"):
            raise row.mistake(_NUMBERS, f"is empty; {kind} needs mean;standard deviation")
        return {"uniform" if kind == "uniform" else even: [low, high]}
    first, second = _pair(row)
    if kind.lower().endswith("uniform"):
        if kind == "parameterScaleUniform" and scale != "lin":
            first, second = (_linear(x, scale) for x in (first, second))
        first, second = max(first, low), min(second, high)
        if not first < second:
            raise row.mistake(_NUMBERS, "leaves nothing between the bounds")
        return {"uniform" if kind == "uniform" else even: [first, second]}
    if not second > 0:
        raise row.mistake(_NUMBERS, f"the standard deviation {second:g} is not > 0")
    if kind == "normal" or (kind == "parameterScaleNormal" and scale == "lin"):
        return {"truncnormal": [first, second, low, high]}
    if not low > 0:
        raise row.mistake("lowerBound", f"{low:g} is not > 0, as the prior {kind} needs")
    factor = math.log(10) if kind == "parameterScaleNormal" and scale == "log10" else 1.0
    return {"trunclognormal": [first * factor, second * factor, low, high]}


def _pair(row: TableRow) -> tuple[float, float]:
    parts = [as_number(part) for part in row.text(_NUMBERS).split(";")]
    first, *rest = parts
    if len(rest) != 1 or first is None or rest[0] is None or not math.isfinite(first + rest[0]):
        raise row.mistake(_NUMBERS, f"{row.text(_NUMBERS)!r} is not two numbers, 1;2")
    return first, rest[0]


def _linear(value: float, scale: str) -> float:
    return 10.0**value if scale == "log10" else math.exp(value)
