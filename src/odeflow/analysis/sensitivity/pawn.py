"""PAWN: how far the distribution of an output moves where a parameter is known to be in a slice.

References:
    Pianosi, Wagener (2018), Distribution-based sensitivity analysis from a generic input-output
    sample, Environ. Model. Softw. 108.
"""

import numpy as np
from jaxtyping import Float

#: Slices of a parameter's range, of equal probability.
SLICES = 10


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
    number = len(x)
    order = np.argsort(y, axis=0, kind="stable")
    ordered = np.take_along_axis(y, order, axis=0)
    last_of_equals = np.ones(y.shape, bool)
    last_of_equals[:-1] = ordered[1:] != ordered[:-1]
    everywhere = np.arange(1, number + 1)[:, None] / number
    distances = np.full((SLICES, x.shape[1], y.shape[1]), np.nan)
    for place, values in enumerate(x.T):
        edges = np.quantile(values, np.arange(SLICES + 1) / SLICES)
        for one in range(SLICES):
            here = (values >= edges[one]) & (values < edges[one + 1])
            if here.any():
                within = np.cumsum(here[order], axis=0) / here.sum()
                gaps = np.where(last_of_equals, np.abs(within - everywhere), 0.0)
                distances[one, place] = gaps.max(axis=0)
    nowhere = np.isnan(distances).all(axis=0)
    filled = np.where(nowhere, 0.0, distances)
    unless = lambda values: np.where(nowhere, np.nan, values)
    return {
        "pawn": unless(np.nanmedian(filled, axis=0)),
        "pawn_max": unless(np.nanmax(filled, axis=0)),
    }
