"""Elimination in the full matrix of each lane, by loops over tiles of the rows of its buffer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llvmlite import ir

from odeflow.engines.native.targets.lane_loops import Sum, loop, number
from odeflow.engines.native.targets.lane_rows import Rows
from odeflow.engines.native.targets.lane_values import LaneValue

#: Rows and columns of a tile, which stays in the registers while products are taken from it.
TILE = 4
_TILE = range(TILE)


def lu_factor(rows: Rows, n: int) -> None:
    """Replaces MATRIX by its factors: L without its diagonal of ones, U, its diagonal inverted.

    `n`, the number of rows, is a multiple of `TILE`. A tile of row i and column j is what is there
    less the products of the tiles left of it with those above it, times an inverse.

    Reference: Golub and Van Loan, Matrix Computations, 4th ed., section 3.2.10, block LU.
    """
    matrix, builder = _Matrix(rows, n), rows.builder
    for i in loop(builder, 0, n // TILE):
        for j in loop(builder, 0, i):
            tile = matrix.reduced(i, j, j)
            for r in _TILE:
                for c in _TILE:
                    for k in range(c):
                        tile[r][c] = tile[r][c] - tile[r][k] * matrix[j, k, j, c]
                    tile[r][c] = tile[r][c] * matrix[j, c, j, c]
            matrix.put(i, j, tile)
        tile = matrix.reduced(i, i, i)
        for k in _TILE:
            tile[k][k] = 1.0 / tile[k][k]
            for r in range(k + 1, TILE):
                tile[r][k] = tile[r][k] * tile[k][k]
                for c in range(k + 1, TILE):
                    tile[r][c] = tile[r][c] - tile[r][k] * tile[k][c]
        matrix.put(i, i, tile)
        for j in loop(builder, builder.add(i, number(1)), n // TILE):
            tile = matrix.reduced(i, j, i)
            for c in _TILE:
                for r in _TILE:
                    for k in range(r):
                        tile[r][c] = tile[r][c] - matrix[i, r, i, k] * tile[k][c]
            matrix.put(i, j, tile)


def lu_solve(rows: Rows, n: int) -> None:
    """Replaces RIGHT by the solution, given the factors in MATRIX."""
    matrix, builder = _Matrix(rows, n), rows.builder
    last = n // TILE - 1

    def reduced(i: ir.Value, start: Any, stop: Any) -> list[LaneValue]:
        sums = [Sum(rows["RIGHT", matrix.row(i, r)]) for r in _TILE]
        for j in loop(builder, start, stop):
            for c in _TILE:
                known = rows["RIGHT", matrix.row(j, c)]
                for r, total in enumerate(sums):
                    total.subtract(matrix[i, r, j, c] * known)
        return [total.value for total in sums]

    for i in loop(builder, 0, n // TILE):
        values = reduced(i, 0, i)
        for r in _TILE:
            for k in range(r):
                values[r] = values[r] - matrix[i, r, i, k] * values[k]
            rows["RIGHT", matrix.row(i, r)] = values[r]
    for turn in loop(builder, 0, n // TILE):
        i = builder.sub(number(last), turn)
        values = reduced(i, builder.add(i, number(1)), n // TILE)
        for r in reversed(_TILE):
            for k in range(r + 1, TILE):
                values[r] = values[r] - matrix[i, r, i, k] * values[k]
            values[r] = values[r] * matrix[i, r, i, r]
            rows["RIGHT", matrix.row(i, r)] = values[r]


class _Matrix:
    """The matrix by row of tiles, row in it, column of tiles and column in it."""

    def __init__(self, rows: Rows, n: int):
        self._rows, self._builder, self._n = rows, rows.builder, n

    def row(self, i: Any, r: int) -> ir.Value:
        """The number of a row, or of a column."""
        return self._builder.add(self._builder.mul(i, number(TILE)), number(r))

    def _place(self, i: Any, r: int, j: Any, c: int) -> ir.Value:
        start = self._builder.mul(self.row(i, r), number(self._n))
        return self._builder.add(start, self.row(j, c))

    def __getitem__(self, place: tuple[Any, int, Any, int]) -> LaneValue:
        return self._rows["MATRIX", self._place(*place)]

    def reduced(self, i: Any, j: Any, stop: Any) -> list[list[LaneValue]]:
        """A tile less the products of those before `stop` left of it and above it."""
        sums = [[Sum(self[i, r, j, c]) for c in _TILE] for r in _TILE]
        for k in self._steps(stop):
            right = [self._rows["MATRIX", self._at(k, j, c)] for c in _TILE]
            for r in _TILE:
                left = self._rows["MATRIX", self._builder.add(self._start(i, r), k)]
                for c in _TILE:
                    sums[r][c].subtract(left * right[c])
        return [[total.value for total in line] for line in sums]

    def _steps(self, stop: Any) -> Iterator[ir.Value]:
        return loop(self._builder, 0, self._builder.mul(stop, number(TILE)))

    def _start(self, i: Any, r: int) -> ir.Value:
        return self._builder.mul(self.row(i, r), number(self._n))

    def _at(self, k: Any, j: Any, c: int) -> ir.Value:
        return self._builder.add(self._builder.mul(k, number(self._n)), self.row(j, c))

    def put(self, i: Any, j: Any, tile: list[list[LaneValue]]) -> None:
        """Writes a tile."""
        for r in _TILE:
            for c in _TILE:
                self._rows["MATRIX", self._place(i, r, j, c)] = tile[r][c]
