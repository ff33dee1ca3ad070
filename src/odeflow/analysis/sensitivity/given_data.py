"""Indices from any sample, with intervals by resampling it, and those of its first rows.

An estimator puts the samples in order once. A resample is then how often each of them counts, and
no copy of them, so that memory is that of the samples and of a few numbers beside each.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int32, Shaped, UInt8

from odeflow.analysis.sensitivity.block_sums import Index
from odeflow.analysis.sensitivity.resampling import intervals, weights

Points = Float[np.ndarray, "sample parameter"]
Outputs = Float[np.ndarray, "sample output"]
Counts = UInt8[np.ndarray, " sample"]


@runtime_checkable
class Ordered(Protocol):
    """Samples that are in order, for indices of any resample of them."""

    def indices(self, counts: Counts) -> Mapping[str, Float[np.ndarray, "parameter output"]]:
        """Indices by name where each sample counts so often."""
        ...


class InOrder:
    """Samples in the order of each parameter."""

    def __init__(self, x: Points, y: Outputs):
        self._orders = [in_order(values) for values in x.T]
        self._y = y


def in_order(values: Float[np.ndarray, " sample"]) -> Int32[np.ndarray, " sample"]:
    """The places of values from the smallest to the largest, those of equals as they come."""
    return np.argsort(values, kind="stable").astype(np.int32)


#: Puts points and outputs in order.
Estimator = Callable[[Points, Outputs], Ordered]
#: Bytes of the counts that are drawn at once, and the samples.
_AT_ONCE, _PIECE = 2**24, 2**14
#: With fewer samples there is nothing to be estimated.
FEWEST = 20


def given_data(
    estimator: Estimator,
    x: Points,
    y: Outputs,
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
    estimates = lambda n: _estimates(estimator, x[:n], y[:n], resamples, seed)
    at = [estimates(n) for n in prefixes]
    whole = at[-1] if prefixes and prefixes[-1] == len(x) else estimates(len(x))
    found = {}
    for name, values in whole.items():
        along = [_less_bias(one[name]) if reduce_bias else one[name] for one in at if name in one]
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
    estimator: Estimator, x: np.ndarray, y: np.ndarray, resamples: int, seed: int
) -> dict[str, np.ndarray]:
    """Indices (1 + resample, parameter, output), of outputs with the same samples together."""
    result: dict[str, np.ndarray] = {}
    for known, outputs in same_samples(y):
        every = known.all()
        ordered = estimator(
            x if every else x[known],
            y
            if every and len(outputs) == y.shape[1]
            else np.ascontiguousarray(y[known][:, outputs]),
        )
        for number, count in _counts(len(y), resamples, seed):
            some = count if every else count[known]
            if some.sum() < FEWEST:
                continue
            for name, values in ordered.indices(some).items():
                if name not in result:
                    result[name] = np.full((1 + resamples, x.shape[1], y.shape[1]), np.nan)
                result[name][number][:, outputs] = values
    return result


def _counts(samples: int, resamples: int, seed: int) -> Iterator[tuple[int, np.ndarray]]:
    """How often each sample counts: once, then as each resample has it; some resamples at once."""
    group = max(_AT_ONCE // max(samples, 1), 1)
    for first in range(0, 1 + resamples, group):
        chosen = slice(first, first + group)
        starts = range(0, max(samples, 1), _PIECE)
        drawn = (weights(seed, resamples, i, min(i + _PIECE, samples))[chosen] for i in starts)
        together = np.concatenate([one.astype(np.uint8) for one in drawn], axis=1)
        yield from enumerate(together, start=first)


def same_samples(
    y: Outputs,
) -> list[tuple[Shaped[np.ndarray, "_"], Shaped[np.ndarray, "_"]]]:
    """Which samples have a value, and the numbers of the outputs that these are the samples of."""
    known = np.isfinite(y)
    if known.all():
        return [(np.ones(len(y), bool), np.arange(y.shape[1]))]
    patterns, which = np.unique(known, axis=1, return_inverse=True)
    which = which.reshape(-1)
    return [(patterns[:, i], np.flatnonzero(which == i)) for i in range(patterns.shape[1])]
