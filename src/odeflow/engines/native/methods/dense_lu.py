"""LU factorisation of a full matrix as statements: calls of `targets.dense_elimination`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odeflow.engines.native.methods.sparse_lu import Entry


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

    @property
    def constants(self) -> dict[str, str]:
        """The statements read nothing besides."""
        return {}

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
