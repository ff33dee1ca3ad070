"""Indices from any sample, with intervals by resampling it, and those of its first rows."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Shaped

from odeflow.analysis.sensitivity.block_sums import Index
from odeflow.analysis.sensitivity.resampling import intervals, weights

#: From points and outputs to indices by name, (parameter, output).
Estimator = Callable[
    [Float[np.ndarray, "sample parameter"], Float[np.ndarray, "sample output"]],
    Mapping[str, np.ndarray],
]
#: Samples whose counts are drawn at once.
_PIECE = 2**14
#: With fewer samples there is nothing to be estimated.
FEWEST = 20


def given_data(
    estimator: Estimator,
    x: Float[np.ndarray, "sample parameter"],
    y: Float[np.ndarray, "sample output"],
    prefixes: Sequence[int],
    resamples: int,
    seed: int,
    level: float,
    reduce_bias: bool = False,
) -> dict[str, Index]:
    """Indices of every output; a sample that has no value of an output is left out for that one.

    Arguments:
        estimator: what gives the indices of a sample.
        x: the parameters' values.
        y: the outputs' values; NaN where there is none.
        prefixes: numbers of first samples to give the indices of, too.
        resamples: how often the samples are resampled for the intervals.
        seed: of the resamples.
        level: the part of such intervals that are to cover the truth, in (0, 1).
        reduce_bias: take off what the resamples have more, in the mean, than the sample itself.

    Returns:
        The indices by name, over (parameter, output).
    """
    starts = range(0, max(len(x), 1), _PIECE)
    pieces = [weights(seed, resamples, i, min(i + _PIECE, len(x))) for i in starts]
    counted = np.concatenate([piece.astype(np.uint8) for piece in pieces], axis=1)
    at = [_estimates(estimator, x[:n], y[:n], counted[:, :n]) for n in prefixes]
    found = {}
    for name, values in _estimates(estimator, x, y, counted).items():
        along = [_less_bias(one[name]) if reduce_bias else one[name] for one in at]
        values = _less_bias(values) if reduce_bias else values
        found[name] = Index(values[0], intervals(values, level))
        if along:
            found[name] = found[name]._replace(
                values_at=np.stack([one[0] for one in along]),
                bounds_at=np.stack([intervals(one, level) for one in along]),
            )
    return found


def _less_bias(estimates: np.ndarray) -> np.ndarray:
    """Of all samples and resamples, less the bias that the resamples show (Efron, 1979)."""
    if len(estimates) < 2:
        return estimates
    return estimates - (estimates[1:].mean(axis=0) - estimates[0])


def _estimates(
    estimator: Estimator, x: np.ndarray, y: np.ndarray, counted: np.ndarray
) -> dict[str, np.ndarray]:
    """Indices (1 + resample, parameter, output), of outputs with the same samples together."""
    result: dict[str, np.ndarray] = {}
    for known, outputs in same_samples(y):
        some_x, some_y = x[known], np.ascontiguousarray(y[known][:, outputs])
        for number, count in enumerate(counted[:, known]):
            rows = np.repeat(np.arange(len(some_x)), count)
            enough = len(rows) >= FEWEST
            found = estimator(some_x[rows], some_y[rows]) if enough else {}
            for name, values in found.items():
                if name not in result:
                    shape = (len(counted), x.shape[1], y.shape[1])
                    result[name] = np.full(shape, np.nan)
                result[name][number][:, outputs] = values
    return result


def same_samples(
    y: Float[np.ndarray, "sample output"],
) -> list[tuple[Shaped[np.ndarray, "_"], Shaped[np.ndarray, "_"]]]:
    """Which samples have a value, and the numbers of the outputs that these are the samples of."""
    known = np.isfinite(y)
    if known.all():
        return [(np.ones(len(y), bool), np.arange(y.shape[1]))]
    patterns, which = np.unique(known, axis=1, return_inverse=True)
    which = which.reshape(-1)
    return [(patterns[:, i], np.flatnonzero(which == i)) for i in range(patterns.shape[1])]
