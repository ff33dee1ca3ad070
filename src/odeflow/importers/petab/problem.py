"""The YAML file of a PEtab problem, and that of format version 1 with the records of its tables.

Reference: Schmiester et al. (2021), PEtab: interoperable specification of parameter estimation
problems in systems biology, PLoS Comput. Biol. 17. What a formula or an id means in the model is
not looked at here.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from odeflow.config.study_files import refuse_bomb, yaml_mistake
from odeflow.config.yaml_text import read_yaml
from odeflow.files.text_files import read_text
from odeflow.importers.petab.conditions import read_conditions
from odeflow.importers.petab.measurements import Measurement, read_measurements
from odeflow.importers.petab.observables import read_observables
from odeflow.importers.petab.parameters import read_parameters
from odeflow.importers.petab.records import PetabProblem
from odeflow.importers.petab.tables import listed_files, mistake
from odeflow.importers.petab.version2 import read_version2

_KEYS = ("format_version", "parameter_file", "problems")
_LISTS = ("sbml_files", "condition_files", "measurement_files", "observable_files")
_NOT_READ = ("visualization_files",)


def read_problem(file: str, study: Path) -> PetabProblem:
    """The problem of a YAML file, its path relative to the study, all of its tables read.

    Raises ConfigError: one line with file, row and column, and what is allowed.
    """
    folder = (study / file).parent
    given = _read_yaml(study / file, file)
    version = str(given.get("format_version")).split(".")[0]
    if version == "2":
        return read_version2(file, folder, given)
    if version == "1":
        return _read_version1(file, folder, given)
    raise mistake(file, f"format_version: {given.get('format_version')} is not supported; 1, 2 are")


def _read_version1(file: str, folder: Path, given: Mapping[str, Any]) -> PetabProblem:
    if given.get("extensions"):
        raise mistake(file, "extensions: none is supported; remove them")
    problems = given.get("problems")
    if not isinstance(problems, list) or len(problems) != 1 or not isinstance(problems[0], dict):
        raise mistake(file, "problems: a list of one problem is needed")
    for key in given:
        if key not in (*_KEYS, "extensions"):
            raise mistake(file, f"{key}: no such key; known: {', '.join(_KEYS)}")
    one = problems[0]
    for key in one:
        if key not in (*_LISTS, *_NOT_READ):
            raise mistake(file, f"problems: {key}: no such key; known: {', '.join(_LISTS)}")
    sbml, conditions, measurements, observables = (
        listed_files(file, one, key, folder) for key in _LISTS
    )
    if len(sbml) != 1:
        raise mistake(file, f"problems: sbml_files: one model is needed, not {len(sbml)}")
    parameters = read_parameters(folder, listed_files(file, given, "parameter_file", folder))
    columns, of_condition = read_conditions(folder, conditions)
    of_observable = read_observables(folder, observables)
    measured = read_measurements(folder, measurements, of_observable, of_condition)
    return PetabProblem(
        file,
        str(PurePosixPath(file).parent / sbml[0]),
        parameters,
        of_condition,
        columns,
        of_observable,
        measured,
        _pairs(of_condition, measured),
        [x for one in of_condition.values() for x in one.settings.values()],
    )


def _pairs(
    conditions: Iterable[str], measured: Iterable[Measurement]
) -> list[tuple[str, str | None]]:
    """The conditions of measurements with those before, and those that no measurement names."""
    pairs = dict.fromkeys((one.condition, one.before) for one in measured)
    named = {name for pair in pairs for name in pair}
    found: list[tuple[str, str | None]] = []
    for condition in conditions:
        found += [pair for pair in pairs if pair[0] == condition]
        if condition not in named:
            found.append((condition, None))
    return found


def _read_yaml(path: Path, file: str) -> dict[str, Any]:
    try:
        data = read_yaml(read_text(path))
    except FileNotFoundError:
        raise mistake(file, "no such file, relative to the study's folder") from None
    except (OSError, UnicodeDecodeError) as error:
        raise mistake(file, f"cannot be read: {error}") from None
    except RecursionError:
        raise mistake(file, "nested too deeply; a few levels are enough") from None
    except yaml.YAMLError as error:
        raise mistake(file, yaml_mistake(error)) from None
    refuse_bomb(data, f"design.petab: {file}")
    if not isinstance(data, dict):
        raise mistake(file, "expected keys and values; is it the YAML file of the problem?")
    return {str(key): value for key, value in data.items()}
