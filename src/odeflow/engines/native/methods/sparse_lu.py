"""Sparse LU factorisation as straight-line code: zeros are known when it is written."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any

from odeflow.engines.native.program.value import Value

Entry = tuple[int, int]
#: The factors of a matrix, whatever solves with them.
Factors = Any


@dataclass(frozen=True)
class SparseLU:
    """Where the factors of a matrix can be nonzero, and how they are computed.

    `order` lists the pivots, which are diagonal entries, in the order of elimination; `entries`
    are the places of both factors in one matrix, fill-in included (the unit diagonal of L is not
    stored). Nothing is pivoted at run time: a vanishing pivot gives non-finite factors, and with
    them a non-finite solution.

    Reference: Golub and Van Loan, Matrix Computations, 4th ed., section 3.2; Sandu and Sander,
    Atmos. Chem. Phys. 6, 187-195 (2006), section 3, for unrolling it in chemistry codes.
    """

    order: tuple[int, ...]
    entries: frozenset[Entry]

    @property
    def row_groups(self) -> dict[str, int]:
        """It needs no rows of the buffer."""
        return {}

    @cached_property
    def _rank(self) -> dict[int, int]:
        return {row: rank for rank, row in enumerate(self.order)}

    @cached_property
    def _columns(self) -> dict[int, list[int]]:
        """For every row, its columns in order of elimination."""
        columns: dict[int, list[int]] = {i: [] for i in self.order}
        for i, j in self.entries:
            columns[i].append(j)
        return {i: sorted(row, key=self._rank.__getitem__) for i, row in columns.items()}

    @cached_property
    def lower(self) -> dict[int, tuple[int, ...]]:
        """For every row, the columns of L, in order of elimination."""
        return {i: tuple(row[: row.index(i)]) for i, row in self._columns.items()}

    @cached_property
    def upper(self) -> dict[int, tuple[int, ...]]:
        """For every row, the columns of U right of the diagonal, in order of elimination."""
        return {i: tuple(row[row.index(i) + 1 :]) for i, row in self._columns.items()}

    @property
    def factor_operations(self) -> int:
        """Additions, multiplications and divisions of one factorisation."""
        below = Counter(j for row in self.lower.values() for j in row)
        updates = sum(below[k] * len(row) for k, row in self.upper.items())
        return 2 * updates + sum(map(len, self.lower.values())) + len(self.order)

    @property
    def solve_operations(self) -> int:
        """Additions and multiplications of one solve."""
        return 2 * (len(self.entries) - len(self.order)) + len(self.order)

    def factor(self, matrix: Mapping[Entry, Value]) -> Factors:
        """The factors of a matrix given by its entries; those that it lacks are zero.

        On the diagonal they are the reciprocals of the pivots.
        """
        factors: dict[Entry, Value] = {}
        for i in self.order:
            for j in (*self.lower[i], i, *self.upper[i]):
                value: Any = matrix.get((i, j), 0.0)
                for k in self._inner(i, j):
                    value = value - factors[i, k] * factors[k, j]
                if i == j:
                    value = 1.0 / value
                elif j in self.lower[i]:
                    value = value * factors[j, j]
                factors[i, j] = value
        return factors

    def solve(self, factors: Factors, right: Sequence[Value]) -> list[Value]:
        """The solution for a right-hand side of n values."""
        solution = list(right)
        for i in self.order:
            for j in self.lower[i]:
                solution[i] = solution[i] - factors[i, j] * solution[j]
        for i in reversed(self.order):
            for j in self.upper[i]:
                solution[i] = solution[i] - factors[i, j] * solution[j]
            solution[i] = solution[i] * factors[i, i]
        return solution

    def _inner(self, i: int, j: int) -> list[int]:
        """The k of the products l_ik u_kj in entry (i, j)."""
        last = min(self._rank[i], self._rank[j])
        return [k for k in self.lower[i] if self._rank[k] < last and (k, j) in self.entries]


def plan(size: int, nonzeros: Iterable[Entry], sequence: Sequence[int] = ()) -> SparseLU:
    """Chooses an order of elimination for a size x size matrix and finds the fill-in.

    Takes the diagonal entry of smallest Markowitz count (the products it brings about), the first
    of equals; those of `sequence` in their order. The diagonal counts as nonzero.

    Reference: Markowitz, Management Science 3, 255-269 (1957); restricted to the diagonal as in
    Duff, Erisman and Reid, Direct Methods for Sparse Matrices, section 7.2.
    """
    rows: list[set[int]] = [{i} for i in range(size)]
    columns: list[set[int]] = [{i} for i in range(size)]
    for i, j in nonzeros:
        rows[i].add(j)
        columns[j].add(i)
    entries = {(i, j) for i in range(size) for j in rows[i]}

    def count(k: int) -> tuple[int, int]:
        return (len(rows[k]) - 1) * (len(columns[k]) - 1), k

    closed = set(sequence[1:])
    following = dict(pairwise(sequence))
    queue = [count(k) for k in range(size) if k not in closed]
    heapify(queue)
    eliminated: set[int] = set()
    order = []
    while queue:
        products, pivot = heappop(queue)
        if pivot in eliminated or products != count(pivot)[0]:
            continue  # its count has changed since, and is in the queue again
        if pivot in following:
            closed.discard(following[pivot])
            heappush(queue, count(following[pivot]))
        eliminated.add(pivot)
        order.append(pivot)
        row, column = rows[pivot] - {pivot}, columns[pivot] - {pivot}
        for i in column:
            rows[i].remove(pivot)
            rows[i] |= row
            entries.update((i, j) for j in row)
        for j in row:
            columns[j].remove(pivot)
            columns[j] |= column
        for k in row | column:
            if k not in closed:
                heappush(queue, count(k))
    return SparseLU(tuple(order), frozenset(entries))
