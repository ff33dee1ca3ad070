"""Zarr stores, for ensembles that are larger than memory or read by many processes at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from odeflow.files.netcdf import coordinates_of, written
from odeflow.files.slabs import Target, piece_shape
from odeflow.files.whole_file import folder_beside

if TYPE_CHECKING:  # an extra, which only those need who ask for it
    import zarr


def write_filled_store(
    path: Path,
    template: xr.Dataset,
    names: Sequence[str],
    leading: int,
    fill: Callable[[Mapping[str, Target]], Any],
) -> None:
    """`odeflow.files.netcdf.write_filled` for a store."""
    with new_store(path) as store:
        arrays = {}
        for name, variable in template.variables.items():
            pieces = piece_shape(variable.shape, leading) if name in names else variable.shape
            arrays[name] = define(store, template, str(name), pieces)
            if name not in names:
                arrays[name][...] = variable.values
        attributes = fill({name: arrays[name] for name in names})
        store.attrs.update(template.attrs | (attributes or {}))


@contextmanager
def new_store(path: Path) -> Iterator[zarr.Group]:
    """An empty store under a temporary name beside `path`, renamed to it when the block ends well.

    What was under the name is replaced then, and left alone where the block raises.
    """
    import zarr

    with written(path), folder_beside(path) as at:
        made = at / "made"
        yield zarr.create_group(str(made), zarr_format=3)
        with warnings.catch_warnings():
            # Not yet in Zarr's specification, but read by all: one file instead of a listing, in
            # which Snakemake's own timestamp would be found.
            warnings.filterwarnings("ignore", "Consolidated metadata")
            zarr.consolidate_metadata(str(made))
        if path.exists():
            path.rename(at / "replaced")
        made.rename(path)


def open_store(path: Path) -> xr.Dataset:
    """The dataset of a store, read lazily; times stay numbers, whatever their units say."""
    return xr.open_zarr(path, chunks=None, decode_times=False, consolidated=True)


def define(
    store: zarr.Group,
    dataset: xr.Dataset,
    name: str,
    pieces: Sequence[int],
    shape: Sequence[int] | None = None,
    shard_size: int | None = None,
) -> Any:
    """Creates the array of a variable: compressed, a checksum for every piece, no values yet.

    Arguments:
        store: where it goes.
        dataset: what has the variable.
        name: of the variable.
        pieces: shape of its stored pieces.
        shape: its shape; None for that which it has.
        shard_size: rows that a file has; None for a file per piece.

    Returns:
        The array of the store.
    """
    from zarr.codecs import Crc32cCodec, ZstdCodec

    variable = dataset.variables[name]
    attributes = {key: _plain(value) for key, value in variable.attrs.items()}
    coordinates = coordinates_of(dataset, name)
    if coordinates:
        attributes["coordinates"] = " ".join(coordinates)
    is_text = variable.dtype.kind in "OU"
    return store.create_array(
        name,
        shape=tuple(variable.shape if shape is None else shape),
        dtype=str if is_text else variable.dtype,
        chunks=tuple(pieces) or "auto",
        shards=None if shard_size is None else (shard_size, *pieces[1:]),
        dimension_names=[str(dim) for dim in variable.dims],
        attributes=attributes,
        fill_value="" if is_text else np.nan if variable.dtype.kind == "f" else 0,
        compressors=[ZstdCodec(level=1), Crc32cCodec()],
    )


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
