"""LU factorisation of a full matrix by loops over rows: `targets.dense_elimination`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odeflow.engines.native.methods.looped_lu import lane_builder
from odeflow.engines.native.methods.sparse_lu import Entry, Factors
from odeflow.engines.native.program.value import Value

#: Rows and columns that `lu_factor` takes at a time.
_MULTIPLE = 4


@dataclass(frozen=True)
class DenseLU:
    """Factors a size x size matrix and solves with it, in the rows of a lane; see `SparseLU`.

    The matrix is the group of rows `MATRIX`, row by row, and a right-hand side is `RIGHT`, both
    filled up to a multiple of `_MULTIPLE`. Nothing is pivoted: lanes would then differ in what
    they do.
    """

    size: int

    @property
    def row_groups(self) -> dict[str, int]:
        """Numbers of rows by group."""
        return {"MATRIX": self._rows**2, "RIGHT": self._rows}

    @property
    def _rows(self) -> int:
        return -(-self.size // _MULTIPLE) * _MULTIPLE

    def factor(self, matrix: Mapping[Entry, Value]) -> Factors:
        """Factors a matrix given by its entries; gives the builder, whose rows hold the factors."""
        builder, n = lane_builder(matrix.values()), self._rows
        for i in range(n):
            for j in range(n):
                beyond = float(i == j >= self.size)
                builder.store("MATRIX", matrix.get((i, j), beyond), i * n + j)
        builder.call("lu_factor", n)
        return builder

    def solve(self, factors: Factors, right: Sequence[Value]) -> list[Value]:
        """The solution for a right-hand side of n values."""
        for i, value in enumerate(right):
            factors.store("RIGHT", value, i)
        for i in range(len(right), self._rows):
            factors.store("RIGHT", 0.0, i)
        factors.call("lu_solve", self._rows)
        return [factors.row("RIGHT", i) for i in range(self.size)]
