"""Indices that follow from means over independent blocks of samples, a slab of blocks at a time.

A block is what belongs together in a design: a base point with its radial steps, a trajectory of
Morris', a single sample. A block in which an output has no value is left out for that output.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from odeflow.analysis.sensitivity.resampling import intervals, weights

#: Outputs of the samples of blocks, and where these samples are.
Outputs = Float[np.ndarray, "block row output"]
Points = Float[np.ndarray, "block point axis"]


@runtime_checkable
class BlockEstimator(Protocol):
    """What has indices that are functions of means over blocks.

    `number_of_terms` values of each block and output are averaged. The first `number_of_leading`
    of them are enough for the indices whose convergence is followed.
    """

    number_of_terms: int
    number_of_leading: int

    def reference(self, y: Outputs, x: Points) -> np.ndarray:
        """What is subtracted before anything is squared, (*any, output), from the first blocks."""
        ...

    def terms(self, y: Outputs, x: Points, reference: np.ndarray) -> np.ndarray:
        """What is averaged, (block, term, output)."""
        ...

    def indices(
        self, means: np.ndarray, counts: np.ndarray, reference: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Indices (*leading, *parameters, output) by name from means (*leading, term, output).

        `counts` (*leading, output) is how many blocks they are over.
        """
        ...


class Index(NamedTuple):
    """An index with its interval, and the same for prefixes of the design where followed."""

    value: np.ndarray
    bounds: np.ndarray
    values_at: np.ndarray | None = None
    bounds_at: np.ndarray | None = None


class BlockSums:
    """Sums of an estimator's terms over blocks, plain and resampled, also of prefixes."""

    def __init__(
        self, estimator: BlockEstimator, prefixes: Sequence[int], resamples: int, seed: int
    ):
        self._estimator, self._prefixes = estimator, frozenset(prefixes)
        self._resamples, self._seed = resamples, seed
        self._number = 0
        self._reference: np.ndarray | None = None
        self._sums: Any = 0.0
        self._counts: Any = 0.0
        self._at: list[dict[str, np.ndarray]] = []

    def add(self, y: Outputs, x: Points) -> None:
        """Adds the next blocks of the design; NaN is where an output has no value."""
        ends = sorted(p - self._number for p in self._prefixes)
        cuts = [0, *(end for end in ends if 0 < end < len(y)), len(y)]
        for start, stop in pairwise(cuts):
            self._add(y[start:stop], x[start:stop])
            if self._number in self._prefixes:
                self._at.append(self._indices(self._estimator.number_of_leading))

    def _add(self, y: Outputs, x: Points) -> None:
        estimator, number = self._estimator, self._number
        if self._reference is None:
            self._reference = np.nan_to_num(estimator.reference(y, x))
        known = np.all(np.isfinite(y), axis=1)
        if not known.all():
            y = np.where(known[:, None], y, 0.0)
        terms = estimator.terms(y, x, self._reference)
        if not known.all():
            terms *= known[:, None]
        counted = weights(self._seed, self._resamples, number, number + len(y))
        self._sums += (counted @ terms.reshape(len(y), -1)).reshape(-1, *terms.shape[1:])
        self._counts += counted @ known.astype(float)
        self._number += len(y)

    def _indices(self, number_of_terms: int) -> dict[str, np.ndarray]:
        assert self._reference is not None
        counts = self._counts
        with np.errstate(invalid="ignore", divide="ignore"):
            means = self._sums[:, :number_of_terms] / np.where(counts > 0, counts, np.nan)[:, None]
            return self._estimator.indices(means, counts, self._reference)

    @property
    def left_out(self) -> Int[np.ndarray, " output"]:
        """Blocks that have no value of an output."""
        return self._number - np.rint(self._counts[0]).astype(np.int64)

    def result(self, level: float) -> Mapping[str, Index]:
        """The indices by name, with intervals of this level."""
        found = {}
        for name, estimates in self._indices(self._estimator.number_of_terms).items():
            index = Index(estimates[0], intervals(estimates, level))
            if self._at and name in self._at[0]:
                index = index._replace(
                    values_at=np.stack([one[name][0] for one in self._at]),
                    bounds_at=np.stack([intervals(one[name], level) for one in self._at]),
                )
            found[name] = index
        return found
