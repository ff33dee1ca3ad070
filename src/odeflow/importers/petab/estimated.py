"""The estimated parameters of a PEtab problem with their scales, bounds and objective priors."""

import math
from pathlib import Path
from typing import Literal, cast

from odeflow.config.root import Config
from odeflow.importers.petab.of_study import read_meaning
from odeflow.importers.petab.priors import BoundedPrior
from odeflow.importers.petab.tables import TableRow, as_number
from odeflow.problem.estimated import SCALES, Estimated, Prior, Scale, on_scale

_TYPE, _NUMBERS = "objectivePriorType", "objectivePriorParameters"
_KINDS: dict[str, tuple[Literal["normal", "laplace"], Literal["scale", "value", "log"]]] = {
    "normal": ("normal", "value"),
    "laplace": ("laplace", "value"),
    "logNormal": ("normal", "log"),
    "logLaplace": ("laplace", "log"),
    "parameterScaleNormal": ("normal", "scale"),
    "parameterScaleLaplace": ("laplace", "scale"),
}
_UNIFORM = ("uniform", "parameterScaleUniform")


def read_estimated(config: Config, study: Path) -> list[Estimated]:
    """The parameters that the problem of `design.petab` estimates, in the order of its table.

    Arguments:
        config: the experiment.
        study: the folder that the problem's file is relative to.

    Returns:
        One record per parameter; uniform priors are those of the bounds.

    Raises:
        ConfigError: a row is not what PEtab says: names file, row and column.
    """
    assert config.design.petab is not None
    meaning = read_meaning(config.design.petab, study)
    found = []
    for identifier, one in meaning.problem.parameters.items():
        if one.law is None:
            continue
        nominal = one.value if one.has_nominal else None
        if one.prior is not None:
            found.append(_bounded(meaning.names[identifier], one.row, one.prior, nominal))
            continue
        scale = cast(Scale, one.row.choice("parameterScale", SCALES, "lin"))
        lower, upper = (_bound(one.row, column, scale) for column in ("lowerBound", "upperBound"))
        found.append(
            Estimated(meaning.names[identifier], scale, lower, upper, nominal, _prior(one.row))
        )
    return found


def _bounded(name: str, row: TableRow, prior: BoundedPrior, nominal: float | None) -> Estimated:
    """A parameter of version 2, which has no scale."""
    if not prior.can_be_estimated:
        raise row.mistake(
            "priorDistribution",
            f"{prior.distribution} is not supported in an estimation; take another prior, or "
            "uniform",
        )
    for column, bound in (("lowerBound", prior.lower), ("upperBound", prior.upper)):
        if math.isinf(bound):
            raise row.mistake(column, f"{bound:g}: an estimation needs a finite number")
    return Estimated(name, "lin", prior.lower, prior.upper, nominal, prior.objective)


def _bound(row: TableRow, column: str, scale: Scale) -> float:
    value = row.number_in(column)
    if scale != "lin" and not value > 0:
        raise row.mistake(column, f"{value:g} is not > 0, as parameterScale {scale} needs")
    return on_scale(value, scale)


def _prior(row: TableRow) -> Prior | None:
    kind = row.choice(_TYPE, (*_KINDS, *_UNIFORM), "parameterScaleUniform")
    if kind in _UNIFORM:
        return None
    numbers = [as_number(part) for part in row.text(_NUMBERS).split(";")]
    if len(numbers) != 2 or any(x is None or not math.isfinite(x) for x in numbers):
        raise row.mistake(_NUMBERS, f"{row.text(_NUMBERS)!r} is not two numbers, 1;2")
    location, spread = cast(list[float], numbers)
    if not spread > 0:
        raise row.mistake(_NUMBERS, f"the second, {spread:g}, is not > 0")
    return Prior(*_KINDS[kind], location, spread)
