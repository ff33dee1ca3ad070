"""NetCDF files that are never half written: temporary name, checksums, sync, check, rename."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray as xr

from odeflow.config.base import ConfigError

#: Compression and a checksum for every variable with dimensions.
_ENCODING = {"zlib": True, "complevel": 1, "shuffle": True, "fletcher32": True}


class DamagedFileError(ConfigError):
    """A result file that cannot be read or is not what was written."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, synced and renamed to it when the block ends well.

    Nothing is left behind, and nothing under the final name is touched, where the block raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        # mkstemp's files are private; results are readable as any other file of the user's
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def encoding(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """How each variable is stored: compressed, with a checksum, NaN as the missing value."""
    result: dict[str, dict[str, Any]] = {}
    for name, variable in dataset.variables.items():
        stored: dict[str, Any] = {"_FillValue": None}
        if variable.dtype.kind == "f" and name not in dataset.coords:
            stored["_FillValue"] = np.array(np.nan, variable.dtype)
        if variable.ndim and variable.dtype.kind in "fiub":
            stored |= _ENCODING
        result[str(name)] = stored
    return result


def write_dataset(dataset: xr.Dataset, path: Path) -> None:
    """Writes `dataset` to `path` at once or not at all."""
    with atomic_path(path) as temporary:
        dataset.to_netcdf(temporary, engine="netcdf4", encoding=encoding(dataset))


def content_digest(dataset: xr.Dataset) -> str:
    """SHA-256 over names, dimensions and values of all variables, in hexadecimal."""
    sha = hashlib.sha256()
    for name in sorted(map(str, dataset.variables)):
        variable = dataset.variables[name]
        sha.update(f"{name}{variable.dims}{variable.shape}{variable.dtype}".encode())
        sha.update(np.ascontiguousarray(variable.values).tobytes())
    return sha.hexdigest()


def read_dataset(path: Path) -> xr.Dataset:
    """The dataset of a file, in memory. Raises DamagedFileError naming the file."""
    try:
        with xr.open_dataset(path, engine="netcdf4", decode_times=False, cache=False) as dataset:
            return dataset.load()
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise DamagedFileError(
            f"{path}: cannot be read ({error}); delete the file and run again"
        ) from error


def define_variable(
    file: netCDF4.Dataset, dataset: xr.Dataset, name: str, pieces: tuple[int, ...] | None
) -> netCDF4.Variable:
    """Defines a variable of an open file as `write_dataset` would store it, without values.

    `pieces` is the shape of its compressed pieces; None leaves it to the library.
    """
    variable = dataset.variables[name]
    options = encoding(dataset)[name]
    fill = options.pop("_FillValue")
    stored = file.createVariable(
        name,
        variable.dtype,
        tuple(map(str, variable.dims)),
        fill_value=False if fill is None else fill,
        chunksizes=pieces,
        **options,
    )
    attributes = dict(variable.attrs)
    coordinates = [
        str(other)
        for other, coord in dataset.coords.items()
        if other not in dataset.sizes and set(coord.dims) <= set(variable.dims)
    ]
    if coordinates and name in dataset.data_vars:
        attributes["coordinates"] = " ".join(coordinates)
    stored.setncatts(attributes)
    return stored
