"""The measurements of a PEtab problem for the likelihood, in terms of the dataset."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from odeflow.config.root import Config
from odeflow.design import column_names
from odeflow.importers.expressions.expression import TIME, names
from odeflow.importers.petab.likelihood_data import NOISE, Group, Measurements
from odeflow.importers.petab.meaning import Meaning, Output
from odeflow.importers.petab.measurements import Measurement
from odeflow.importers.petab.of_study import read_meaning
from odeflow.importers.petab.tables import TableRow, as_number
from odeflow.importers.sbml.formulas import extended, parse_formula, quantities
from odeflow.importers.sbml.system import System
from odeflow.problem.axis_names import axis_coordinate


def read_measurements(config: Config, study: Path) -> Measurements:
    """The measurements of a study that has a PEtab problem.

    Raises ConfigError where the tables are no longer what the config was made from.
    """
    assert config.design.petab is not None
    meaning = read_meaning(config.design.petab, study)
    conditions = list(config.design.conditions)
    name_of = {pair: name for name, pair in meaning.conditions.items()}
    groups: dict[tuple, list[int]] = {}
    for number, one in enumerate(meaning.problem.measurements):
        named = tuple(text if as_number(text) is None else None for text in one.noise_parameters)
        key = (meaning.output_of(one), conditions.index(name_of[one.condition, one.before]), named)
        groups.setdefault(key, []).append(number)
    rows = meaning.problem.measurements
    added = [name for name, one in config.model.parameters.items() if one.added]
    formulas = config.model.observables.formulas if config.model.observables else {}
    system = extended(meaning.system, formulas, added)  # noise may read the formulas
    made = [
        _group(config, study, meaning, system, output, condition, numbers)
        for (output, condition, _), numbers in groups.items()
    ]
    return Measurements(len(rows), conditions, made)


def _group(
    config: Config,
    study: Path,
    meaning: Meaning,
    system: System,
    output: Output,
    condition: int,
    numbers: list[int],
) -> Group:
    problem = meaning.problem
    observable, rows = problem.observables[output.observable], problem.measurements
    measured = [rows[number] for number in numbers]
    named, constants = _placeholders(observable.noise_placeholders, measured)
    known = {**quantities(system), **{name: name for name in constants}}
    noise = parse_formula(meaning.noise_formula(output, named), known)
    equations = (*system.needed(noise), (NOISE, noise))
    read = dict.fromkeys(names(*(expression for _, expression in equations)))
    defined = {name for name, _ in equations} | {TIME, *constants}
    columns = column_names(config.design, study)
    states, of_sample = [], {}
    for name in (name for name in read if name not in defined):
        if name in config.model.states:
            _check_saved(config, observable.row, name)
            states.append(name)
        elif name in columns:
            of_sample[name] = axis_coordinate(name, config.model)
        else:
            _check_constant(config, observable.row, name, columns)
            constants[name] = config.model.parameters[name].value
    return Group(
        output.variable,
        condition,
        np.array(numbers),
        np.array([one.time for one in measured]),
        np.array([one.value for one in measured]),
        observable.transformation,
        observable.distribution,
        equations,
        states,
        of_sample,
        constants,
    )


def _placeholders(
    placeholders: list[str], measured: list[Measurement]
) -> tuple[dict[str, str], dict]:
    """What placeholders of the noise stand for: names by placeholder, and numbers, one per row."""
    named, numbers = {}, {}
    for i, placeholder in enumerate(placeholders):
        first = measured[0].noise_parameters[i]
        if as_number(first) is None:
            named[placeholder] = first
        else:
            numbers[placeholder] = np.array([float(one.noise_parameters[i]) for one in measured])
    return named, numbers


def _check_saved(config: Config, row: TableRow, state: str) -> None:
    kept = config.saveat.variables
    if kept is not None and state not in kept:
        raise row.mistake("noiseFormula", f"reads {state}; add it to saveat.variables")


def _check_constant(config: Config, row: TableRow, name: str, columns: Iterable[str]) -> None:
    depends_on = (config.model.computed or {}).get(name, [])
    if name not in config.model.parameters or set(depends_on) & set(columns):
        raise row.mistake(
            "noiseFormula", f"reads {name}, which the model computes at t0; read what it is made of"
        )
