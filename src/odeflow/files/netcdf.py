"""NetCDF files that are never half written: temporary name, checksums, sync, rename."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray as xr

from odeflow.files.errors import ConfigError
from odeflow.files.slabs import piece_shape
from odeflow.files.whole_file import replaced_when_whole

#: Every variable with dimensions has a checksum, and is compressed where the dataset is no larger
#: than this: zlib would take longer than everything else together where it is.
_CHECKED = {"fletcher32": True}
_COMPRESSED = {"zlib": True, "complevel": 1, "shuffle": True}
_COMPRESSED_AT_MOST = 2**26


#: Bytes below which a disk on which nothing can be written counts as full.
_FULL = 2**20


class DamagedFileError(ConfigError):
    """A result file that cannot be read or is not what was written."""


class UnwritableFileError(ConfigError):
    """A result file that cannot be written: the disk is full, or the folder not writable."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, synced and renamed to it when the block ends well.

    Nothing is left behind, and nothing under the final name is touched, where the block raises.
    Raises UnwritableFileError as `written` does.
    """
    with written(path), _temporary_beside(path) as temporary:
        yield temporary


@contextmanager
def written(path: Path) -> Iterator[None]:
    """What the system or the NetCDF library says where a file is written, as one line.

    That is an UnwritableFileError that names the file.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_from_netcdf(error):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise UnwritableFileError(
            f"{path}: cannot be written ({reason}); check space and permissions there, then run "
            "again"
        ) from error


@contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    with replaced_when_whole(path) as temporary:
        try:
            yield temporary
        except (OSError, RuntimeError) as error:
            # of a full disk the library says "HDF error" or "Permission denied"
            ours = isinstance(error, RuntimeError) and not _is_from_netcdf(error)
            if ours or shutil.disk_usage(path.parent).free >= _FULL:
                raise
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error


def encoding(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """How each variable is stored: with a checksum, compressed, NaN as the missing value."""
    result: dict[str, dict[str, Any]] = {}
    storage = _CHECKED | (_COMPRESSED if dataset.nbytes <= _COMPRESSED_AT_MOST else {})
    for name, variable in dataset.variables.items():
        stored: dict[str, Any] = {"_FillValue": None}
        if variable.dtype.kind == "f" and name not in dataset.coords:
            stored["_FillValue"] = np.array(np.nan, variable.dtype)
        if variable.ndim and variable.dtype.kind in "fiub":
            stored |= storage
        result[str(name)] = stored
    return result


def write_dataset(dataset: xr.Dataset, path: Path) -> None:
    """Writes `dataset` to `path` at once or not at all."""
    with atomic_path(path) as temporary:
        dataset.to_netcdf(temporary, engine="netcdf4", encoding=encoding(dataset))


#: Puts values into variables of a file, by name.
Fill = Callable[[Mapping[str, netCDF4.Variable]], Any]


def write_filled(
    path: Path, template: xr.Dataset, names: Sequence[str], leading: int, fill: Fill
) -> None:
    """Writes a dataset that need not fit into memory, at once or not at all.

    `fill` assigns the values of the variables of these names, which have `leading` dimensions of
    the design and are stored in pieces. Where it returns attributes, the dataset gets them.
    """
    with atomic_path(path) as temporary, netCDF4.Dataset(temporary, "w", format="NETCDF4") as file:
        for name, size in template.sizes.items():
            file.createDimension(str(name), size)
        for name, variable in template.variables.items():
            pieces = piece_shape(variable.shape, leading) if name in names else None
            stored = _define(file, template, str(name), pieces)
            if name not in names:
                stored[...] = variable.values
        attributes = fill({name: file[name] for name in names})
        file.setncatts(template.attrs | (attributes or {}))


def _define(
    file: netCDF4.Dataset, dataset: xr.Dataset, name: str, pieces: tuple[int, ...] | None
) -> netCDF4.Variable:
    """Defines a variable of an open file as `write_dataset` would store it, without values.

    `pieces` is the shape of its stored pieces; None leaves it to the library.
    """
    variable = dataset.variables[name]
    options = encoding(dataset)[name]
    fill = options.pop("_FillValue")
    stored = file.createVariable(
        name,
        str if variable.dtype.kind in "OU" else variable.dtype,
        tuple(map(str, variable.dims)),
        fill_value=False if fill is None else fill,
        chunksizes=pieces,
        **options,
    )
    attributes = dict(variable.attrs)
    coordinates = coordinates_of(dataset, name)
    if coordinates:
        attributes["coordinates"] = " ".join(coordinates)
    stored.setncatts(attributes)
    return stored


def read_dataset(path: Path) -> xr.Dataset:
    """The dataset of a file, in memory. Raises DamagedFileError naming the file."""
    with (
        readable(path),
        xr.open_dataset(path, engine="netcdf4", decode_times=False, cache=False) as dataset,
    ):
        return dataset.load()


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """What a library says of a damaged file becomes a DamagedFileError."""
    try:
        yield
    except (FileNotFoundError, ConfigError):
        raise
    except Exception as error:  # a damaged header may lead anywhere
        raise damaged(path, f"cannot be read ({error})") from error


@contextmanager
def lazily_readable(path: Path) -> Iterator[None]:
    """As `readable`, for a block that does more than read: only the library's own errors count."""
    try:
        yield
    except Exception as error:
        if isinstance(error, FileNotFoundError) or not _is_from_netcdf(error):
            raise
        raise damaged(path, f"cannot be read ({error})") from error


def _is_from_netcdf(error: Exception) -> bool:
    return not isinstance(error, ConfigError) and ("NetCDF: " in str(error) or "HDF" in str(error))


def damaged(path: Path, reason: str) -> DamagedFileError:
    """The error for a file that has to be made again, with the command."""
    command = "rm -r" if path.is_dir() else "rm"
    return DamagedFileError(f"{path}: {reason}; delete it ({command} {path}) and run again")


def coordinates_of(dataset: xr.Dataset, name: str) -> list[str]:
    """What the CF attribute `coordinates` of a variable lists; nothing for a coordinate."""
    dims = set(dataset.variables[name].dims) if name in dataset.data_vars else set()
    return [
        str(other)
        for other, coord in dataset.coords.items()
        if name in dataset.data_vars and other not in dataset.sizes and set(coord.dims) <= dims
    ]
