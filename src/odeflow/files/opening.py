"""Reading a solved ensemble, whichever format it is in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xarray as xr

from odeflow.files.netcdf import lazily_readable
from odeflow.files.zarr import open_store


@contextmanager
def open_ensemble(path: Path) -> Iterator[xr.Dataset]:
    """A result file or store, read lazily; times stay numbers, whatever their units say.

    Raises DamagedFileError naming the file where it cannot be read, in the block too.
    """
    if path.suffix == ".zarr":
        with open_store(path) as dataset:
            yield dataset
        return
    with (
        lazily_readable(path),
        xr.open_dataset(path, engine="netcdf4", decode_times=False) as dataset,
    ):
        yield dataset
