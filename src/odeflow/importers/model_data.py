"""A model's files of numbers: read, checked and digested when a run is planned. Without JAX."""

from __future__ import annotations

import base64
import csv
import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from odeflow.config.base import is_attribute
from odeflow.config.data import DataFile
from odeflow.config.validate import nearest
from odeflow.files.csv_cells import TableError, first_not_a_number, not_a_number, read_cells
from odeflow.files.errors import ConfigError
from odeflow.files.extras import needed
from odeflow.files.plain_text import one_spelling
from odeflow.importers.file_dates import times_of_cells, times_since

if TYPE_CHECKING:
    from odeflow.config.model import ModelConfig

#: Bytes of a file at most: each result holds a copy, from which it is made again.
MOST_BYTES = 2**25

#: What a file gives the field: arrays by name, or a single one under the name None.
Arrays = Mapping[str | None, np.ndarray]


def read_data(model: ModelConfig, study: Path) -> dict[str, Arrays]:
    """The arrays of each entry of `model.data`, read-only.

    Those of columns are float64, of one length in a table; an array keeps whole numbers and truth
    values. Raises ConfigError, one line, where a file is missing, cannot be read or does not hold
    what the config says: finite numbers, increasing where they must be.
    """
    return {name: _arrays(f"model.data.{name}", data, study) for name, data in model.data.items()}


def read_table(key: str, data: DataFile, study: Path, time_units: str) -> Arrays:
    """The columns of a file that the key of the model names; raises as `read_data`.

    Those that increase are times, in these units or dates.
    """
    return _arrays(f"model.{key}", data, study, time_units)


def check_precision(model: ModelConfig, study: Path, precision: str) -> None:
    """Raises ConfigError where increasing values are not told apart in single precision."""
    if precision == "float64":
        return
    for key, data in model.data.items():
        arrays = _arrays(f"model.data.{key}", data, study)
        for name in _increasing(data, arrays):
            with np.errstate(over="ignore"):
                values = arrays[name].astype(precision)
            if not (np.isfinite(values).all() and (np.diff(values) > 0).all()):
                raise ConfigError(
                    f"model.data.{key}: {data.file}: values of {name!r} are no longer apart in "
                    f"{precision}; count them from the first one, or use runtime.precision=float64"
                )


def data_bytes(model: ModelConfig, study: Path) -> dict[str, bytes]:
    """The content of each of a model's files of numbers, by its name in the config."""
    found = {}
    for key, data in model.files.items():
        _stat(f"model.{key}", data, study)
        found[data.file] = (study / data.file).read_bytes()
    return found


def data_digests(model: ModelConfig, study: Path) -> dict[str, str]:
    """SHA-256 of each of these files, in hexadecimal."""
    contents = data_bytes(model, study).items()
    return {file: hashlib.sha256(content).hexdigest() for file, content in sorted(contents)}


def stored(contents: Mapping[str, bytes]) -> dict[str, str]:
    """Files as text, which JSON holds: `text:` and their UTF-8, else `base64:` and that."""

    def as_text(content: bytes) -> str:
        try:
            return f"text:{content.decode()}"
        except UnicodeDecodeError:
            return f"base64:{base64.b64encode(content).decode()}"

    return {file: as_text(content) for file, content in sorted(contents.items())}


def restored(texts: Mapping[str, str]) -> dict[str, bytes]:
    """The content of files from what `stored` made of them."""
    split = {file: text.split(":", 1) for file, text in texts.items()}
    return {
        file: rest.encode() if kind == "text" else base64.b64decode(rest)
        for file, (kind, rest) in split.items()
    }


