"""The Poisson bootstrap: how often each block of samples counts in each resample.

Every block counts independently of the others, as often as a Poisson law of mean 1 says. So the
resamples of the first n blocks are among those of all, and a stream of blocks needs no second pass.

References:
    Chamandy, Muralidharan, Najmi, Naidu (2012), Estimating uncertainty for massive data streams,
    Google technical report. Efron (1979), Bootstrap methods, Ann. Statist. 7.
"""

import math
from statistics import NormalDist

import numpy as np
from jaxtyping import Float

from odeflow.design.streams import open_unit, stream

#: Cumulative probabilities of the Poisson law of mean 1: beyond the last one there is nothing left.
_CUMULATIVE = np.cumsum([math.exp(-1) / math.factorial(k) for k in range(19)])


def weights(
    seed: int, resamples: int, start: int, stop: int
) -> Float[np.ndarray, "resample_and_all block"]:
    """How often blocks start..stop count: once in the first row, then as each resample has it.

    Arguments:
        seed: of the resamples.
        resamples: their number.
        start: number of the first block, from 0.
        stop: number after the last one.

    Returns:
        Counts (1 + resamples, stop - start); a block's do not depend on the range.
    """
    counts = np.ones((1 + resamples, stop - start))
    if resamples:
        words = stream(f"resamples {seed}", start * resamples, stop * resamples)
        drawn = np.searchsorted(_CUMULATIVE, open_unit(words), side="right")
        counts[1:] = drawn.reshape(stop - start, resamples).T
    return counts


def intervals(
    estimates: Float[np.ndarray, "resample_and_all *index"], level: float
) -> Float[np.ndarray, "2 *index"]:
    """The normal interval around the first estimate, with the standard deviation of the others.

    Arguments:
        estimates: of all blocks, then of each resample; NaN where a resample has none.
        level: the part of such intervals that are to cover the truth, in (0, 1).

    Returns:
        Lower and upper ends; NaN where fewer than two resamples have an estimate.
    """
    resampled = estimates[1:]
    known = np.isfinite(resampled)
    number = known.sum(axis=0)
    enough = number > 1
    shifted = np.where(known, resampled - estimates[0], 0.0)
    mean = shifted.sum(axis=0) / np.maximum(number, 1)
    squares = np.where(known, (shifted - mean) ** 2, 0.0).sum(axis=0)
    deviation = np.sqrt(squares / np.maximum(number - 1, 1))
    half = np.where(enough, NormalDist().inv_cdf(0.5 + level / 2) * deviation, np.nan)
    return np.stack([estimates[0] - half, estimates[0] + half])
