"""Elimination in the full matrix of each lane, by loops over the rows of the lanes' buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir

from odeflow.engines.native.targets.lane_loops import Sum, loop, number

if TYPE_CHECKING:
    from odeflow.engines.native.targets.lane_code import Rows


def lu_factor(rows: Rows, n: int) -> None:
    """Replaces MATRIX by its factors: L without its diagonal of ones, U, its diagonal inverted.

    Row by row, so that the row at hand stays in the first-level cache.

    Reference: Golub and Van Loan, Matrix Computations, 4th ed., algorithm 3.2.1 with the loops in
    the order i, k, j.
    """
    builder = rows.builder
    for i in loop(builder, 0, n):
        for k in loop(builder, 0, i):
            place = _place(builder, i, n, k)
            ratio = rows["MATRIX", place] * rows["MATRIX", _place(builder, k, n, k)]
            rows["MATRIX", place] = ratio
            for j in loop(builder, builder.add(k, number(1)), n):
                place = _place(builder, i, n, j)
                update = ratio * rows["MATRIX", _place(builder, k, n, j)]
                rows["MATRIX", place] = rows["MATRIX", place] - update
        place = _place(builder, i, n, i)
        rows["MATRIX", place] = 1.0 / rows["MATRIX", place]


def lu_solve(rows: Rows, n: int) -> None:
    """Replaces RIGHT by the solution, given the factors in MATRIX."""
    builder = rows.builder
    for i in loop(builder, 0, n):
        reduced = Sum(rows["RIGHT", i])
        for j in loop(builder, 0, i):
            reduced.subtract(rows["MATRIX", _place(builder, i, n, j)] * rows["RIGHT", j])
        rows["RIGHT", i] = reduced.value
    for k in loop(builder, 0, n):
        i = builder.sub(number(n - 1), k)
        reduced = Sum(rows["RIGHT", i])
        for j in loop(builder, builder.add(i, number(1)), n):
            reduced.subtract(rows["MATRIX", _place(builder, i, n, j)] * rows["RIGHT", j])
        rows["RIGHT", i] = reduced.value * rows["MATRIX", _place(builder, i, n, i)]


def _place(builder: Any, i: ir.Value, n: int, j: ir.Value) -> ir.Value:
    """Where entry (i, j) of an n x n matrix is."""
    return builder.add(builder.mul(i, number(n)), j)
