"""Designs from a file: CSV, Parquet or NetCDF; its columns are the axes, its rows the samples."""

import csv
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from odeflow.config.design import DesignConfig
from odeflow.files.csv_cells import TableError, check_names, is_number, not_a_number, read_cells
from odeflow.files.errors import ConfigError
from odeflow.files.extras import needed
from odeflow.files.plain_text import one_spelling

#: Columns that number the rows; no axis can have these names.
_ROW_LABELS = ("sample", "index", "__index_level_0__")


def read_table(design: DesignConfig, root: Path) -> Mapping[str, np.ndarray]:
    """Columns of the table in order: float64, read-only, of one length.

    The file is read once and again when it changes. Raises ConfigError, which names file, column
    and row (counted from 1, without the header), where it is not a table of finite numbers.
    """
    name = design.path or ""
    path = root / name
    if path.suffix.lower() not in _READERS:
        raise _mistake(name, f"not a kind of table; write one of {', '.join(_READERS)}")
    if path.is_dir():
        raise _mistake(name, "is a folder; name a file in it")
    try:
        state = path.stat()
    except OSError as error:
        raise _mistake(name, "no such file, relative to the study's folder") from error
    return _read(path, name, (state.st_mtime_ns, state.st_size, state.st_ino))


@lru_cache(maxsize=4)
def _read(path: Path, name: str, _version: tuple[int, ...]) -> Mapping[str, np.ndarray]:
    try:
        names, columns = _READERS[path.suffix.lower()](path)
    except TableError as error:
        raise _mistake(name, str(error)) from error
    except (OSError, ValueError, RuntimeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)  # not the path, which `name` has
        raise _mistake(name, f"cannot be read: {' '.join(reason.split())}") from error
    for label, column in zip(names, columns, strict=True):
        if not np.isfinite(column).all():
            row = int(np.argmin(np.isfinite(column)))
            found = "is missing" if np.isnan(column[row]) else f"is {column[row]:g}"
            text = f"column {label!r}, row {row + 1}: the value {found}"
            raise _mistake(name, f"{text}; give a finite number or remove the row")
        column.flags.writeable = False
    if not names or not len(columns[0]):
        raise _mistake(name, "has no " + ("rows below its header" if names else "columns"))
    return dict(zip(names, columns, strict=True))


def _mistake(name: str, text: str) -> ConfigError:
    return ConfigError(f"design.path: {name}: {text}")


_Columns = tuple[list[str], list[np.ndarray]]


def _read_csv(path: Path) -> _Columns:
    """Comma-separated values below one line of column names, as `read_cells` takes them."""
    names, body, _ = read_cells(path)
    try:
        values = np.array(body, float).reshape(len(body), len(names))
    except ValueError:
        raise _not_a_number(names, body) from None
    return names, list(np.ascontiguousarray(values.T))


def _not_a_number(names: list[str], body: list[list[str]]) -> TableError:
    row, column, text = next(
        (row, name, text)
        for row, line in enumerate(body, start=1)
        for name, text in zip(names, line, strict=True)
        if not is_number(text)
    )
    return TableError(f"column {column!r}, row {row}: {not_a_number(text)}")


def _read_parquet(path: Path) -> _Columns:
    """Columns of integers and floats; a column that numbers the rows is left out."""
    with needed("Parquet"):
        import pyarrow as pa
        from pyarrow import parquet

    table = parquet.ParquetFile(path).read()
    names, columns = [], []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name in _ROW_LABELS:
            continue
        if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            raise TableError(f"column {name!r} holds {column.type}, not numbers")
        names.append(one_spelling(name))
        columns.append(column.cast(pa.float64(), safe=False).to_numpy().copy())
    if names:
        check_names(names)
    return names, columns


def _read_netcdf(path: Path) -> _Columns:
    """Variables over one common dimension; a coordinate that numbers the rows is left out."""
    with needed("NetCDF"):
        import netCDF4

    names, columns, dimension = [], [], None
    with netCDF4.Dataset(path) as file:
        for name, variable in file.variables.items():
            if name in _ROW_LABELS:
                continue
            dimension = dimension or variable.dimensions
            if len(variable.dimensions) != 1 or variable.dimensions != dimension:
                raise TableError(
                    f"variable {name!r} has the dimensions ({', '.join(variable.dimensions)}); "
                    "a table's variables have one dimension, and the same"
                )
            if not isinstance(variable.dtype, np.dtype) or variable.dtype.kind not in "iuf":
                raise TableError(f"variable {name!r} does not hold numbers")
            names.append(one_spelling(name))
            columns.append(np.ma.filled(variable[:].astype(float), np.nan))
    return names, columns


_READERS: dict[str, Callable[[Path], Any]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".nc": _read_netcdf,
}
