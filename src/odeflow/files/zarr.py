"""Zarr stores, for ensembles that are larger than memory or read by many processes at once."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from odeflow.files.netcdf import coordinates_of, written
from odeflow.files.slabs import Target, piece_shape

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
            arrays[name] = _define(store, template, str(name), pieces)
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

    with written(path), _folder_beside(path) as at:
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


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent) as at:
        yield Path(at)


def open_store(path: Path) -> xr.Dataset:
    """The dataset of a store, read lazily; times stay numbers, whatever their units say."""
    return xr.open_zarr(path, chunks=None, decode_times=False, consolidated=True)


def _define(store: zarr.Group, dataset: xr.Dataset, name: str, pieces: Sequence[int]) -> Any:
    """Creates the array of a variable: compressed, a checksum for every piece, no values yet."""
    from zarr.codecs import Crc32cCodec, ZstdCodec

    variable = dataset.variables[name]
    attributes = {key: _plain(value) for key, value in variable.attrs.items()}
    coordinates = coordinates_of(dataset, name)
    if coordinates:
        attributes["coordinates"] = " ".join(coordinates)
    return store.create_array(
        name,
        shape=variable.shape,
        dtype=variable.dtype,
        chunks=tuple(pieces) or "auto",
        dimension_names=[str(dim) for dim in variable.dims],
        attributes=attributes,
        fill_value=np.nan if variable.dtype.kind == "f" else 0,
        compressors=[ZstdCodec(level=1), Crc32cCodec()],
    )


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
