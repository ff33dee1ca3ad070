"""PEtab problems of format version 2: the YAML file and its tables, read into the same records.

Reference: the PEtab data format specification, format version 2.0.0.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from odeflow.importers.petab.conditions import read_long_conditions
from odeflow.importers.petab.experiments import Experiment, read_experiments, start_of
from odeflow.importers.petab.formulas import renamed
from odeflow.importers.petab.measurements import Measurement, overrides, time_in
from odeflow.importers.petab.observables import Observable
from odeflow.importers.petab.parameters import PetabParameter
from odeflow.importers.petab.priors import read_prior
from odeflow.importers.petab.records import PetabProblem
from odeflow.importers.petab.tables import TableRow, each_once, listed_files, mistake, read_table

#: Keys of tables, with the columns that each needs.
_TABLES = {
    "parameter_files": ("parameterId", "lowerBound", "upperBound", "estimate"),
    "condition_files": ("conditionId", "targetId", "targetValue"),
    "experiment_files": ("experimentId", "time", "conditionId"),
    "observable_files": ("observableId", "observableFormula", "noiseFormula"),
    "measurement_files": ("observableId", "experimentId", "measurement", "time"),
    "mapping_files": ("petabEntityId", "modelEntityId"),
}
_NEEDED = ("observable_files", "measurement_files")
_KEYS = ("format_version", "model_files", *_TABLES)
_NOT_READ = ("id", "visualization_files")
#: Columns with ids of the model, which a mapping table may call otherwise.
_NAMING = (
    "parameterId", "targetId", "targetValue", "observableFormula", "noiseFormula",
    "observableParameters", "noiseParameters",
)  # fmt: skip
_DISTRIBUTIONS = {
    "normal": ("lin", "normal"),
    "laplace": ("lin", "laplace"),
    "log-normal": ("log", "normal"),
    "log-laplace": ("log", "laplace"),
}
#: What is simulated without an experiment.
_AS_IT_IS = "model"


def read_version2(file: str, folder: Path, given: Mapping[str, Any]) -> PetabProblem:
    """The problem of a YAML file's content; raises ConfigError with file, row and column."""
    if given.get("extensions"):
        named = ", ".join(map(str, given["extensions"]))
        raise mistake(file, f"extensions: {named}: none is supported; remove them")
    for key in given:
        if key not in (*_KEYS, *_NOT_READ, "extensions"):
            raise mistake(file, f"{key}: no such key; known: {', '.join(_KEYS)}")
    model, sbml = _model(file, given.get("model_files"), folder)
    rows = {key: _rows(file, given, key, folder) for key in _TABLES}
    for key in _NEEDED:
        if not rows[key]:
            raise mistake(file, f"{key}: no rows; one is needed")
    aliases = _aliases(rows["mapping_files"])
    rows = {key: [_with_ids(row, aliases) for row in found] for key, found in rows.items()}
    conditions = read_long_conditions(rows["condition_files"])
    experiments = read_experiments(rows["experiment_files"], conditions)
    observables = {
        name: _observable(row) for name, row in each_once(rows["observable_files"], "observableId")
    }
    parameters = {
        name: _parameter(row) for name, row in each_once(rows["parameter_files"], "parameterId")
    }
    as_it_is = _AS_IT_IS
    while as_it_is in experiments:
        as_it_is += "_"
    measurements = [
        _measurement(row, observables, experiments, as_it_is, model)
        for row in rows["measurement_files"]
    ]
    without = [one for one in measurements if one.condition == as_it_is]
    return PetabProblem(
        file=file,
        sbml=str(PurePosixPath(file).parent / sbml),
        parameters=parameters,
        conditions={},
        columns=[],
        observables=observables,
        measurements=measurements,
        pairs=[
            (name, None if x.before is None else before(name)) for name, x in experiments.items()
        ]
        + ([(as_it_is, None)] if without else []),
        settings=[x for one in conditions.values() for x in one.settings.values()],
        experiments=experiments,
        start=start_of(experiments, bool(without)),
    )


def before(experiment: str) -> str:
    """The name of what an experiment is at rest under before it begins."""
    return f"{experiment} before"


