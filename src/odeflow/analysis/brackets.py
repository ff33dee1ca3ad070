"""Intervals of floating-point numbers that hold order statistics, narrowed by counting in them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

#: Intervals that a column's range is cut into are a power of two: at most this one, and fewer where
#: all columns together would have more than that.
_BITS, _CELLS = 13, 2**24


class Brackets:
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

    def narrow(self, slabs: Iterable[np.ndarray]) -> None:
        """Counts, and takes for each rank the finer interval that holds it."""
        from odeflow.analysis import order_counts  # imports Numba

        groups = self.groups()
        first = [group[0] for group in groups]
        low, last, before = self.low[first], self.last[first], self.before[first]
        shift, columns = cell_shift(last, len(groups)), self.low.shape[1]
        counts = np.zeros((len(groups), columns, 1 << cell_bits(columns * len(groups))), np.int64)
        below = np.zeros_like(before)  # known already: `before`
        for slab in slabs:
            order_counts.count(slab, low, last, shift, counts, below)
        for number, group in enumerate(groups):
            cumulated = counts[number].cumsum(axis=1)
            for rank in group.tolist():
                known = low[number], last[number], before[number]
                self.take(rank, *known, cumulated, shift[number])


def keys(values: np.ndarray) -> np.ndarray:
    """Unsigned integers in the order of the numbers; -0.0 counts as 0.0."""
    bits = np.ascontiguousarray(values + 0.0, np.float64).view(np.uint64)
    return np.where(bits >> np.uint64(63), ~bits, bits | np.uint64(2**63))


def numbers(keys: np.ndarray) -> np.ndarray:
    """The numbers of keys."""
    bits = np.where(keys >> np.uint64(63), keys ^ np.uint64(2**63), ~keys)
    return bits.view(np.float64)


def cell_bits(columns: int) -> int:
    """Bits of the number of a cell."""
    return min(_BITS, max(int(np.log2(_CELLS / columns)), 4))


def cell_shift(last: np.ndarray, groups: int = 1) -> np.ndarray:
    """By how many bits a key's distance from an interval's start is more than a cell's number."""
    from odeflow.analysis.order_counts import excess_bits  # imports Numba

    return excess_bits(last, cell_bits(last.shape[1] * groups))
