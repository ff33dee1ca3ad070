"""Array parameters and initial values of a study's files, as the numbers of the config."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from odeflow.config.validate import nearest
from odeflow.files.csv_cells import (
    TableError,
    first_not_a_number,
    is_number,
    not_a_number,
    read_cells,
)
from odeflow.files.errors import ConfigError, shown
from odeflow.files.extras import needed

#: Entries of a file that a config, and with it every file of results, has room for.
_MOST_ENTRIES = 10_000


def with_arrays(model: Any, study: Path) -> Any:
    """The `model` group with the numbers of files in place of their names.

    Of parameters that is `file`, one or one for each category, of states an `initial` that names
    one; of a file with several arrays `variable` says which. Raises ConfigError, one line that
    names the key.
    """
    if not isinstance(model, Mapping):
        return model
    found = dict(model)
    for group, change in (("parameters", _parameter), ("states", _state)):
        records = model.get(group)
        if isinstance(records, Mapping):
            found[group] = {
                name: change(f"model.{group}.{name}", record, study)
                if isinstance(record, Mapping)
                else record
                for name, record in records.items()
            }
    return found


def _parameter(key: str, record: Mapping[str, Any], study: Path) -> Mapping[str, Any]:
    file = record.get("file")
    if file is None:
        return record
    if record.get("value") is not None:
        raise ConfigError(f"{key}: value and file exclude each other; keep one")
    rest = {name: value for name, value in record.items() if name not in ("file", "variable")}
    variable = record.get("variable")
    if isinstance(file, Mapping):
        read = {
            one: _read(f"{key}.file.{one}", name, variable, study) for one, name in file.items()
        }
        return {**rest, "value": read}
    return {**rest, "value": _read(f"{key}.file", file, variable, study)}


def _state(key: str, record: Mapping[str, Any], study: Path) -> Mapping[str, Any]:
    initial = record.get("initial")
    if isinstance(initial, Mapping) and "file" in initial:
        unknown = [name for name in initial if name not in ("file", "variable")]
        if unknown:
            raise ConfigError(f"{key}.initial: unknown key {unknown[0]}; known: file, variable")
        key, file, variable = f"{key}.initial.file", initial["file"], initial.get("variable")
        return {**record, "initial": _read(key, file, variable, study)}
    if not isinstance(initial, str) or not initial.lower().endswith(tuple(_READERS)):
        return record
    return {**record, "initial": _read(f"{key}.initial", initial, None, study)}


def _read(key: str, name: Any, variable: Any, study: Path) -> Any:
    """The numbers of a file, as nested lists."""
    path = PurePosixPath(str(name))
    if path.suffix.lower() not in _READERS:
        known = ", ".join(_READERS)
        raise ConfigError(f"{key}: {shown(str(name))} is no file of an array; known: {known}")
    if variable is not None and path.suffix.lower() != ".nc":
        raise ConfigError(f"{key}: {name} has no variables, those of .nc have; leave variable out")
    if path.is_absolute() or ".." in path.parts:
        raise ConfigError(f"{key}: {name} is outside of the study; copy the file into its folder")
    if not (study / path).is_file():
        raise ConfigError(f"{key}: {name}: no such file; it is looked for in the study's folder")
    try:
        values = _READERS[path.suffix.lower()](study / path, variable)
    except (TableError, OSError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{key}: {name}: {' '.join(str(error).split())}") from None
    if values.size > _MOST_ENTRIES:
        raise ConfigError(
            f"{key}: {name} has {values.size:,} entries; at most {_MOST_ENTRIES:,}, give larger "
            "arrays as model.data"
        )
    if not np.isfinite(values).all():
        at = ", ".join(str(i + 1) for i in np.argwhere(~np.isfinite(values))[0])
        raise ConfigError(f"{key}: {name}: element {at} is no finite number")
    return values.tolist()


def _read_csv(path: Path, _: None) -> np.ndarray:
    """Numbers below one line of names; a first column of text names the rows.

    One column, or a single one beside that, is an array of one dimension.
    """
    names, rows, lines = read_cells(path)
    columns = [[row[i] for row in rows] for i in range(len(names))]
    if len(columns) > 1 and rows and not any(map(is_number, columns[0])):
        names, columns = names[1:], columns[1:]
    for name, cells in zip(names, columns):
        wrong = first_not_a_number(cells)
        if wrong is not None:
            raise TableError(f"line {lines[wrong]}: column {name!r}: {not_a_number(cells[wrong])}")
    values = np.array(columns, float).T
    return values[:, 0] if len(columns) == 1 else values


def _read_npy(path: Path, _: None) -> np.ndarray:
    values = np.load(path, allow_pickle=False)
    if values.dtype.kind == "c":  # pairs, as a complex state has them
        return np.stack([values.real, values.imag], axis=-1).astype(float)
    if values.dtype.kind not in "iuf":
        raise TableError(f"it holds {values.dtype}, not numbers")
    return values.astype(float)


def _read_netcdf(path: Path, variable: Any) -> np.ndarray:
    """The variable of this name, or the only one that there is beside coordinates."""
    with needed("NetCDF"):
        import netCDF4

    with netCDF4.Dataset(path) as file:
        known = [name for name in file.variables if name not in file.dimensions]
        if variable is None and len(known) != 1:
            raise TableError(f"variable: say which one; it has {', '.join(known) or 'none'}")
        name = known[0] if variable is None else str(variable)
        if name not in file.variables:
            raise TableError(f"variable: no {name!r}{nearest(name, file.variables)}")
        found = file.variables[name]
        if not isinstance(found.dtype, np.dtype) or found.dtype.kind not in "iuf":
            raise TableError(f"variable: {name!r} does not hold numbers")
        return np.array(np.ma.filled(found[...].astype(float), np.nan))


_READERS = {".csv": _read_csv, ".npy": _read_npy, ".nc": _read_netcdf}
