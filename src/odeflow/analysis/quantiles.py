"""Exact quantiles of many columns at once that need not fit into memory.

The order statistics a quantile lies between are found by counting. A pass over the values counts
them in equal intervals of the floating-point numbers, within a range that some of the rows suggest;
what lies outside is counted as such. The intervals that hold the statistics are counted in more
finely, until what is left in them is little enough to be collected and sorted: nearly always after
the first pass. So two passes are made, in bounded memory, and how the values are cut and which rows
were looked at first changes nothing in the result.

Of many rows, some suggest intervals that the statistics are in with next to no doubt. The first
pass then counts in those alone, and keeps their values: with all of them there, it was the last.
Few rows are kept and sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from odeflow.analysis.brackets import Brackets, cell_bits, cell_shift, keys, numbers
from odeflow.analysis.near_quantiles import KEPT, MANY, NearQuantiles

#: Slabs of rows, each (row, column).
Slabs = Iterable[Float[np.ndarray, "row column"]]

#: Values that are collected at once.
_COLLECTED = 2**24
#: Values up to which all are kept and sorted: sooner done than loading, or compiling, what counts.
_FEW = 2**21


class QuantileCounts:
    """The first pass: what is known of the columns once `add` has seen all rows.

    `number` is how many rows count in each column.
    """

    def __init__(
        self,
        some: Float[np.ndarray, "row column"],
        levels: Sequence[float] = (),
        rows: int = 0,
        most: int = KEPT,
    ):
        """`some` are any rows, as typical as can be had cheaply.

        `levels` are those of the quantiles that will be asked for, `rows` how many rows there are
        at most: where these are few, all are kept, where they are many, those near the quantiles,
        but no more than `most` values.
        """
        columns = some.shape[1]
        self.number = np.zeros(columns, np.int64)
        self._least, self._greatest = np.full(columns, np.inf), np.full(columns, -np.inf)
        self._all = [] if 0 < rows * columns <= min(most, _FEW) else None
        finite = np.where(np.isfinite(some), some, 0.0) if len(some) else np.zeros((1, columns))
        self._near = NearQuantiles.of(finite, levels, rows, most) if rows >= MANY else None
        if self._all is None and self._near is None:
            low, high = keys(finite.min(axis=0)), keys(finite.max(axis=0))
            self._low, self._last = low[None], (high - low)[None]
            self._shift = cell_shift(self._last)
            self._counts = np.zeros((1, columns, 1 << cell_bits(columns)), np.int64)
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
        if self._all is not None:
            self._all.append(slab.copy())
            return
        if self._near is not None:
            self._near.count(slab)
            return
        from odeflow.analysis import order_counts  # imports Numba

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
        found = self._at(ranks, blank, passes)
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

    def _at(
        self, ranks: np.ndarray, blank: np.ndarray, passes: Callable[[], Slabs]
    ) -> Float[np.ndarray, "rank column"]:
        """The values at these places of the sorted columns that are not blank."""
        if self._all is not None:  # NaN, for what is missing, comes last
            return np.take_along_axis(np.sort(np.concatenate(self._all), axis=0), ranks, axis=0)
        least, greatest = (keys(np.where(blank, 0.0, x)) for x in (self._least, self._greatest))
        if self._near is None:
            brackets = self._brackets(ranks, blank, least, greatest)
        else:
            brackets, is_kept = self._near.brackets(ranks, blank, least, greatest)
            passes = self._near.slabs if is_kept else passes
        return _order_statistics(passes, brackets, ~blank)

    def _brackets(
        self, ranks: np.ndarray, blank: np.ndarray, least: np.ndarray, greatest: np.ndarray
    ) -> Brackets:
        result = Brackets(ranks)
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


def _order_statistics(
    passes: Callable[[], Slabs], brackets: Brackets, wanted: np.ndarray
) -> Float[np.ndarray, "rank column"]:
    """The values at the ranks of the brackets, of each wanted column."""
    from odeflow.analysis import order_counts  # imports Numba

    while brackets.left() > _COLLECTED:
        brackets.narrow(passes())
    found = numbers(brackets.low)
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
