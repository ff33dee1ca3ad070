"""Sparse LU factorisation by loops over tables of places: little code, however large the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odeflow.engines.native.methods.sparse_lu import Entry, SparseLU


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
