"""Datasets of many rows in shards: a folder of NetCDF files, or a Zarr store of large files."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import xarray as xr

from odeflow.files.netcdf import damaged, lazily_readable, write_dataset, written
from odeflow.files.slabs import PIECE
from odeflow.files.whole_file import folder_beside
from odeflow.files.zarr import define, new_store, open_store


def write_shards(path: Path, shards: Iterable[xr.Dataset], size: int, total: int, dim: str) -> None:
    """Writes shards under their final name at once or not at all.

    Arguments:
        path: a folder for files `00000.nc`, ..., or a store, whose name ends with `.zarr`.
        shards: the rows in order.
        size: rows of each shard but the last one, a multiple of `PIECE`.
        total: rows of all shards.
        dim: the dimension of rows, which is the first where a variable has it.

    Raises:
        UnwritableFileError: there is no space, or no permission.
    """
    if path.suffix == ".zarr":
        _write_store(path, shards, size, total, dim)
        return
    with written(path), folder_beside(path) as at:
        made = at / "made"
        made.mkdir()
        for number, shard in enumerate(shards):
            write_dataset(shard, made / f"{number:05}.nc")
        if path.exists():
            path.rename(at / "replaced")
        made.rename(path)


def _write_store(path: Path, shards: Iterable[xr.Dataset], size: int, total: int, dim: str) -> None:
    with new_store(path) as store:
        start, arrays = 0, {}
        for shard in shards:
            if not start:
                for name, variable in shard.variables.items():
                    if dim not in variable.dims:
                        define(store, shard, str(name), variable.shape)[...] = variable.values
                    else:
                        shape = (total, *variable.shape[1:])
                        pieces = (PIECE, *shape[1:])
                        arrays[str(name)] = define(store, shard, str(name), pieces, shape, size)
                store.attrs.update(shard.attrs)
            for name, variable in shard.variables.items():
                if dim in variable.dims:
                    arrays[str(name)][start : start + len(variable)] = variable.values
            start += shard.sizes[dim]


@contextmanager
def open_shards(path: Path) -> Iterator[list[xr.Dataset]]:
    """The shards, read lazily: one dataset per file, or that of the whole store.

    Raises DamagedFileError naming the file where one cannot be read, in the block too.
    """
    if path.suffix == ".zarr":
        with open_store(path) as dataset:
            yield [dataset]
        return
    files = sorted(path.glob("*.nc"))
    if not files:
        raise damaged(path, "has no shards")
    with lazily_readable(path), ExitStack() as opened:
        yield [
            opened.enter_context(xr.open_dataset(file, engine="netcdf4", decode_times=False))
            for file in files
        ]