def _stat(key: str, data: DataFile, study: Path) -> Any:
    """What the system says of a file; ConfigError where it is not one that can be used."""
    path = study / data.file
    if path.is_dir():
        raise ConfigError(f"{key}.file: {data.file} is a folder; name a file in it")
    try:
        found = path.stat()
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise ConfigError(
            f"{key}.file: {data.file}: {reason}; it is looked for in the study's folder"
        ) from None
    if found.st_size > MOST_BYTES:
        raise ConfigError(
            f"{key}.file: {data.file} has {found.st_size / 2**20:,.0f} MB; at most "
            f"{MOST_BYTES // 2**20} can be handed to a field, keep the rows and columns it needs"
        )
    return found


def _arrays(key: str, data: DataFile, study: Path, time_units: str | None = None) -> Arrays:
    found = _stat(key, data, study)
    state = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
    return _read(key, data.model_dump_json(), study / data.file, time_units, state)


@lru_cache(maxsize=32)
def _read(
    key: str, asked: str, path: Path, time_units: str | None, _version: tuple[int, ...]
) -> Arrays:
    data = DataFile.model_validate_json(asked)
    lines: list[int] = []
    try:
        arrays, lines = _READERS[PurePosixPath(data.file).suffix.lower()](path, data, time_units)
        columns = data.named or {}
        otherwise = ", or write `increasing: []` where nothing is looked up in it"
        for name, values in arrays.items():
            _check_finite(name and columns.get(name, name), values, lines)
        for name in _increasing(data, arrays):
            hint = otherwise if key.startswith("model.data.") else ""
            _check_increasing(columns.get(name, name), arrays[name], lines, hint)
    except TableError as error:
        raise ConfigError(f"{key}: {data.file}: {error}") from None
    except (OSError, ValueError, RuntimeError, csv.Error, EOFError) as error:
        reason = " ".join((getattr(error, "strerror", None) or str(error)).split())
        raise ConfigError(f"{key}: {data.file}: cannot be read: {reason}") from None
    for values in arrays.values():
        values.flags.writeable = False
    return arrays


def _increasing(data: DataFile, arrays: Arrays) -> list[str]:
    """The columns that must increase."""
    columns = [name for name in arrays if name is not None]
    if data.increasing is None:
        return columns[:1] if len(columns) > 1 and arrays[columns[0]].ndim == 1 else []
    for name in data.increasing:
        if name not in columns:
            raise TableError(f"increasing: no column {name!r}{nearest(name, columns)}")
        if arrays[name].ndim != 1:
            raise TableError(f"increasing: {name!r} has {arrays[name].ndim} dimensions, not one")
    return data.increasing


def _place(at: tuple[int, ...], lines: list[int]) -> str:
    return f"line {lines[at[0]]}" if lines else f"element {', '.join(str(i + 1) for i in at)}"


def _check_finite(name: str | None, values: np.ndarray, lines: list[int]) -> None:
    if not values.size:
        raise TableError("holds no numbers")
    if not np.isfinite(values).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        found = "is missing or NaN" if np.isnan(values[at]) else f"is {values[at]:g}"
        column = "" if name is None else f" of {name!r}"
        raise TableError(f"{_place(at, lines)}: the value{column} {found}; give a finite number")


def _check_increasing(name: str, values: np.ndarray, lines: list[int], hint: str) -> None:
    steps = np.diff(values)
    if not (steps > 0).all():
        at = int(np.argmin(steps > 0)) + 1
        raise TableError(
            f"{_place((at,), lines)}: {name!r} must increase, but {values[at]:.17g} follows "
            f"{values[at - 1]:.17g}; sort the rows and keep one of equal ones{hint}"
        )


