"""Whether columns of a table depend on one another, by their ranks."""

import math
from collections.abc import Mapping

import numpy as np

#: Correlations below this change indices by less than a hundredth; nor do they count within
#: so many standard deviations of chance.
_SMALLEST, _DEVIATIONS = 0.1, 4.0


def strongest_correlation(columns: Mapping[str, np.ndarray]) -> tuple[str, str, float] | None:
    """The two columns that are correlated most, if any are beyond chance.

    Arguments:
        columns: values by name, (row,) each.

    Returns:
        Their names and the rank correlation (Spearman's), in [-1, 1]; None where none is beyond 0.1
        and four standard deviations of chance.
    """
    names = list(columns)
    ranks = [_ranks(values) for values in columns.values()]
    varied = [place for place, values in enumerate(ranks) if np.ptp(values) > 0]
    pairs = [(i, j) for n, i in enumerate(varied) for j in varied[n + 1 :]]
    if not pairs:
        return None
    found = {(i, j): float(np.corrcoef(ranks[i], ranks[j])[0, 1]) for i, j in pairs}
    (i, j), rho = max(found.items(), key=lambda pair: abs(pair[1]))
    by_chance = _DEVIATIONS / math.sqrt(max(len(ranks[0]) - 1, 1))
    return (names[i], names[j], rho) if abs(rho) > max(_SMALLEST, by_chance) else None


def _ranks(values: np.ndarray) -> np.ndarray:
    """Mean ranks, the same for equal values."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[which.reshape(-1)]
