"""A solved chunk's file: plain, written and read slab by slab, with a digest of its content.

It is read once, by the workflow, so it is not compressed; a digest over all of it, checked while it
is read, takes the place of checksums by piece.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray as xr

from odeflow.ensemble.event_names import count_name
from odeflow.files.netcdf import atomic_path, damaged, readable
from odeflow.files.slabs import slabs

_DIGEST = "content_sha256"
#: Bytes that are written at a time. Of more Linux makes large pages for its cache, and a virtual
#: machine whose host has taken them back waits for each: 10 s of a processor for 2 GB, else 0.6 s.
_WRITTEN_BYTES = 2**20
#: The attribute that names the folder a chunk was solved for.
FOLDER = "solve_digest"


class ContentDigest:
    """SHA-256 over names, dimensions, attributes and values of all variables, slab by slab."""

    def __init__(self) -> None:
        self._sums: dict[str, Any] = {}
        self._pool, self._under_way = ThreadPoolExecutor(1), None

    def update(self, slab: xr.Dataset) -> None:
        """Takes in a slab; what has no dimension `sample` counts with the first one.

        In a separate thread, beside what the caller does next: the slab must not change.
        """
        self._wait()
        self._under_way = self._pool.submit(self._take_in, slab)

    def _wait(self) -> None:
        if self._under_way is not None:
            self._under_way.result()

    def _take_in(self, slab: xr.Dataset) -> None:
        first = not self._sums
        if first:
            self._sums[""] = hashlib.sha256(repr(_plain(slab.attrs)).encode())
        for name, variable in slab.variables.items():
            if first:
                rest = [(d, n) for d, n in variable.sizes.items() if d != "sample"]
                known = (name, variable.dims, rest, variable.dtype, _plain(variable.attrs))
                self._sums[str(name)] = hashlib.sha256(repr(known).encode())
            if first or "sample" in variable.dims:
                self._sums[str(name)].update(np.ascontiguousarray(variable.values).data)

    def hexdigest(self) -> str:
        """The digest of what was taken in, in hexadecimal."""
        self._wait()
        total = hashlib.sha256()
        for name in sorted(self._sums):
            total.update(self._sums[name].digest())
        return total.hexdigest()


def _plain(attributes: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    return sorted((str(key), np.asarray(value).tolist()) for key, value in attributes.items())


def write_chunk(parts: Iterable[xr.Dataset], size: int, path: Path) -> None:
    """Writes consecutive slabs, which together have `size` samples, at once or not at all."""
    digest, done = ContentDigest(), 0
    with atomic_path(path) as temporary, netCDF4.Dataset(temporary, "w", format="NETCDF4") as file:
        for slab in parts:
            if not done:
                _define(file, slab, size)
            digest.update(slab)
            last = done + slab.sizes["sample"]
            for name, variable in slab.variables.items():
                if "sample" in variable.dims:
                    _write_rows(file[str(name)], done, variable.values)
            done = last
        file.setncattr(_DIGEST, digest.hexdigest())


def _write_rows(stored: netCDF4.Variable, start: int, values: np.ndarray) -> None:
    rows = max(_WRITTEN_BYTES * len(values) // max(values.nbytes, 1), 1)
    for first in range(0, len(values), rows):
        part = values[first : first + rows]
        stored[start + first : start + first + len(part)] = part


def _define(file: netCDF4.Dataset, slab: xr.Dataset, size: int) -> None:
    for name, length in slab.sizes.items():
        file.createDimension(str(name), size if name == "sample" else length)
    for name, variable in slab.variables.items():
        stored = file.createVariable(
            str(name), variable.dtype, tuple(map(str, variable.dims)), fill_value=False
        )
        kind = "coordinate" if name in slab.coords else "variable"
        stored.setncatts(variable.attrs | {"odeflow_kind": kind})
        if "sample" not in variable.dims:
            stored[...] = variable.values
    file.setncatts(slab.attrs)


def read_chunk(path: Path) -> Iterator[xr.Dataset]:
    """The chunk as slabs, in order; NetCDF attributes and values as they were written.

    Raises DamagedFileError naming the file where it cannot be read or, after the last slab, where
    its content is not what was written.
    """
    digest = ContentDigest()
    with readable(path), netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        size = file.dimensions["sample"].size
        leading = {n: v for n, v in file.variables.items() if "sample" in v.dimensions}
        row = sum(v.dtype.itemsize * int(np.prod(v.shape[1:])) for v in leading.values())
        for first, last in slabs(0, size, row):
            slab = _slab(file, first, last)
            digest.update(slab)
            yield slab
        written = file.__dict__.get(_DIGEST)
    if written != digest.hexdigest():
        raise damaged(path, "the content is not what was written (its digest differs)")


def stored_totals(events: Iterable[str], paths: Iterable[Path]) -> dict[str, int]:
    """How many crossings of each event files of chunks have together.

    Raises DamagedFileError for one that cannot be read.
    """
    totals = dict.fromkeys(events, 0)
    for path in paths if totals else ():
        with readable(path), netCDF4.Dataset(path) as file:
            for event in totals:
                totals[event] += int(np.sum(file[count_name(event)][...]))
    return totals


def _slab(file: netCDF4.Dataset, first: int, last: int) -> xr.Dataset:
    variables: dict[str, dict[str, xr.Variable]] = {"coordinate": {}, "variable": {}}
    for name, stored in file.variables.items():
        values = stored[first:last] if "sample" in stored.dimensions else stored[...]
        attributes = dict(stored.__dict__)
        kind = attributes.pop("odeflow_kind")
        variables[kind][name] = xr.Variable(stored.dimensions, np.asarray(values), attributes)
    attributes = {key: value for key, value in file.__dict__.items() if key != _DIGEST}
    return xr.Dataset(variables["variable"], variables["coordinate"], attributes)