def _wanted(data: DataFile, known: list[str]) -> dict[str, str]:
    """The file's name of each column to read, by the name in `args`."""
    folded = [unicodedata.normalize("NFKC", one_spelling(name)) for name in known]
    named = data.named
    if named is None:
        named = dict(zip(folded, known))
        odd = [column for name, column in named.items() if not is_attribute(name)]
        if odd:
            raise TableError(
                f"its column {odd[0]!r} cannot stand behind a dot in Python; name the columns to "
                f'read, such as `columns: {{celsius: "{odd[0]}"}}`'
            )
    found = {}
    for name, column in named.items():
        spelling = unicodedata.normalize("NFKC", one_spelling(column))
        alike = [known[i] for i, other in enumerate(folded) if other == spelling]
        if not alike:
            raise TableError(f"no column {column!r}{nearest(column, known)}")
        # a list's names are folded already, so that they do not tell which one is meant
        exact = isinstance(data.columns, dict) and column in alike
        if len(alike) > 1 and not exact:
            raise TableError(
                f"its columns {' and '.join(map(repr, alike))} are one name in Python; name them "
                f"apart, such as `columns: {{{name}: {alike[0]!r}}}`"
            )
        found[name] = column if exact else alike[0]
    return found


def _is_time(name: str, data: DataFile, time_units: str | None) -> bool:
    return time_units is not None and name in (data.increasing or ())


def _read_csv(path: Path, data: DataFile, time_units: str | None) -> tuple[Arrays, list[int]]:
    names, rows, lines = read_cells(path)
    arrays: dict[str | None, np.ndarray] = {}
    for name, column in _wanted(data, names).items():
        cells: Sequence[Any] = [row[names.index(column)] for row in rows]
        if _is_time(name, data, time_units):
            cells = times_of_cells(column, cells, lines, time_units or "")
        wrong = first_not_a_number(cells)
        if wrong is not None:
            text = f"line {lines[wrong]}: column {column!r}: {not_a_number(str(cells[wrong]))}"
            raise TableError(text)
        arrays[name] = np.array(cells, float)
    return arrays, lines


def _read_parquet(path: Path, data: DataFile, time_units: str | None) -> tuple[Arrays, list[int]]:
    with needed("Parquet"):
        import pyarrow as pa
        from pyarrow import parquet

    arrays: dict[str | None, np.ndarray] = {}
    with parquet.ParquetFile(path) as file:
        known = [name for name in file.schema_arrow.names if not name.startswith("__")]
        wanted = _wanted(data, known)
        table = file.read(columns=list(wanted.values()))
    for name, column in wanted.items():
        values = table.column(column)
        if _is_time(name, data, time_units) and pa.types.is_timestamp(values.type):
            texts = [str(one).replace(" ", "T") for one in values.to_pylist()]
            lines = list(range(2, len(texts) + 2))
            arrays[name] = np.array(times_of_cells(column, texts, lines, time_units or ""), float)
            continue
        if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
            raise TableError(f"column {column!r} holds {values.type}, not numbers")
        arrays[name] = values.cast(pa.float64(), safe=False).to_numpy().copy()
    return arrays, []


def _read_netcdf(path: Path, data: DataFile, time_units: str | None) -> tuple[Arrays, list[int]]:
    with needed("NetCDF"):
        import netCDF4

    arrays: dict[str | None, np.ndarray] = {}
    with netCDF4.Dataset(path) as file:
        for name, column in _wanted(data, list(file.variables)).items():
            variable = file.variables[column]
            if not isinstance(variable.dtype, np.dtype) or variable.dtype.kind not in "iuf":
                raise TableError(f"variable {column!r} does not hold numbers")
            arrays[name] = np.array(np.ma.filled(variable[...].astype(float), np.nan))
            if _is_time(name, data, time_units):
                units = str(getattr(variable, "units", ""))
                arrays[name] = times_since(column, arrays[name], units, time_units or "")
    return arrays, []


def _read_array(path: Path, data: DataFile, _: str | None) -> tuple[Arrays, list[int]]:
    values = np.load(path, allow_pickle=False)
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iufb":
        kind = getattr(values, "dtype", type(values).__name__)
        raise TableError(f"holds {kind}, not real numbers")
    kept = values if values.dtype.kind in "iub" else values.astype(float)
    return {None: np.array(kept, order="C")}, []


_READERS = {".csv": _read_csv, ".parquet": _read_parquet, ".nc": _read_netcdf, ".npy": _read_array}
