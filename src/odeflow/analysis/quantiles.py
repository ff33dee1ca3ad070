"""Exact quantiles of many columns at once that need not fit into memory.

The order statistics a quantile lies between are found by counting. A pass over the values counts
them in equal intervals of the floating-point numbers, within a range that some of the rows suggest;
what lies outside is counted as such. The intervals that hold the statistics are counted in more
finely, until what is left in them is little enough to be collected and sorted: nearly always after
the first pass. So two passes are made, in bounded memory, and how the values are cut and which rows
were looked at first changes nothing in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from odeflow.analysis import order_counts

#: Slabs of rows, each (row, column).
Slabs = Iterable[Float[np.ndarray, "row column"]]

#: Intervals that a column's range is cut into are a power of two: at most this one, and fewer where
#: all columns together would have more than that.
_BITS, _CELLS = 13, 2**24
#: Values that are collected at once.
_COLLECTED = 2**24


class QuantileCounts:
    """The first pass: what is known of the columns once `add` has seen all rows.

    `number` is how many rows count in each column.
    """

    def __init__(self, some: Float[np.ndarray, "row column"]):
        """`some` are any rows, as typical as can be had cheaply."""
        columns = some.shape[1]
        self.number = np.zeros(columns, np.int64)
        self._least, self._greatest = np.full(columns, np.inf), np.full(columns, -np.inf)
        finite = np.where(np.isfinite(some), some, 0.0) if len(some) else np.zeros((1, columns))
        low, high = _keys(finite.min(axis=0)), _keys(finite.max(axis=0))
        self._low, self._last = low[None], (high - low)[None]
        self._shift = _shift(self._last)
        self._counts = np.zeros((1, columns, 1 << _bits(columns)), np.int64)
        self._below = np.zeros((1, columns), np.int64)

    def add(
        self,
        slab: Float[np.ndarray, "row column"],
        missing: Bool[np.ndarray, "row column"] | None = None,
    ) -> None:
        """Counts more rows. What is missing is NaN in the slab, and does not count."""
        if not len(slab):
            return
        absent, low, high = 0, slab, slab
        if missing is not None:
            absent = missing.sum(axis=0)
            low, high = (np.where(missing, x, slab) for x in (np.inf, -np.inf))
        self.number += len(slab) - absent
        self._least = np.minimum(self._least, low.min(axis=0))
        self._greatest = np.maximum(self._greatest, high.max(axis=0))
        order_counts.count(slab, self._low, self._last, self._shift, self._counts, self._below)

    def quantiles(
        self, passes: Callable[[], Slabs], levels: Sequence[float]
    ) -> Float[np.ndarray, "level column"]:
        """Linearly interpolated quantiles (NumPy's default) of each column; NaN where it has a NaN
        that is not missing, and where all are missing.

        `passes` gives the rows again, however cut, with `numpy.nan` for what is missing: its key
        is above that of all numbers.
        """
        blank = np.isnan(self._least) | np.isnan(self._greatest) | (self.number == 0)
        if blank.all():
            return np.full((len(levels), len(blank)), np.nan)
        last = np.maximum(self.number - 1, 0)
        places = np.asarray(levels)[:, None] * last
        below = np.floor(places).astype(np.int64)
        above = np.minimum(below + 1, last)
        ranks = np.sort(np.concatenate([below, above]), axis=0)
        ranks = ranks[np.append(True, (np.diff(ranks, axis=0) > 0).any(axis=1))]
        found = _order_statistics(passes, self._brackets(ranks, blank), ~blank)
        at = lambda rank: np.take_along_axis(
            found, (ranks[None] == rank[:, None]).argmax(axis=1), axis=0
        )
        lower, upper = at(below), at(above)
        fraction = places - below
        with np.errstate(invalid="ignore"):
            # from the nearer end, as NumPy does, so that equal ends give themselves
            rise = np.where((lower == upper) | (fraction == 0), 0.0, upper - lower)
            result = np.where(
                fraction < 0.5, lower + rise * fraction, upper - rise * (1 - fraction)
            )
        result[:, blank] = np.nan
        return result

    def _brackets(self, ranks: np.ndarray, blank: np.ndarray) -> _Brackets:
        least, greatest = (_keys(np.where(blank, 0.0, x)) for x in (self._least, self._greatest))
        result = _Brackets(ranks)
        cumulated = self._counts[0].cumsum(axis=1)
        low, last, below = self._low[0], self._last[0], self._below[0]
        inside = below + cumulated[:, -1]
        one = np.uint64(1)
        for rank, wanted in enumerate(ranks):
            result.take(rank, low, last, below, cumulated, self._shift[0])
            for outside, first, end, before, count in (
                (wanted < below, least, low - one, 0, below),
                (wanted >= inside, low + last + one, greatest, inside, self.number - inside),
            ):
                result.set(rank, outside & ~blank, first, end - first, before, count)
        return result


class _Brackets:
    """For each rank and column an interval of keys: `low` to `low + last`, with `count` values,
    `before` it the others. `ranks` are (rank, column), and do not decrease in any column.
    """

    def __init__(self, ranks: np.ndarray):
        self.ranks, shape = ranks, (len(ranks), ranks.shape[1])
        self.low, self.last = np.zeros(shape, np.uint64), np.zeros(shape, np.uint64)
        self.before, self.count = np.zeros(shape, np.int64), np.zeros(shape, np.int64)

    def set(
        self, rank: int, where: np.ndarray | bool, low: np.ndarray, last: np.ndarray,
        before: np.ndarray | int, count: np.ndarray,
    ) -> None:  # fmt: skip
        """Gives a rank its interval in some of the columns."""
        for mine, given in (
            (self.low, low), (self.last, last), (self.before, before), (self.count, count),
        ):  # fmt: skip
            mine[rank] = np.where(where, given, mine[rank])

    def take(
        self, rank: int, low: np.ndarray, last: np.ndarray, before: np.ndarray,
        cumulated: np.ndarray, shift: np.ndarray,
    ) -> None:  # fmt: skip
        """Gives a rank the cell that holds it, of an interval that was counted in cells."""
        wanted = (self.ranks[rank] - before)[:, None]
        cell = np.minimum((cumulated <= wanted).sum(axis=1), cumulated.shape[1] - 1)
        column = np.arange(len(cell))
        earlier = np.where(cell > 0, cumulated[column, cell - 1], 0)
        step = cell.astype(np.uint64) << shift
        size = (np.uint64(1) << shift) - np.uint64(1)
        size = np.minimum(last - np.minimum(step, last), size)
        count = cumulated[column, cell] - earlier
        self.set(rank, True, low + step, size, before + earlier, count)

    def groups(self) -> list[np.ndarray]:
        """Ranks whose intervals are the same in every column are worked on together."""
        rows = [np.concatenate([a, b]) for a, b in zip(self.low, self.last)]
        _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(first)  # their intervals ascend in every column
        return [np.flatnonzero(inverse.ravel() == i) for i in order]

    def left(self) -> int:
        """Values in the intervals that are not one number."""
        return sum(
            int(self.count[group[0]][self.last[group[0]] > 0].sum()) for group in self.groups()
        )

    def narrow(self, slabs: Slabs) -> None:
        """Counts, and takes for each rank the finer interval that holds it."""
        groups = self.groups()
        first = [group[0] for group in groups]
        low, last, before = self.low[first], self.last[first], self.before[first]
        shift, columns = _shift(last, len(groups)), self.low.shape[1]
        counts = np.zeros((len(groups), columns, 1 << _bits(columns * len(groups))), np.int64)
        below = np.zeros_like(before)  # known already: `before`
        for slab in slabs:
            order_counts.count(slab, low, last, shift, counts, below)
        for number, group in enumerate(groups):
            cumulated = counts[number].cumsum(axis=1)
            for rank in group.tolist():
                known = low[number], last[number], before[number]
                self.take(rank, *known, cumulated, shift[number])


def _order_statistics(
    passes: Callable[[], Slabs], brackets: _Brackets, wanted: np.ndarray
) -> Float[np.ndarray, "rank column"]:
    """The values at these places of each wanted column, sorted."""
    while brackets.left() > _COLLECTED:
        brackets.narrow(passes())
    found = _numbers(brackets.low)
    groups = brackets.groups()
    first = [group[0] for group in groups]
    low, last = brackets.low[first], brackets.last[first]
    # intervals that are one number hold nothing to be sorted
    size = np.where((last > 0) & wanted, brackets.count[first], 0)
    if not size.any():
        return found
    start = np.cumsum(size.ravel()).reshape(size.shape) - size
    kept, end = np.empty(int(size.sum())), start.copy()
    table = order_counts.look_up(low, last, size > 0)
    for slab in passes():
        order_counts.collect(slab, low, last, size > 0, table, kept, end)
    order_counts.sort(kept, start, end)
    for number, group in enumerate(groups):
        open_ = np.flatnonzero(size[number] > 0)
        for rank in group:
            place = start[number] + brackets.ranks[rank] - brackets.before[rank]
            found[rank, open_] = kept[place[open_]]
    return found


def _keys(values: np.ndarray) -> np.ndarray:
    """Unsigned integers in the order of the numbers; -0.0 counts as 0.0."""
    bits = np.ascontiguousarray(values + 0.0, np.float64).view(np.uint64)
    return np.where(bits >> np.uint64(63), ~bits, bits | np.uint64(2**63))


def _numbers(keys: np.ndarray) -> np.ndarray:
    bits = np.where(keys >> np.uint64(63), keys ^ np.uint64(2**63), ~keys)
    return bits.view(np.float64)


def _bits(columns: int) -> int:
    """Bits of the number of a cell."""
    return min(_BITS, max(int(np.log2(_CELLS / columns)), 4))


def _shift(last: np.ndarray, groups: int = 1) -> np.ndarray:
    """By how many bits a key's distance from an interval's start is more than a cell's number."""
    return order_counts.excess_bits(last, _bits(last.shape[1] * groups))
