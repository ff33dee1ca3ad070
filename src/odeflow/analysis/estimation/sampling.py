"""Draws from the posterior by ensembles of walkers, all of them lanes of one solve.

A half of an ensemble moves at a time, each walker along the line to one of the other half, by a
factor z whose density is proportional to 1/sqrt(z) on [1/2, 2]. Affine transformations of the
parameters change nothing, so scales and correlations need no tuning.

Reference: Goodman and Weare (2010), Ensemble samplers with affine invariance, Commun. Appl. Math.
Comput. Sci. 5, 65-80.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "ensemble walker parameter"]
#: The logarithm of a density, of vectors one per row.
LogDensity = Callable[[Float[np.ndarray, "vector parameter"]], Float[np.ndarray, " vector"]]
_STRETCH = 2.0


class Draws(NamedTuple):
    """What is kept of all walkers; `accepted` is the part of moves that were taken."""

    points: Float[np.ndarray, "ensemble walker draw parameter"]
    log_density: Float[np.ndarray, "ensemble walker draw"]
    accepted: float


def draw(
    log_density: LogDensity, start: Points, draws: int, warmup: int, thin: int, seed: int
) -> Draws:
    """Draws from a density known up to a factor.

    Arguments:
        log_density: its logarithm, minus infinity where it is zero.
        start: where walkers begin, an even number of them in each ensemble.
        draws: draws of each walker to keep.
        warmup: draws of each walker before the first one kept.
        thin: every so many draws after these one is kept.
        seed: of the moves.

    Returns:
        The draws; ensembles know nothing of one another.
    """
    ensembles, walkers, size = start.shape
    at = start.copy()
    known = log_density(at.reshape(-1, size)).reshape(ensembles, walkers)
    kept = np.empty((ensembles, walkers, draws, size))
    densities, accepted, moves = np.empty((ensembles, walkers, draws)), 0, 0
    half = walkers // 2
    halves = slice(0, half), slice(half, None)
    for step in range(warmup + draws * thin):
        rng = np.random.default_rng([seed, step])
        for own, other in (halves, halves[::-1]):
            z = ((_STRETCH - 1) * rng.random((ensembles, half)) + 1) ** 2 / _STRETCH
            partners = rng.integers(0, half, (ensembles, half))
            partner = np.take_along_axis(at[:, other], partners[:, :, None], axis=1)
            proposed = partner + z[:, :, None] * (at[:, own] - partner)
            found = log_density(proposed.reshape(-1, size)).reshape(ensembles, half)
            with np.errstate(invalid="ignore"):
                gain = (size - 1) * np.log(z) + found - known[:, own]
            taken = np.log(rng.random((ensembles, half))) < gain
            at[:, own] = np.where(taken[:, :, None], proposed, at[:, own])
            known[:, own] = np.where(taken, found, known[:, own])
            if step >= warmup:
                accepted, moves = accepted + int(taken.sum()), moves + taken.size
        number, rest = divmod(step - warmup, thin)
        if step >= warmup and rest == thin - 1:
            kept[:, :, number], densities[:, :, number] = at, known
    return Draws(kept, densities, accepted / max(moves, 1))
