"""Exact quantiles of many columns at once that need not fit into memory.

The order statistics a quantile lies between are found by counting: a pass over the values counts
them in equal intervals of the floating-point numbers, and the intervals that hold the statistics
are counted in more finely, until what is left in them is little enough to be collected and sorted.
So a few passes over the data are made, in bounded memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from odeflow import order_counts

#: Passes over the values: slabs of rows, each (row, column).
Passes = Callable[[], Iterable[Float[np.ndarray, "row column"]]]

#: Intervals that a column's range is cut into, as a power of two.
_BITS = 12
#: Values that are collected at once.
_COLLECTED = 2**22


class Extent(NamedTuple):
    """The number of rows, and the least and greatest value of each column: NaN if it has one."""

    count: int
    low: Float[np.ndarray, " column"]
    high: Float[np.ndarray, " column"]

    @classmethod
    def none(cls, columns: int) -> Extent:
        """That of no rows."""
        return cls(0, np.full(columns, np.inf), np.full(columns, -np.inf))

    def with_rows(self, slab: Float[np.ndarray, "row column"]) -> Extent:
        """That of more rows."""
        if not len(slab):
            return self
        low, high = np.minimum(self.low, slab.min(axis=0)), np.maximum(self.high, slab.max(axis=0))
        return Extent(self.count + len(slab), low, high)

    @property
    def blank(self) -> np.ndarray:
        """Columns with a NaN."""
        return np.isnan(self.low) | np.isnan(self.high)


def quantiles(
    passes: Passes, levels: Sequence[float], known: Extent
) -> Float[np.ndarray, "level column"]:
    """Linearly interpolated quantiles (NumPy's default) of each column; NaN where it has a NaN."""
    if known.count == 0:
        return np.full((len(levels), len(known.low)), np.nan)
    places = np.asarray(levels) * (known.count - 1)
    below = np.floor(places).astype(np.int64)
    ranks = np.unique(np.concatenate([below, np.minimum(below + 1, known.count - 1)]))
    found = _order_statistics(passes, ranks, known)
    lower = found[np.searchsorted(ranks, below)]
    upper = found[np.searchsorted(ranks, np.minimum(below + 1, known.count - 1))]
    fraction = (places - below)[:, None]
    with np.errstate(invalid="ignore"):
        # from the nearer end, as NumPy does, so that equal ends give themselves
        rise = np.where((lower == upper) | (fraction == 0), 0.0, upper - lower)
        result = np.where(fraction < 0.5, lower + rise * fraction, upper - rise * (1 - fraction))
    result[:, known.blank] = np.nan
    return result


def _keys(values: np.ndarray) -> np.ndarray:
    """Unsigned integers in the order of the numbers."""
    bits = np.ascontiguousarray(values, np.float64).view(np.uint64)
    return np.where(bits >> np.uint64(63), ~bits, bits | np.uint64(2**63))


def _numbers(keys: np.ndarray) -> np.ndarray:
    bits = np.where(keys >> np.uint64(63), keys ^ np.uint64(2**63), ~keys)
    return bits.view(np.float64)


class _Brackets:
    """For each rank and column an interval of keys: from `low` on, `size` long, `before` it."""

    def __init__(self, ranks: np.ndarray, known: Extent):
        shape = (len(ranks), len(known.low))
        low, high = (_keys(np.where(known.blank, 0.0, x)) for x in (known.low, known.high))
        self.ranks = ranks
        self.low = np.broadcast_to(low, shape).copy()
        self.last = np.broadcast_to(high - low, shape).copy()
        self.before = np.zeros(shape, np.int64)
        self.count = np.full(shape, known.count)

    @property
    def shift(self) -> np.ndarray:
        """By how many bits a key's distance from `low` is more than the number of an interval."""
        bits = np.zeros(self.last.shape, np.uint64)
        for n in (32, 16, 8, 4, 2, 1):
            more = (self.last >> (bits + np.uint64(n))) > 0
            bits = np.where(more, bits + np.uint64(n), bits)
        length = bits + (self.last > 0).astype(np.uint64)
        return np.maximum(length, np.uint64(_BITS)) - np.uint64(_BITS)

    def groups(self) -> list[np.ndarray]:
        """Ranks whose intervals are the same in every column are counted together."""
        rows = [np.concatenate([a, b]) for a, b in zip(self.low, self.last)]
        _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        return [np.flatnonzero(inverse.ravel() == i) for i in range(len(first))]

    def left(self) -> int:
        """Values in the intervals that are not one number."""
        return sum(
            int(self.count[group[0]][self.last[group[0]] > 0].sum()) for group in self.groups()
        )

    def narrow(self, passes: Passes) -> None:
        """Counts, and takes for each rank the finer interval that holds it."""
        groups, shift = self.groups(), self.shift
        first = [group[0] for group in groups]
        counts = np.zeros((len(groups), self.low.shape[1], 1 << _BITS), np.int64)
        for slab in passes():
            order_counts.count(slab, self.low[first], self.last[first], shift[first], counts)
        for number, group in enumerate(groups):
            cumulated = counts[number].cumsum(axis=1)
            for rank in group:
                self._take(rank, cumulated, shift[rank])

    def _take(self, rank: int, cumulated: np.ndarray, shift: np.ndarray) -> None:
        wanted = (self.ranks[rank] - self.before[rank])[:, None]
        cell = (cumulated <= wanted).sum(axis=1)
        cell = np.minimum(cell, cumulated.shape[1] - 1)
        column = np.arange(len(cell))
        earlier = np.where(cell > 0, cumulated[column, cell - 1], 0)
        self.count[rank] = cumulated[column, cell] - earlier
        self.before[rank] += earlier
        step = cell.astype(np.uint64) << shift
        size = (np.uint64(1) << shift) - np.uint64(1)
        self.last[rank] = np.minimum(self.last[rank] - step, size)
        self.low[rank] += step


def _order_statistics(
    passes: Passes, ranks: np.ndarray, known: Extent
) -> Float[np.ndarray, "rank column"]:
    """The values at these places of each sorted column."""
    brackets = _Brackets(ranks, known)
    while brackets.left() > _COLLECTED:
        brackets.narrow(passes)
    found = _numbers(brackets.low)
    if not (brackets.last > 0).any():
        return found
    groups = brackets.groups()
    first = [group[0] for group in groups]
    low, last = brackets.low[first], brackets.last[first]
    # intervals that are one number hold nothing to be sorted
    size = np.where((last > 0) & ~known.blank, brackets.count[first], 0)
    start = np.cumsum(size.ravel()).reshape(size.shape) - size
    kept, end = np.empty(int(size.sum())), start.copy()
    for slab in passes():
        order_counts.collect(slab, low, last, size > 0, kept, end)
    order_counts.sort(kept, start, end)
    for number, group in enumerate(groups):
        open_ = np.flatnonzero(size[number] > 0)
        for rank in group:
            place = start[number] + brackets.ranks[rank] - brackets.before[rank]
            found[rank, open_] = kept[place[open_]]
    return found
