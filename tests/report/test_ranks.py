"""Ranks without SciPy, which takes longer to import than a figure to draw."""

import numpy as np
from scipy.stats import rankdata

from odeflow.report.ranks import mean_ranks


def test_ranks_are_those_of_scipy():
    generator = np.random.default_rng(0)
    for size in (0, 1, 2, 40, 1000):
        for values in (generator.normal(size=size), generator.integers(0, 9, size).astype(float)):
            np.testing.assert_array_equal(mean_ranks(values), rankdata(values))
