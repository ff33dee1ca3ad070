"""Runs of consecutive samples, and their places in arrays that a grid's axes lead.

What is larger than memory is worked on a run of samples at a time: a *slab*. Its rows stand in an
array with the dimension `sample`, or, in C order, in one whose leading dimensions are a grid's.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import xarray as xr

#: Bytes of a slab.
SLAB_BYTES = 64 * 2**20
#: Bytes of a slab that is read for little work on it: its arrays stay in a core's cache, and those
#: of the next slab are where they were, in pages that the system need not find again.
READ_BYTES = 8 * 2**20
#: Trajectories in one stored piece of a file, and the unit of slabs: no piece is in two of them.
PIECE = 1024
#: Values in one piece: of many times a piece has as many as that allows, so that one time of all
#: trajectories does not read all times.
_PIECE_VALUES = 2**17


@runtime_checkable
class Target(Protocol):
    """A NumPy array or a NetCDF variable: something slices can be assigned to."""

    def __setitem__(self, key: Any, value: Any, /) -> None: ...


@runtime_checkable
class Source(Protocol):
    """A NumPy array or a NetCDF variable: something slices can be read from."""

    def __getitem__(self, key: Any, /) -> Any: ...


def slabs(
    start: int, stop: int, row_bytes: int, slab_bytes: int | None = None
) -> Iterator[tuple[int, int]]:
    """The range start..stop cut at multiples of `PIECE`, at about `SLAB_BYTES` a slab."""
    size = max((slab_bytes or SLAB_BYTES) // max(row_bytes, 1) // PIECE, 1) * PIECE
    first = start
    while first < stop:
        last = min((first // PIECE) * PIECE + size, stop)
        yield first, last
        first = last


def place(target: Target, values: np.ndarray, start: int, leading: Sequence[int]) -> None:
    """Assigns consecutive samples from `start` to their places in a target."""
    for index, first, last in hyperslabs(start, start + len(values), tuple(leading)):
        shape = tuple(s.stop - s.start for s in index)
        target[index] = values[first - start : last - start].reshape((*shape, *values.shape[1:]))


def take(source: Source, start: int, stop: int, leading: Sequence[int]) -> np.ndarray:
    """Samples start..stop of a source, (stop - start, ...)."""
    parts = []
    for index, _, _ in hyperslabs(start, stop, tuple(leading)):
        part = np.asarray(source[index])
        parts.append(part.reshape(-1, *part.shape[len(leading) :]))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def in_memory(
    template: xr.Dataset, names: Sequence[str], fill: Callable[[Mapping[str, Target]], Any]
) -> xr.Dataset:
    """The template with the variables of these names, and attributes, as `fill` gives them."""
    targets = {name: np.empty(template[name].shape, template[name].dtype) for name in names}
    attributes = fill(targets) or {}
    filled = {
        name: xr.Variable(template[name].dims, array, template[name].attrs)
        for name, array in targets.items()
    }
    coordinates = {name: filled.pop(name) for name in list(filled) if name in template.coords}
    return template.assign(filled).assign_coords(coordinates).assign_attrs(attributes)


def unfilled(
    dims: Sequence[str], shape: Sequence[int], dtype: Any, attributes: Mapping[str, Any]
) -> xr.Variable:
    """A variable of a template: zeros without memory of their own."""
    zeros = np.broadcast_to(np.zeros((), dtype), tuple(shape))
    return xr.Variable(tuple(dims), zeros, dict(attributes))


def piece_shape(shape: Sequence[int], leading: int) -> tuple[int, ...]:
    """The stored piece of a variable: whole inner axes, about `PIECE` trajectories."""
    pieces, left = [], PIECE
    for size in reversed(shape[:leading]):
        pieces.append(min(size, max(left, 1)))
        left //= max(size, 1)
    rest = list(shape[leading:])
    if rest:
        values = math.prod(pieces) * math.prod(rest[1:])
        rest[0] = min(rest[0], max(_PIECE_VALUES // max(values, 1), 1))
    return (*reversed(pieces), *rest)


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
