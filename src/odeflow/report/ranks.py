"""Rank correlations of a metric with the axes of a design."""

from collections.abc import Iterable

import numpy as np
import xarray as xr

from odeflow.ensemble.labels import design_dims


def flat_axis(ensemble: xr.Dataset, axis: str) -> np.ndarray:
    """An axis of the design, one value for each trajectory, in the order of the design's rows."""
    dims = design_dims(ensemble)
    return ensemble[axis].broadcast_like(ensemble["status"]).transpose(*dims).values.ravel()


def rank_correlations(
    ensemble: xr.Dataset, axes: Iterable[str], values: np.ndarray
) -> dict[str, float]:
    """Spearman's rank correlation of values with each axis, over the trajectories that have one.

    Arguments:
        ensemble: has the axes.
        axes: their names.
        values: one for each trajectory, of the design's shape or flat; NaN for none.

    Returns:
        A number by axis, NaN where the values or the axis do not vary.
    """
    flat = values.ravel()
    finite = np.isfinite(flat)
    nothing = finite.sum() < 3
    ranks = mean_ranks(flat[finite])
    return {
        axis: float("nan")
        if nothing
        else _correlation(mean_ranks(flat_axis(ensemble, axis)[finite]), ranks)
        for axis in axes
    }


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, the mean of theirs for values that are equal; as `scipy.stats.rankdata`."""
    order = np.argsort(values)
    ordered = values[order]
    begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(values)])
    ends = np.append(begins[1:], len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((begins + 1 + ends) / 2, ends - begins)
    return ranks


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])
