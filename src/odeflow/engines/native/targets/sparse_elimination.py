"""Elimination in the sparse matrix of each lane, by loops over tables of places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from llvmlite import ir

from odeflow.engines.native.targets.lane_loops import Sum, Table, loop, number

if TYPE_CHECKING:
    from odeflow.engines.native.targets.lane_code import Rows


class _Places(NamedTuple):
    """Tables of an elimination.

    `start` and `diagonal` are places in MATRIX by row, `column` and `pivot` (the place of that
    column's diagonal) by place. The products l_ik u_kj of place p are those from `first[p]` on,
    of `left` and `right`.
    """

    start: Sequence[int]
    diagonal: Sequence[int]
    column: Sequence[int]
    pivot: Sequence[int]
    first: Sequence[int]
    left: Sequence[int]
    right: Sequence[int]


@dataclass(frozen=True)
class Elimination:
    """Rows in the order of their elimination, and the columns of each in that order."""

    order: tuple[int, ...]
    columns: tuple[tuple[int, ...], ...]

    @cached_property
    def places(self) -> _Places:
        """Where everything is."""
        entries = [(i, j) for i, columns in zip(self.order, self.columns) for j in columns]
        place = {entry: p for p, entry in enumerate(entries)}
        rank = {i: r for r, i in enumerate(self.order)}
        start, first, left, right = [0], [0], [], []
        for i, columns in zip(self.order, self.columns):
            start.append(start[-1] + len(columns))
            for j in columns:
                last = min(rank[i], rank[j])
                inner = [k for k in columns if rank[k] < last and (k, j) in place]
                left += [place[i, k] for k in inner]
                right += [place[k, j] for k in inner]
                first.append(len(left))
        return _Places(
            start=start,
            diagonal=[place[i, i] for i in self.order],
            column=[j for _, j in entries],
            pivot=[place[j, j] for _, j in entries],
            first=first,
            left=left or [0],
            right=right or [0],
        )


def sparse_factor(rows: Rows, elimination: Elimination) -> None:
    """Replaces MATRIX by its factors: L without its diagonal of ones, U, its diagonal inverted."""
    builder = rows.builder
    start, diagonal, _, pivot, first, left, right = (
        Table(builder, values) for values in elimination.places
    )

    def reduced(place: ir.Value) -> Any:
        total = Sum(rows["MATRIX", place])
        for k in loop(builder, first[place], first[builder.add(place, number(1))]):
            total.subtract(rows["MATRIX", left[k]] * rows["MATRIX", right[k]])
        return total.value

    for row in loop(builder, 0, len(elimination.order)):
        for place in loop(builder, start[row], diagonal[row]):
            rows["MATRIX", place] = reduced(place) * rows["MATRIX", pivot[place]]
        place = diagonal[row]
        rows["MATRIX", place] = 1.0 / reduced(place)
        after, end = builder.add(diagonal[row], number(1)), start[builder.add(row, number(1))]
        for place in loop(builder, after, end):
            rows["MATRIX", place] = reduced(place)


def sparse_solve(rows: Rows, elimination: Elimination) -> None:
    """Replaces RIGHT by the solution, given the factors in MATRIX."""
    builder, size = rows.builder, len(elimination.order)
    start, diagonal, column, *_ = (Table(builder, values) for values in elimination.places)
    order = Table(builder, elimination.order)

    def reduced(row: ir.Value, begin: ir.Value, end: ir.Value) -> Any:
        total = Sum(rows["RIGHT", order[row]])
        for place in loop(builder, begin, end):
            total.subtract(rows["MATRIX", place] * rows["RIGHT", column[place]])
        return total.value

    for row in loop(builder, 0, size):
        rows["RIGHT", order[row]] = reduced(row, start[row], diagonal[row])
    for k in loop(builder, 0, size):
        row = builder.sub(number(size - 1), k)
        after, end = builder.add(diagonal[row], number(1)), start[builder.add(row, number(1))]
        solved = reduced(row, after, end) * rows["MATRIX", diagonal[row]]
        rows["RIGHT", order[row]] = solved
