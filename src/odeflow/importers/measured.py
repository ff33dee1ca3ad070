"""Measurements in a CSV file: `time, variable, value`, with or without `sd` and `condition`."""

import csv
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from odeflow.config.estimate import EstimateConfig
from odeflow.config.root import Config
from odeflow.config.shipped import shipped_config
from odeflow.config.validate import nearest
from odeflow.files.csv_cells import TableError, not_a_number, read_cells
from odeflow.files.errors import ConfigError
from odeflow.importers.noise import noise_of, own_noise
from odeflow.importers.petab.likelihood_data import Group, Measurements

_NEEDED, _OPTIONAL = ("time", "variable", "value"), ("sd", "condition")


class _Row(NamedTuple):
    """A line of the file; `sd` is None where the column is not there."""

    line: int
    time: float
    variable: str
    value: float
    sd: float | None
    condition: int


def read_measured(config: Config, study: Path) -> Measurements:
    """The measurements of `analyse.estimate.data`.

    Arguments:
        config: the experiment.
        study: the folder that the file is relative to.

    Returns:
        The rows in groups of one variable under one condition.

    Raises:
        ConfigError: the file, or a row of it, is not what is needed: names line and column.
    """
    estimate = config.analyse.estimate
    assert estimate is not None and estimate.data is not None
    rows = _rows(config, estimate.data, study)
    groups: dict[tuple[str, int], list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault((row.variable, row.condition), []).append(number)
    conditions = list(config.design.conditions) or [""]
    made = [_group(estimate, rows, *key, numbers) for key, numbers in groups.items()]
    return Measurements(len(rows), conditions, made)


def measured_file(file: str, study: Path) -> Path:
    """Where a file of measurements is: in the study, else beside the experiments that ship."""
    own, beside = study / file, shipped_config() / "experiment" / file
    return beside if beside.is_file() and not own.is_file() else own


def _group(
    estimate: EstimateConfig, rows: list[_Row], variable: str, condition: int, numbers: list[int]
) -> Group:
    own = [rows[number] for number in numbers]
    if own[0].sd is not None:
        noise = own_noise(np.array([row.sd for row in own]))
    else:
        noise = noise_of(estimate.noise[variable], variable)
    times, values = (np.array([getattr(row, key) for row in own]) for key in ("time", "value"))
    where = np.array(numbers)
    return Group(variable, condition, where, times, values, "lin", "normal", *noise)


def _rows(config: Config, file: str, study: Path) -> list[_Row]:
    key = f"analyse.estimate.data: {file}"
    try:
        cells = read_cells(measured_file(file, study))
    except FileNotFoundError:
        raise ConfigError(f"{key}: no such file, relative to the study's folder") from None
    except (TableError, OSError, csv.Error) as error:
        raise ConfigError(f"{key}: {error}") from None
    for name in _NEEDED:
        if name not in cells.names:
            raise ConfigError(f"{key}: has no column {name}{nearest(name, cells.names)}")
    for name in cells.names:
        if name not in (*_NEEDED, *_OPTIONAL):
            raise ConfigError(
                f"{key}: column {name!r} is not known{nearest(name, (*_NEEDED, *_OPTIONAL))}"
            )
    if not cells.rows:
        raise ConfigError(f"{key}: has no rows below its header; one measurement is needed")
    return [
        _row(config, f"{key}, line {line}", line, dict(zip(cells.names, texts)))
        for line, texts in zip(cells.lines, cells.rows)
    ]


def _row(config: Config, place: str, line: int, texts: dict[str, str]) -> _Row:
    numbers = {name: _number(place, name, texts[name]) for name in ("time", "value")}
    t0 = config.model.t0
    if numbers["time"] < t0:
        raise ConfigError(f"{place}, column time: {numbers['time']:g} is before model.t0, {t0:g}")
    variable = texts["variable"].strip()
    observables = config.model.observables
    known = [*config.model.states, *(observables.variables if observables else [])]
    if variable not in known and (observables is None or observables.variables):
        raise ConfigError(
            f"{place}, column variable: {variable!r} is not a state or observable"
            f"{nearest(variable, known)}"
        )
    sd = _number(place, "sd", texts["sd"]) if "sd" in texts else None
    if sd is not None and not sd > 0:
        raise ConfigError(f"{place}, column sd: {sd:g} is not > 0")
    estimate = config.analyse.estimate
    assert estimate is not None
    if sd is None and variable not in estimate.noise:
        raise ConfigError(
            f"analyse.estimate.noise: nothing for {variable}, and {estimate.data} has no column "
            f"sd; give {{{variable}: a number, or the name of an estimated parameter}}"
        )
    return _Row(
        line, numbers["time"], variable, numbers["value"], sd, _condition(config, place, texts)
    )


def _condition(config: Config, place: str, texts: dict[str, str]) -> int:
    conditions = list(config.design.conditions)
    name = texts.get("condition", "").strip()
    if not conditions and not name:
        return 0
    if name not in conditions:
        raise ConfigError(
            f"{place}, column condition: {name!r} is not one of design.conditions"
            f"{nearest(name, conditions)}"
        )
    return conditions.index(name)


def _number(place: str, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ConfigError(f"{place}, column {column}: {not_a_number(text)}") from None
    if not math.isfinite(value):
        raise ConfigError(f"{place}, column {column}: {text} is not finite; remove the row")
    return value
