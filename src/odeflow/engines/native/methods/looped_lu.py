"""Sparse LU factorisation by loops over tables of places: little code, however large the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odeflow.engines.native.methods.sparse_lu import Entry, Factors, SparseLU
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.value import Value


@dataclass(frozen=True)
class LoopedLU:
    """Factors a matrix of a known pattern and solves with it, in a lane's rows; see `SparseLU`.

    The factors are the group of rows `MATRIX`, in the order in which they are computed, and a
    right-hand side is `RIGHT`. The operations are those of `SparseLU`, in the same order.
    """

    pattern: SparseLU

    @property
    def _columns(self) -> tuple[tuple[int, ...], ...]:
        lower, upper = self.pattern.lower, self.pattern.upper
        return tuple((*lower[i], i, *upper[i]) for i in self.pattern.order)

    @property
    def row_groups(self) -> dict[str, int]:
        """Numbers of rows by group."""
        return {"MATRIX": len(self.pattern.entries), "RIGHT": len(self.pattern.order)}

    def factor(self, matrix: Mapping[Entry, Value]) -> Factors:
        """Factors a matrix given by its entries; gives the builder, whose rows hold the factors."""
        builder = lane_builder(matrix.values())
        order = self.pattern.order
        entries = [(i, j) for i, columns in zip(order, self._columns) for j in columns]
        for place, entry in enumerate(entries):
            builder.store("MATRIX", matrix.get(entry, 0.0), place)
        builder.call("sparse_factor", order, self._columns)
        return builder

    def solve(self, factors: Factors, right: Sequence[Value]) -> list[Value]:
        """The solution for a right-hand side of n values."""
        for i, value in enumerate(right):
            factors.store("RIGHT", value, i)
        factors.call("sparse_solve", self.pattern.order, self._columns)
        return [factors.row("RIGHT", i) for i in range(len(right))]


def lane_builder(values: object) -> LaneBuilder:
    """The builder of a program that may loop over rows."""
    builder = next(iter(values)).builder  # type: ignore[call-overload]
    assert isinstance(builder, LaneBuilder)
    return builder
