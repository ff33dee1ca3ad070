"""Solved chunks into one labelled ensemble, a chunk at a time, in memory or in a file."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import netCDF4
import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.dataset import global_attributes
from odeflow.design import axis_attributes, axis_coordinate, grid_levels
from odeflow.netcdf import define_variable

#: Trajectories in one compressed piece of the file: few enough to read a single one quickly.
_PIECE = 1024


class _Target(Protocol):
    """A NumPy array or a NetCDF variable: something slices can be assigned to."""

    def __setitem__(self, key: Any, value: Any, /) -> None: ...


def ensemble_template(config: Config, total: int, chunk: xr.Dataset) -> xr.Dataset:
    """The ensemble's dimensions, coordinates and attributes, its values not yet filled.

    `chunk` is any chunk of it. A grid has one dimension an axis, other designs `sample`. What
    the chunks will fill are zeros without memory of their own.
    """
    if config.design.kind == "grid":
        levels = {
            axis_coordinate(name, config.model): (values, axis_attributes(name, config.model))
            for name, values in grid_levels(config.design).items()
        }
        leading = {name: len(values) for name, (values, _) in levels.items()}
        fixed: dict[str, Any] = {name: (name, *known) for name, known in levels.items()}
        streamed = chunk.drop_vars(["sample", *(name for name in levels if name in chunk)])
    else:
        leading, fixed, streamed = {"sample": total}, {}, chunk

    def spread(variable: xr.Variable) -> xr.Variable:
        if variable.dims[:1] != ("sample",):
            return variable
        shape = (*leading.values(), *variable.shape[1:])
        dims = (*leading, *variable.dims[1:])
        zeros = np.broadcast_to(np.zeros((), variable.dtype), shape)
        return xr.Variable(dims, zeros, variable.attrs)

    data = {name: spread(array.variable) for name, array in streamed.data_vars.items()}
    coords = {name: spread(array.variable) for name, array in streamed.coords.items()}
    chunk_attributes = (chunk.attrs["engine"], chunk.attrs["engine_reason"])
    return xr.Dataset(data, fixed | coords, global_attributes(config, *chunk_attributes))


def assemble_in_memory(config: Config, total: int, chunks: Sequence[xr.Dataset]) -> xr.Dataset:
    """The ensemble of solved chunks, which together hold all `total` samples."""
    template = ensemble_template(config, total, chunks[0])
    shape = _leading_shape(config, total)
    filled = {}
    for name in _streamed(template, chunks[0]):
        array = np.empty(template[name].shape, template[name].dtype)
        for chunk in chunks:
            _place(array, chunk[name].values, int(chunk["sample"][0]), shape)
        filled[name] = (template[name].dims, array, template[name].attrs)
    coordinates = {name: filled.pop(name) for name in list(filled) if name in template.coords}
    return template.assign(filled).assign_coords(coordinates)


def assemble_to_file(
    config: Config, total: int, chunks: Iterable[xr.Dataset], file: netCDF4.Dataset
) -> None:
    """Writes the ensemble into an open, empty NetCDF file; holds one chunk in memory."""
    shape = _leading_shape(config, total)
    names: list[str] = []
    for number, chunk in enumerate(chunks):
        if number == 0:
            template = ensemble_template(config, total, chunk)
            names = _streamed(template, chunk)
            _define(file, template, names, len(shape))
        for name in names:
            _place(file[name], chunk[name].values, int(chunk["sample"][0]), shape)


def _define(
    file: netCDF4.Dataset, template: xr.Dataset, streamed: Sequence[str], leading: int
) -> None:
    for name, size in template.sizes.items():
        file.createDimension(str(name), size)
    for name, variable in template.variables.items():
        pieces = _piece_shape(variable.shape, leading) if name in streamed else None
        stored = define_variable(file, template, str(name), pieces)
        if name not in streamed:
            stored[...] = variable.values
    file.setncatts(template.attrs)


def _leading_shape(config: Config, total: int) -> tuple[int, ...]:
    if config.design.kind != "grid":
        return (total,)
    return tuple(len(values) for values in grid_levels(config.design).values())


def _streamed(template: xr.Dataset, chunk: xr.Dataset) -> list[str]:
    """Names of what the chunks fill; a grid's axes are not, they come from the config."""
    axes = set(template.sizes) - {"sample"}
    return [
        str(name)
        for name, variable in chunk.variables.items()
        if variable.dims[:1] == ("sample",) and name in template.variables and name not in axes
    ]


def _piece_shape(shape: tuple[int, ...], leading: int) -> tuple[int, ...]:
    """The compressed piece of a variable: whole inner axes, about `_PIECE` trajectories."""
    pieces, left = [], _PIECE
    for size in reversed(shape[:leading]):
        pieces.append(min(size, max(left, 1)))
        left //= max(size, 1)
    return (*reversed(pieces), *shape[leading:])


def _place(target: _Target, values: np.ndarray, start: int, shape: tuple[int, ...]) -> None:
    """Assigns consecutive samples from `start` to their places in a (grid-shaped) target."""
    for index, first, last in hyperslabs(start, start + len(values), shape):
        block = tuple(s.stop - s.start for s in index)
        target[index] = values[first - start : last - start].reshape(*block, *values.shape[1:])


def hyperslabs(
    start: int, stop: int, shape: tuple[int, ...]
) -> Iterator[tuple[tuple[slice, ...], int, int]]:
    """The range start..stop of a flattened array (C order) as slabs of the array.

    Yields (slices, first, last) with first..last the flat range each slab covers; at most
    2 * len(shape) - 1 slabs. No slab for an empty range; a 0-dimensional array is one slab.
    """
    if start >= stop:
        return
    if not shape:
        yield (), start, stop
        return
    inner = math.prod(shape[1:])
    row, last_row = start // inner, (stop - 1) // inner
    if start % inner == 0 and stop % inner == 0:
        yield (slice(row, last_row + 1), *(slice(0, n) for n in shape[1:])), start, stop
        return
    if row == last_row:
        for index, first, last in hyperslabs(start - row * inner, stop - row * inner, shape[1:]):
            yield (slice(row, row + 1), *index), first + row * inner, last + row * inner
        return
    head = (row + 1) * inner if start % inner else start
    tail = last_row * inner if stop % inner else stop
    yield from hyperslabs(start, head, shape)
    yield from hyperslabs(head, tail, shape)
    yield from hyperslabs(tail, stop, shape)
