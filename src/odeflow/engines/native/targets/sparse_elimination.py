"""Elimination in the sparse matrix of each lane, by loops over tables of places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

from odeflow.engines.native.targets.lane_loops import Table, loop, number
from odeflow.engines.native.targets.lane_rows import Rows
from odeflow.files.digests import texts_digest

#: Entries and products of an elimination that is written out, once for all that solve with it.
_SHORT = 8_000
#: Entries of each function of what is written out: LLVM takes time as the square of its length.
_PART = 200


T = TypeVar("T")


class _Places(NamedTuple, Generic[T]):
    """Tables of an elimination: places in MATRIX, and components.

    By pivot: its `component` and the place of its `diagonal`, and where its part of the tables by
    entry (`below`, the places of L's column under it) and by product (`target` -= `left` `right`)
    begins. By entry of L, and then of U: its column's and its row's component, for substitution
    column after column; `upper` are places of U with the `scale` of their column's pivot.
    """

    component: T
    diagonal: T
    first_below: T
    below: T
    first_product: T
    target: T
    left: T
    right: T
    lower_row: T
    lower_column: T
    upper: T
    scale: T
    upper_row: T
    upper_column: T


@dataclass(frozen=True)
class Elimination:
    """Rows in the order of their elimination, and the columns of each in that order."""

    order: tuple[int, ...]
    columns: tuple[tuple[int, ...], ...]

    @cached_property
    def name(self) -> str:
        """The same for the same elimination."""
        return texts_digest(repr(self))[:24]

    @property
    def is_short(self) -> bool:
        """Whether it is written out."""
        return len(self.places.left) + sum(map(len, self.columns)) <= _SHORT

    def factor(self, rows: Rows, part: Sequence[int]) -> None:
        """Writes out what `sparse_factor` does, row by row, for some of the rows."""
        place, known = self._place, self._place.keys()
        for i, columns in ((self.order[r], self.columns[r]) for r in part):
            row = {j: rows["MATRIX", place[i, j]] for j in columns}
            for k in columns[: columns.index(i)]:
                row[k] = row[k] * rows["MATRIX", place[k, k]]
                for j in columns[columns.index(k) + 1 :]:
                    if (k, j) in known:
                        row[j] = row[j] - row[k] * rows["MATRIX", place[k, j]]
            row[i] = 1.0 / row[i]
            for j, value in row.items():
                rows["MATRIX", place[i, j]] = value

    def forward(self, rows: Rows, part: Sequence[int]) -> None:
        """Writes out the first half of what `sparse_solve` does, row by row, for some of them."""
        place = self._place
        for i, columns in ((self.order[r], self.columns[r]) for r in part):
            value = rows["RIGHT", i]
            for j in columns[: columns.index(i)]:
                value = value - rows["MATRIX", place[i, j]] * rows["RIGHT", j]
            rows["RIGHT", i] = value

    def backward(self, rows: Rows, part: Sequence[int]) -> None:
        """The second half, from the last row to the first."""
        place = self._place
        for i, columns in ((self.order[r], self.columns[r]) for r in reversed(part)):
            value = rows["RIGHT", i]
            for j in columns[columns.index(i) + 1 :]:
                value = value - rows["MATRIX", place[i, j]] * rows["RIGHT", j]
            rows["RIGHT", i] = value * rows["MATRIX", place[i, i]]

    @cached_property
    def parts(self) -> list[range]:
        """Ranges of rows: what is written out for one is a function of its own."""
        ends, done = [0], 0
        for r, columns in enumerate(self.columns):
            done += len(columns)
            if done >= _PART:
                ends, done = [*ends, r + 1], 0
        ends += [len(self.columns)] * (ends[-1] < len(self.columns))
        return [range(*pair) for pair in pairwise(ends)]

    @cached_property
    def _place(self) -> dict[tuple[int, int], int]:
        """Where the entries are in MATRIX."""
        entries = ((i, j) for i, columns in zip(self.order, self.columns) for j in columns)
        return {entry: p for p, entry in enumerate(entries)}

    @cached_property
    def places(self) -> _Places[Sequence[int]]:
        """Where everything is."""
        place = self._place
        rank = {i: r for r, i in enumerate(self.order)}
        lower: dict[int, list[int]] = {k: [] for k in self.order}
        upper: dict[int, list[int]] = {k: [] for k in self.order}
        for i, j in place:
            if rank[j] < rank[i]:
                lower[j].append(i)
            elif rank[j] > rank[i]:
                upper[j].append(i)
        rows = {k: row[row.index(k) + 1 :] for k, row in zip(self.order, self.columns)}
        products = [(i, k, j) for k in self.order for i in lower[k] for j in rows[k]]
        under = [(i, k) for k in self.order for i in lower[k]]
        over = [(i, k) for k in reversed(self.order) for i in upper[k]]
        sizes = [len(lower[k]) for k in self.order]
        return _Places(
            component=self.order,
            diagonal=[place[k, k] for k in self.order],
            first_below=_starts(sizes),
            below=[place[entry] for entry in under],
            first_product=_starts([n * len(rows[k]) for n, k in zip(sizes, self.order)]),
            target=[place[i, j] for i, _, j in products],
            left=[place[i, k] for i, k, _ in products],
            right=[place[k, j] for _, k, j in products],
            lower_row=[i for i, _ in under],
            lower_column=[k for _, k in under],
            upper=[place[entry] for entry in over],
            scale=[place[k, k] for _, k in over],
            upper_row=[i for i, _ in over],
            upper_column=[k for _, k in over],
        )


def _starts(sizes: Sequence[int]) -> list[int]:
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    return starts


_elimination = cache(Elimination)


def sparse_factor(rows: Rows, order: tuple[int, ...], columns: tuple[tuple[int, ...], ...]) -> None:
    """Replaces MATRIX by its factors: L without its diagonal of ones, D inverted, and U.

    L D U has a U with a diagonal of ones. The code is written out where it is short.
    """
    elimination = _elimination(order, columns)
    if elimination.is_short:
        for number, part in enumerate(elimination.parts):
            name = f"sparse_factor_{elimination.name}_{number}"
            rows.written_apart(name, partial(elimination.factor, part=part))
    else:
        _factor_by_loops(rows, elimination)


def sparse_solve(rows: Rows, order: tuple[int, ...], columns: tuple[tuple[int, ...], ...]) -> None:
    """Replaces RIGHT by the solution, given the factors in MATRIX."""
    elimination = _elimination(order, columns)
    if elimination.is_short:
        name, parts = f"sparse_{{}}_{elimination.name}_{{}}", list(enumerate(elimination.parts))
        for number, part in parts:
            write = partial(elimination.forward, part=part)
            rows.written_apart(name.format("forward", number), write)
        for number, part in reversed(parts):
            write = partial(elimination.backward, part=part)
            rows.written_apart(name.format("backward", number), write)
    else:
        _solve_by_loops(rows, elimination)


def _factor_by_loops(rows: Rows, elimination: Elimination) -> None:
    """Pivot by pivot, so that what is done next seldom waits for what was done last."""
    builder, places = rows.builder, elimination.places
    tables = _Places[Table](*(Table(builder, values) for values in places))
    for k in loop(builder, 0, len(places.diagonal)):
        following, pivot = builder.add(k, number(1)), tables.diagonal[k]
        inverse = 1.0 / rows["MATRIX", pivot]
        rows["MATRIX", pivot] = inverse
        for entry in loop(builder, tables.first_below[k], tables.first_below[following]):
            place = tables.below[entry]
            rows["MATRIX", place] = rows["MATRIX", place] * inverse
        for product in loop(builder, tables.first_product[k], tables.first_product[following]):
            update = rows["MATRIX", tables.left[product]] * rows["MATRIX", tables.right[product]]
            target = tables.target[product]
            rows["MATRIX", target] = rows["MATRIX", target] - update
    for entry in loop(builder, 0, len(places.upper)):
        place = tables.upper[entry]
        rows["MATRIX", place] = rows["MATRIX", place] * rows["MATRIX", tables.scale[entry]]


def _solve_by_loops(rows: Rows, elimination: Elimination) -> None:
    """Column after column, so that no loop is short."""
    builder, places = rows.builder, elimination.places
    tables = _Places[Table](*(Table(builder, values) for values in places))

    def substituted(at: Table, row: Table, column: Table, count: int) -> None:
        for entry in loop(builder, 0, count):
            update = rows["MATRIX", at[entry]] * rows["RIGHT", column[entry]]
            rows["RIGHT", row[entry]] = rows["RIGHT", row[entry]] - update

    substituted(tables.below, tables.lower_row, tables.lower_column, len(places.below))
    substituted(tables.upper, tables.upper_row, tables.upper_column, len(places.upper))
    for k in loop(builder, 0, len(places.diagonal)):
        component = tables.component[k]
        rows["RIGHT", component] = rows["RIGHT", component] * rows["MATRIX", tables.diagonal[k]]
