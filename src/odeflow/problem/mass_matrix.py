"""The mass matrix M of M y' = f(t, y, args), singular or not, in the form that engines have.

By sums and exchanges of rows, which change f with them, M becomes

    [ I  B ]    of the differential components,
    [ 0  0 ]    of the algebraic ones,

so that a row of f is either the derivative of its component (plus multiples of those of algebraic
ones) or what has to be zero at all times. The equations are of index 1 where the algebraic rows
g determine the algebraic components: where (g_z - g_y B) is regular.

Reference: Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed., section VI.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

#: Of the largest entry of its row, what is zero but for rounding.
_NOTHING = 1e-12
#: Rounds in which rows and columns are divided by the roots of their largest entries.
_SCALINGS = 10


@dataclass(frozen=True)
class MassMatrix:
    """M in this form: row i is e_i + sum of coupling[i, j] e_j, or zero where i is `algebraic`.

    `algebraic` are the algebraic components in an order in which they can be eliminated one after
    another, each by its own row. The j of `coupling` are among them.
    """

    size: int
    algebraic: tuple[int, ...]
    coupling: Mapping[tuple[int, int], float]

    @cached_property
    def explicit(self) -> tuple[bool, ...]:
        """Of every component, whether its row of f is its derivative."""
        coupled = {i for i, _ in self.coupling}
        return tuple(i not in coupled and i not in self.algebraic for i in range(self.size))

    @cached_property
    def directions(self) -> Float[np.ndarray, "component algebraic"]:
        """By columns, how y moves with an algebraic component while M y stays as it is."""
        moved = np.zeros((self.size, len(self.algebraic)))
        for column, j in enumerate(self.algebraic):
            moved[j, column] = 1.0
            for (i, of), factor in self.coupling.items():
                moved[i, column] -= factor * (of == j)
        return moved

    def repeated(self, times: int) -> "MassMatrix":
        """The matrix of as many copies of the components, one after another."""
        starts = [self.size * copy for copy in range(times)]
        algebraic = tuple(start + i for start in starts for i in self.algebraic)
        coupling = {(s + i, s + j): x for s in starts for (i, j), x in self.coupling.items()}
        return MassMatrix(self.size * times, algebraic, coupling)


class EquationRows(NamedTuple):
    """How equations are added up: by row, the factors of the given equations.

    `differential` are those of the differential components, by number; `constraints` those that
    are zero at all times; `coupling` is B by component and component.
    """

    differential: Mapping[int, Mapping[int, float]]
    constraints: Sequence[Mapping[int, float]]
    coupling: Mapping[tuple[int, int], float]


def rows_of(matrix: Float[np.ndarray, "n n"]) -> EquationRows:
    """Gauss-Jordan elimination of a mass matrix, by its largest entries."""
    size = len(matrix)
    largest = np.abs(matrix).max(axis=1, initial=0.0)
    scale = np.where(largest > 0, largest, 1.0)[:, None]
    work = np.hstack([matrix / scale, np.eye(size) / scale])
    left, columns, pivots = list(range(size)), list(range(size)), {}
    while left:
        block = np.abs(work[np.ix_(left, columns)])
        place = np.unravel_index(np.argmax(block), block.shape)
        if block[place] <= _NOTHING:
            break
        row, column = left.pop(int(place[0])), columns.pop(int(place[1]))
        work[row] /= work[row, column]
        for other in range(size):
            if other != row and work[other, column]:
                work[other] -= work[other, column] * work[row]
        pivots[column] = row
    terms = lambda row: {k: float(x) for k, x in enumerate(work[row, size:]) if abs(x) > 0}
    return EquationRows(
        {column: terms(pivots[column]) for column in sorted(pivots)},
        [terms(row) for row in left],
        {
            (column, j): float(work[row, j])
            for column, row in sorted(pivots.items())
            for j in columns
            if abs(work[row, j]) > _NOTHING
        },
    )


def pivots_of(
    block: Float[np.ndarray, "k k"],
) -> tuple[list[tuple[int, int]], Bool[np.ndarray, " k"]]:
    """Rows and columns of a matrix in an order of elimination; and the columns without a pivot.

    Each pivot is at least a tenth of the largest entry left in its column and in its row, scaled;
    of these the one that brings about the fewest products.

    Reference: Duff, Erisman and Reid, Direct Methods for Sparse Matrices, section 5.4; Ruiz, A
    scaling algorithm to equilibrate both rows and columns norms in matrices, RAL-TR-2001-034.
    """
    size, work = len(block), np.where(np.isfinite(block), block, 0.0)
    for _ in range(_SCALINGS):
        for axis in (0, 1):
            largest = np.abs(work).max(axis=axis, keepdims=True)
            work = work / np.sqrt(np.where(largest > 0, largest, 1.0))
    rows, columns, order = list(range(size)), list(range(size)), []
    while columns:
        part = np.abs(work[np.ix_(rows, columns)])
        part[part <= _NOTHING] = 0.0
        if not part.any():
            break
        counts = np.outer((part > 0).sum(axis=1) - 1, (part > 0).sum(axis=0) - 1)
        fit = part >= 0.1 * np.maximum(part.max(axis=0), part.max(axis=1)[:, None])
        i, j = np.unravel_index(np.argmin(np.where(fit, counts, size**2)), part.shape)
        row, column = rows.pop(int(i)), columns.pop(int(j))
        order.append((row, column))
        for other in rows:
            work[other] -= work[other, column] / work[row, column] * work[row]
    return order, np.isin(np.arange(size), columns)
