"""The YAML file of a PEtab problem (format version 1) and the records of its tables.

Reference: Schmiester et al. (2021), PEtab: interoperable specification of parameter estimation
problems in systems biology, PLoS Comput. Biol. 17. What a formula or an id means in the model is
not looked at here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from odeflow.config.study_files import refuse_bomb, yaml_mistake
from odeflow.config.yaml_text import read_yaml
from odeflow.files.text_files import read_text
from odeflow.importers.petab.conditions import Condition, read_conditions
from odeflow.importers.petab.measurements import Measurement, read_measurements
from odeflow.importers.petab.observables import Observable, read_observables
from odeflow.importers.petab.parameters import PetabParameter, read_parameters
from odeflow.importers.petab.tables import mistake

_KEYS = ("format_version", "parameter_file", "problems")
_LISTS = ("sbml_files", "condition_files", "measurement_files", "observable_files")
_NOT_READ = ("visualization_files",)


@dataclass(frozen=True)
class PetabProblem:
    """A PEtab problem: its tables' records by id, in the order of the files.

    `sbml` is the model's file relative to the study, `columns` are the ids that the condition
    tables have columns for.
    """

    file: str
    sbml: str
    parameters: Mapping[str, PetabParameter]
    conditions: Mapping[str, Condition]
    columns: list[str]
    observables: Mapping[str, Observable]
    measurements: list[Measurement]


def read_problem(file: str, study: Path) -> PetabProblem:
    """The problem of a YAML file, its path relative to the study, all of its tables read.

    Raises ConfigError: one line with file, row and column, and what is allowed.
    """
    folder = (study / file).parent
    given = _read_yaml(study / file, file)
    version = str(given.get("format_version"))
    if version.split(".")[0] != "1":
        raise mistake(file, f"format_version: {version} is not supported; 1 is")
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
    sbml, conditions, measurements, observables = (_files(file, one, key, folder) for key in _LISTS)
    if len(sbml) != 1:
        raise mistake(file, f"problems: sbml_files: one model is needed, not {len(sbml)}")
    parameters = read_parameters(folder, _files(file, given, "parameter_file", folder))
    columns, of_condition = read_conditions(folder, conditions)
    of_observable = read_observables(folder, observables)
    return PetabProblem(
        file,
        str(PurePosixPath(file).parent / sbml[0]),
        parameters,
        of_condition,
        columns,
        of_observable,
        read_measurements(folder, measurements, of_observable, of_condition),
    )


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


def _files(file: str, record: Mapping[str, Any], key: str, folder: Path) -> list[str]:
    """The files that a key names, which all exist."""
    value = record.get(key)
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(x, str) for x in names):
        raise mistake(file, f"{key}: the name of a file, or a list of names, is needed")
    for name in names:
        if not (folder / name).is_file():
            raise mistake(file, f"{key}: no file {name!r} beside it")
    return names
