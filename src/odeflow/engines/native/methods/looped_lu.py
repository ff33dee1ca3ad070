"""Sparse LU factorisation by loops over tables of places: little code, however large the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from llvmlite import ir

from odeflow.engines.native.methods.sparse_lu import Entry, SparseLU
from odeflow.engines.native.targets.lane_loops import Sum, Table, loop, number

if TYPE_CHECKING:
    from odeflow.engines.native.targets.lane_code import Rows


@dataclass(frozen=True)
class LoopedLU:
    """The statements that factor a matrix of a known pattern and solve with it; see `SparseLU`.

    The factors are the block of rows `MATRIX`, in the order in which they are computed, and a
    right-hand side is `RIGHT`. The operations are those of `SparseLU`, in the same order.
    """

    pattern: SparseLU

    @property
    def _columns(self) -> tuple[tuple[int, ...], ...]:
        lower, upper = self.pattern.lower, self.pattern.upper
        return tuple((*lower[i], i, *upper[i]) for i in self.pattern.order)

    @property
    def blocks(self) -> dict[str, int]:
        """Numbers of rows by block."""
        return {"MATRIX": len(self.pattern.entries), "RIGHT": len(self.pattern.order)}

    @property
    def constants(self) -> dict[str, str]:
        """What the statements read besides, as source."""
        return {"ELIMINATION": f"Elimination({self.pattern.order}, {self._columns})"}

    def factor_lines(self, matrix: Mapping[Entry, str], prefix: str) -> list[str]:
        """Statements that factor a matrix given by the expressions of its entries."""
        del prefix
        order = self.pattern.order
        entries = [(i, j) for i, columns in zip(order, self._columns) for j in columns]
        stores = [
            f"rows['MATRIX', {place}] = {matrix.get(entry, '0.0')}"
            for place, entry in enumerate(entries)
        ]
        return [*stores, "sparse_factor(rows, ELIMINATION)"]

    def solve_lines(self, right: Sequence[str], prefix: str, out: str) -> list[str]:
        """Statements that solve for the right-hand side given by n expressions."""
        del prefix
        return [
            *(f"rows['RIGHT', {i}] = {value}" for i, value in enumerate(right)),
            "sparse_solve(rows, ELIMINATION)",
            *(f"{out}{i} = rows['RIGHT', {i}]" for i in range(len(right))),
        ]


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
