"""Sobol' indices from a `saltelli` design: the parts of the variance that parameters explain.

First order by Saltelli and others (2010), total order by Jansen (1999), second order by Saltelli
(2002), each of outputs that are centred by their mean, as SALib has them.

References:
    Saltelli, Annoni, Azzini, Campolongo, Ratto, Tarantola (2010), Variance based sensitivity
    analysis of model output, Comput. Phys. Commun. 181. Jansen (1999), Analysis of variance designs
    for model output, Comput. Phys. Commun. 117. Saltelli (2002), Making best use of model
    evaluations to compute sensitivity indices, Comput. Phys. Commun. 145.
    Sobol' (2001), Global sensitivity indices for nonlinear mathematical models, Math. Comput.
    Simul. 55.
"""

import math

import numpy as np

from odeflow.analysis.sensitivity.block_sums import Outputs, Points

#: A variance this much smaller than the square of the values is rounding.
_ROUNDING = 1e-28


class Sobol:
    """Indices of `number` parameters, or groups of them.

    The rows of a block are A, A with one parameter after another from B, for the second order B
    with one after another from A, and B.
    """

    def __init__(self, number: int, second_order: bool):
        self._number, self._second_order = number, second_order
        self._pairs = np.triu_indices(number, 1)
        self.number_of_leading = 4 + (4 if second_order else 3) * number
        pairs = len(self._pairs[0]) if second_order else 0
        self.number_of_terms = self.number_of_leading + pairs
        self._memory = np.empty(0)

    def reference(self, y: Outputs, x: Points) -> np.ndarray:
        """A value of each output, so that a constant one becomes exactly zero."""
        known = np.isfinite(y[:, 0])
        return np.take_along_axis(y[:, 0], np.argmax(known, axis=0)[None], axis=0)[0]

    def terms(self, y: Outputs, x: Points, reference: np.ndarray) -> np.ndarray:
        """Those of one output: a, b, a² + b², a b, then of each parameter, then of each pair.

        They are in memory that the next call writes to.
        """
        number = self._number
        y = y - reference
        a, b, ab = y[:, :1], y[:, -1:], y[:, 1 : number + 1]
        terms = self._room((len(y), self.number_of_terms, y.shape[-1]))
        terms[:, 0:1], terms[:, 1:2], terms[:, 2:3], terms[:, 3:4] = a, b, a * a + b * b, a * b
        of_each = terms[:, 4 : self.number_of_leading].reshape(len(y), -1, number, y.shape[-1])
        np.subtract(ab, a, out=of_each[:, 0])
        np.multiply(of_each[:, 0], of_each[:, 0], out=of_each[:, 1])
        of_each[:, 0] *= b
        of_each[:, 2] = ab
        if self._second_order:
            ba = of_each[:, 3] = y[:, number + 1 : -1]
            place = self.number_of_leading
            for j in range(number - 1):  # the pairs (j, k > j)
                others = number - 1 - j
                pairs = terms[:, place : place + others]
                np.multiply(ba[:, j : j + 1], ab[:, j + 1 :], out=pairs)
                place += others
        return terms

    def _room(self, shape: tuple[int, ...]) -> np.ndarray:
        """Memory for terms, that of the call before where it is enough: it is large."""
        size = math.prod(shape)
        if len(self._memory) < size:
            self._memory = np.empty(size)
        return self._memory[:size].reshape(shape)

    def indices(
        self, means: np.ndarray, counts: np.ndarray, reference: np.ndarray
    ) -> dict[str, np.ndarray]:
        """`first_order` and `total_order` (*, parameter, output); `second_order` over pairs too.

        Of a pair it is at both its places, NaN on the diagonal.
        """
        number = self._number
        a, b = means[..., 0, :], means[..., 1, :]
        of_each = means[..., 4 : self.number_of_leading, :]
        of_each = of_each.reshape(*means.shape[:-2], -1, number, means.shape[-1])
        from_b, squares, ab = (of_each[..., i, :, :] for i in range(3))
        ba = of_each[..., 3, :, :] if self._second_order else np.zeros_like(ab[..., :0, :])
        rows = 2 + ab.shape[-2] + ba.shape[-2]
        centre = (a + b + ab.sum(axis=-2) + ba.sum(axis=-2)) / rows
        variance = means[..., 2, :] / 2 - ((a + b) / 2) ** 2
        variance = np.where(variance > _ROUNDING * reference**2, variance, np.nan)[..., None, :]
        each = lambda values: values[..., None, :]
        first = (from_b - each(centre) * (ab - each(a))) / variance
        found = {"first_order": first, "total_order": squares / 2 / variance}
        if means.shape[-2] > self.number_of_leading:
            j, k = self._pairs
            shift = ba[..., j, :] + ab[..., k, :] - each(a + b)
            both = means[..., self.number_of_leading :, :] - each(means[..., 3, :])
            both = (both - each(centre) * shift) / variance
            second = np.full((*first.shape[:-1], number, first.shape[-1]), np.nan)
            second[..., j, k, :] = both - first[..., j, :] - first[..., k, :]
            second[..., k, j, :] = second[..., j, k, :]
            found["second_order"] = second
        return found
