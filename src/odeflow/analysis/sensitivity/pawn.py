"""PAWN: how far the distribution of an output moves where a parameter is known to be in a slice.

References:
    Pianosi, Wagener (2018), Distribution-based sensitivity analysis from a generic input-output
    sample, Environ. Model. Softw. 108.
"""

import numpy as np
from jaxtyping import Float, UInt8

from odeflow.analysis.sensitivity.given_data import in_order

#: Slices of a parameter's range, of equal probability.
SLICES = 10
#: Outputs and values that are counted together: they stay in the cache.
_COLUMNS, _VALUES = 32, 2**15


def pawn(
    x: Float[np.ndarray, "sample parameter"], y: Float[np.ndarray, "sample output"]
) -> dict[str, Float[np.ndarray, "parameter output"]]:
    """Kolmogorov-Smirnov distances between an output and itself in slices of a parameter.

    As SALib's `pawn.analyze` has them with 10 slices. Parameters may depend on one another.

    Arguments:
        x: the parameters' values.
        y: the outputs' values, all finite.

    Returns:
        `pawn`, the median over slices, and `pawn_max`, the largest.
    """
    return Pawn(x, y).indices(np.ones(len(x), np.uint8))


class Pawn:
    """Samples in the order of each parameter and of each output."""

    def __init__(
        self, x: Float[np.ndarray, "sample parameter"], y: Float[np.ndarray, "sample output"]
    ):
        self._x = [(order, values[order]) for values in x.T for order in [in_order(values)]]
        self._outputs = y.shape[1]
        self._order = np.empty((len(y), self._outputs), np.int32)
        self._last_of_equals = np.ones(y.shape, bool)
        for column, values in enumerate(y.T):
            order = self._order[:, column] = in_order(values)
            ordered = values[order]
            self._last_of_equals[:-1, column] = ordered[1:] != ordered[:-1]

    def indices(
        self, counts: UInt8[np.ndarray, " sample"]
    ) -> dict[str, Float[np.ndarray, "parameter output"]]:
        """`pawn` and `pawn_max` where each sample counts so often."""
        distances = np.full((SLICES, len(self._x), self._outputs), np.nan)
        for place, (order, values) in enumerate(self._x):
            slices = _slices(order, values, counts)
            sizes = np.bincount(slices, counts, SLICES + 1)[:SLICES]
            for first in range(0, self._outputs, _COLUMNS):
                columns = slice(first, first + _COLUMNS)
                gaps = self._gaps(slices, sizes, counts, columns)
                distances[:, place, columns] = np.where(sizes[:, None] > 0, gaps, np.nan)
        nowhere = np.isnan(distances).all(axis=0)
        filled = np.where(nowhere, 0.0, distances)
        unless = lambda values: np.where(nowhere, np.nan, values)
        return {
            "pawn": unless(np.nanmedian(filled, axis=0)),
            "pawn_max": unless(np.nanmax(filled, axis=0)),
        }

    def _gaps(
        self, slices: np.ndarray, sizes: np.ndarray, counts: np.ndarray, columns: slice
    ) -> np.ndarray:
        """The largest distances (slice, output), from the smallest value of an output upwards."""
        order, last = self._order[:, columns], self._last_of_equals[:, columns]
        total, width = counts.sum(dtype=np.int64), order.shape[1]
        below, below_in = np.zeros(width, np.int64), np.zeros((SLICES, width), np.int64)
        gaps = np.zeros((SLICES, width))
        step = max(_VALUES // width, 1)
        for start in range(0, len(order), step):
            piece = order[start : start + step]
            counted, of = counts[piece], slices[piece]
            upto = below + np.cumsum(counted, axis=0, dtype=np.int64)
            everywhere = np.where(last[start : start + step], upto / total, np.nan)
            for one in np.flatnonzero(sizes):
                here = np.cumsum(np.where(of == one, counted, 0), axis=0, dtype=np.int64)
                here += below_in[one]
                apart = np.abs(here / sizes[one] - everywhere)
                np.fmax(gaps[one], np.fmax.reduce(apart, axis=0), out=gaps[one])
                below_in[one] = here[-1]
            below = upto[-1]
        return gaps


def _slices(order: np.ndarray, values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The slice of each sample; `SLICES` of the largest value, which is in none."""
    edges = _quantiles(values, counts[order], np.arange(SLICES + 1) / SLICES)
    ends = np.searchsorted(values, edges, side="left")
    found = np.full(len(values), SLICES, np.uint8)
    for one in range(SLICES):
        found[order[ends[one] : ends[one + 1]]] = one
    return found


def _quantiles(values: np.ndarray, counts: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """`np.quantile` of ordered values that count so often."""
    upto = np.cumsum(counts, dtype=np.int64)
    at = levels * (upto[-1] - 1)
    whole = np.floor(at).astype(np.int64)
    low, high = (
        values[np.searchsorted(upto, np.minimum(one, upto[-1] - 1), side="right")]
        for one in (whole, whole + 1)
    )
    part = at - whole
    # as NumPy rounds it
    return np.where(part < 0.5, low + (high - low) * part, high - (high - low) * (1 - part))