def _model(file: str, given: Any, folder: Path) -> tuple[str, str]:
    """The model's id and its file."""
    if not isinstance(given, Mapping) or not given:
        raise mistake(file, "model_files: {id: {location, language: sbml}} is needed")
    if len(given) > 1:
        raise mistake(file, f"model_files: {len(given)} models are not supported; one is")
    ((name, record),) = given.items()
    location = record.get("location") if isinstance(record, Mapping) else None
    if not isinstance(location, str):
        raise mistake(file, f"model_files: {name}: location: the name of a file is needed")
    if record.get("language") != "sbml":
        language = record.get("language")
        raise mistake(file, f"model_files: {name}: language: {language} is not supported; sbml is")
    if not (folder / location).is_file():
        raise mistake(file, f"model_files: {name}: location: no file {location!r} beside it")
    return str(name), location


def _rows(file: str, given: Mapping[str, Any], key: str, folder: Path) -> list[TableRow]:
    if not given.get(key):
        return []
    files = listed_files(file, given, key, folder)
    return [row for one in files for row in read_table(folder, one, _TABLES[key], None)[1]]


def _aliases(rows: Iterable[TableRow]) -> dict[str, str]:
    """The model's ids by those that stand for them in the tables."""
    mapped = dict(each_once(rows, "petabEntityId"))
    return {
        name: row.identifier("modelEntityId")
        for name, row in mapped.items()
        if row.has("modelEntityId")
    }


def _with_ids(row: TableRow, aliases: Mapping[str, str]) -> TableRow:
    if not aliases:
        return row
    named = {column: renamed(row.cells[column], aliases) for column in _NAMING if row.has(column)}
    return replace(row, cells={**row.cells, **named})


def _observable(row: TableRow) -> Observable:
    word = row.choice("noiseDistribution", (*_DISTRIBUTIONS,), "normal")
    return Observable(
        row,
        row.cells["observableName"] if row.has("observableName") else None,
        row.text("observableFormula"),
        row.text("noiseFormula"),
        *_DISTRIBUTIONS[word],
        _placeholders(row, "observablePlaceholders"),
        _placeholders(row, "noisePlaceholders"),
    )


def _placeholders(row: TableRow, column: str) -> list[str]:
    """The ids that measurements give values for."""
    found = [x.strip() for x in row.cells[column].split(";")] if row.has(column) else []
    for name in found:
        replace(row, cells={column: name}).identifier(column)
        if found.count(name) > 1:
            raise row.mistake(column, f"{name} occurs more than once; keep one")
    return found


def _parameter(row: TableRow) -> PetabParameter:
    label = row.cells["parameterName"] if row.has("parameterName") else None
    row.text("estimate")
    if row.choice("estimate", ("true", "false", "True", "False"), "").lower() == "false":
        return PetabParameter(row, label, row.number_in("nominalValue"), None)
    low, high = (_bound(row, column) for column in ("lowerBound", "upperBound"))
    if not low < high:
        raise row.mistake("upperBound", f"{high:g} is not above lowerBound, {low:g}")
    prior = read_prior(row, low, high)
    if row.has("nominalValue"):
        value = row.number_in("nominalValue")
    elif math.isinf(low) or math.isinf(high):
        raise row.mistake("nominalValue", "is empty, and the bounds have no middle; give it")
    else:
        value = (low + high) / 2
    return PetabParameter(row, label, value, prior.law, prior)


def _bound(row: TableRow, column: str) -> float:
    """A bound, infinite where there is none."""
    if row.text(column).lower().lstrip("+-") in ("inf", "infinity"):
        return float(row.text(column))
    return row.number_in(column)


def _measurement(
    row: TableRow,
    observables: Mapping[str, Observable],
    experiments: Mapping[str, Experiment],
    as_it_is: str,
    model: str,
) -> Measurement:
    name = row.known(
        "observableId", row.identifier("observableId"), observables, "in the observable table"
    )
    experiment, key = None, "experimentId"
    if row.has(key):
        named = row.known(key, row.identifier(key), experiments, "in the experiment table")
        experiment = experiments[named]
    if row.has("modelId"):
        row.known("modelId", row.cells["modelId"], [model], "in model_files")
    observable, value, time = observables[name], row.number_in("measurement"), time_in(row)
    if observable.transformation != "lin" and not value > 0:
        raise row.mistake("measurement", f"{value:g} is not > 0, as noiseDistribution log-* needs")
    periods = experiment.periods if experiment else ()
    begins = periods[0].time if periods else 0.0
    if time < begins:
        raise row.mistake("time", f"{time:g} is before the experiment begins, at {begins:g}")
    return Measurement(
        row,
        name,
        row.cells[key] if experiment else as_it_is,
        before(row.cells[key]) if experiment and experiment.before else None,
        time,
        value,
        overrides(row, "observableParameters", observable.observable_placeholders),
        overrides(row, "noiseParameters", observable.noise_placeholders),
    )
