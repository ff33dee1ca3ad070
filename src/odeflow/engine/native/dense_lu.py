"""LU factorisation of a full matrix a lane, by loops over the rows of the lanes' buffer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba.core import cgutils

from odeflow.engine.native.lane_values import Kind, LaneValue
from odeflow.engine.native.sparse_lu import Entry

if TYPE_CHECKING:
    from odeflow.engine.native.lane_code import Rows

_WORD = ir.IntType(64)


@dataclass(frozen=True)
class DenseLU:
    """The statements that factor a size x size matrix and solve with it; see `SparseLU`.

    The matrix is the block of rows `MATRIX`, row by row, and a right-hand side is `RIGHT`.
    Nothing is pivoted: lanes would then differ in what they do.
    """

    size: int

    @property
    def blocks(self) -> dict[str, int]:
        """Numbers of rows by block."""
        return {"MATRIX": self.size**2, "RIGHT": self.size}

    def factor_lines(self, matrix: Mapping[Entry, str], prefix: str) -> list[str]:
        """Statements that factor a matrix given by the expressions of its entries."""
        del prefix
        n = self.size
        entries = [matrix.get((i, j), "0.0") for i in range(n) for j in range(n)]
        stores = [f"rows['MATRIX', {k}] = {value}" for k, value in enumerate(entries)]
        return [*stores, f"lu_factor(rows, {n})"]

    def solve_lines(self, right: Sequence[str], prefix: str, out: str) -> list[str]:
        """Statements that solve for the right-hand side given by n expressions."""
        del prefix
        return [
            *(f"rows['RIGHT', {i}] = {value}" for i, value in enumerate(right)),
            f"lu_solve(rows, {self.size})",
            *(f"{out}{i} = rows['RIGHT', {i}]" for i in range(self.size)),
        ]


def lu_factor(rows: Rows, n: int) -> None:
    """Replaces MATRIX by its factors: L without its diagonal of ones, U, its diagonal inverted.

    Row by row, so that the row at hand stays in the first-level cache.

    Reference: Golub and Van Loan, Matrix Computations, 4th ed., algorithm 3.2.1 with the loops in
    the order i, k, j.
    """
    builder = rows.builder
    for i in _loop(builder, 0, n):
        for k in _loop(builder, 0, i):
            place = _place(builder, i, n, k)
            ratio = rows["MATRIX", place] * rows["MATRIX", _place(builder, k, n, k)]
            rows["MATRIX", place] = ratio
            for j in _loop(builder, builder.add(k, _number(1)), n):
                place = _place(builder, i, n, j)
                update = ratio * rows["MATRIX", _place(builder, k, n, j)]
                rows["MATRIX", place] = rows["MATRIX", place] - update
        place = _place(builder, i, n, i)
        rows["MATRIX", place] = 1.0 / rows["MATRIX", place]


def lu_solve(rows: Rows, n: int) -> None:
    """Replaces RIGHT by the solution, given the factors in MATRIX."""
    builder = rows.builder
    for i in _loop(builder, 0, n):
        reduced = _Sum(rows["RIGHT", i])
        for j in _loop(builder, 0, i):
            reduced.subtract(rows["MATRIX", _place(builder, i, n, j)] * rows["RIGHT", j])
        rows["RIGHT", i] = reduced.value
    for k in _loop(builder, 0, n):
        i = builder.sub(_number(n - 1), k)
        reduced = _Sum(rows["RIGHT", i])
        for j in _loop(builder, builder.add(i, _number(1)), n):
            reduced.subtract(rows["MATRIX", _place(builder, i, n, j)] * rows["RIGHT", j])
        rows["RIGHT", i] = reduced.value * rows["MATRIX", _place(builder, i, n, i)]


class _Sum:
    """A number of every lane that a loop changes."""

    def __init__(self, start: LaneValue):
        self._writer = start.writer
        self._kind: Kind = start.kind
        vector = self._writer.type(self._kind)
        self._places = [cgutils.alloca_once(self._writer.builder, vector) for _ in start.parts]
        self._set(start)

    def _set(self, value: LaneValue) -> None:
        for place, part in zip(self._places, value.parts):
            self._writer.builder.store(part, place)

    @property
    def value(self) -> LaneValue:
        """The number now."""
        parts = [self._writer.builder.load(place) for place in self._places]
        return LaneValue(self._writer, self._kind, parts)

    def subtract(self, value: LaneValue) -> None:
        """Takes a number from it."""
        self._set(self.value - value)


def _number(value: int) -> ir.Constant:
    return ir.Constant(_WORD, value)


def _loop(builder: Any, start: Any, stop: Any) -> Iterator[ir.Value]:
    """Writes what the body of a `for` writes, once, as the body of a loop over integers."""
    bounds: Any = [_number(x) if isinstance(x, int) else x for x in (start, stop)]
    span: Any = cgutils.for_range_slice
    with span(builder, *bounds, _number(1)) as (index, _):
        yield index


def _place(builder: Any, i: ir.Value, n: int, j: ir.Value) -> ir.Value:
    """Where entry (i, j) of an n x n matrix is."""
    return builder.add(builder.mul(i, _number(n)), j)
