"""Where quantiles of many rows are with next to no doubt, as some of the rows suggest.

What is counted there and kept in a first pass makes a second one unnecessary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, UInt64

from odeflow.analysis.brackets import Brackets, keys

#: Of at least so many rows values are kept, where so many suggest which.
MANY, SUGGESTING = 2**18, 2**15
#: Values that are kept at most, of all columns that are worked on beside one another.
KEPT = 2**25
#: Standard deviations of a quantile's place among the rows that suggest it.
_DEVIATIONS = 4.5
#: Room for values in parts of what is expected.
_ROOM = 1.3
#: Kept values of a column that are looked through at once.
_BLOCK = 2**13


class NearQuantiles:
    """Counts in intervals that quantiles probably are in, and between them, and keeps their values.

    `edges` are keys, ascending in each column, at which the intervals begin; `is_near` says of
    which of them, and of what is below, values are kept, at most `most` of a column.
    """

    def __init__(
        self,
        edges: UInt64[np.ndarray, "column edge"],
        is_near: Bool[np.ndarray, "column interval"],
        most: int,
    ):
        self._edges, self._is_near = edges, is_near
        self._counts = np.zeros(is_near.shape, np.int64)
        self._kept = np.empty((len(edges), most))
        self._number = np.zeros(len(edges), np.int64)

    @staticmethod
    def of(some: np.ndarray, levels: Sequence[float], rows: int, most: int) -> NearQuantiles | None:
        """Those that some finite rows suggest; None where they are too few, or would keep too much.

        Also where they are not typical: where a half of them suggests something else.
        """
        size, level = len(some), np.asarray(levels, float)
        margin = _DEVIATIONS * np.sqrt(level * (1 - level) * size) + 2
        share = 2 * float(margin.sum()) / max(size, 1)
        room = int(_ROOM * share * rows)
        if not levels or size < SUGGESTING // 2 or share > 0.5 or room * some.shape[1] > most:
            return None
        places = level * (size - 1)
        first, last = (
            np.clip(np.rint(x), 0, size - 1).astype(int) for x in (places - margin, places + margin)
        )
        ordered = np.partition(some, np.unique([first, last]), axis=0)
        low, high = ordered[first], ordered[last]
        halves = some[: size // 2], some[size // 2 :]
        if not all(_are_between(*each, half) for half in halves for each in zip(level, low, high)):
            return None
        begin, end = keys(low), keys(high) + np.uint64(1)
        edges = np.sort(np.concatenate([begin, end]), axis=0)
        near = np.logical_or.reduce((edges >= begin[:, None]) & (edges < end[:, None]), axis=0)
        near[:-1] &= np.diff(edges, axis=0) > 1  # one number needs not be kept
        near = np.concatenate([np.zeros_like(near[:1]), near])
        return NearQuantiles(np.ascontiguousarray(edges.T), np.ascontiguousarray(near.T), room)

    def count(self, slab: np.ndarray) -> None:
        """Counts a slab, and keeps what is near."""
        from odeflow.analysis import order_counts  # imports Numba

        order_counts.count_and_keep(
            slab, self._edges, self._counts, self._is_near, self._kept, self._number
        )

    def brackets(
        self, ranks: np.ndarray, blank: np.ndarray, least: np.ndarray, greatest: np.ndarray
    ) -> tuple[Brackets, bool]:
        """The intervals of ranks, and whether all values of them are kept."""
        result, column = Brackets(ranks), np.arange(len(blank))
        cumulated, one = self._counts.cumsum(axis=1), np.uint64(1)
        begin = np.column_stack([least, np.maximum(self._edges, least[:, None])])
        end = np.column_stack([np.minimum(self._edges - one, greatest[:, None]), greatest])
        is_kept = blank | (self._number <= self._kept.shape[1])
        for rank, wanted in enumerate(ranks):
            place = np.minimum((cumulated <= wanted[:, None]).sum(axis=1), self._edges.shape[1])
            count = self._counts[column, place]
            low, last = begin[column, place], end[column, place] - begin[column, place]
            result.set(rank, ~blank, low, last, cumulated[column, place] - count, count)
            is_kept &= blank | (last == 0) | self._is_near[column, place]
        return result, bool(is_kept.all())

    def slabs(self) -> Iterator[np.ndarray]:
        """What was kept, as rows; NaN where there is no more of a column."""
        for begin in range(0, min(int(self._number.max()), self._kept.shape[1]), _BLOCK):
            block = np.ascontiguousarray(self._kept[:, begin : begin + _BLOCK].T)
            block[np.arange(begin, begin + len(block))[:, None] >= self._number] = np.nan
            yield block


def _are_between(level: float, low: np.ndarray, high: np.ndarray, rows: np.ndarray) -> bool:
    """Whether the quantiles of rows are, in each column, from `low` to `high`."""
    below, up_to = (rows < low).mean(axis=0), (rows <= high).mean(axis=0)
    return bool(((below <= level) & (level <= up_to)).all())
