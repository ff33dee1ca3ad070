"""Scrambled Sobol points, any range of them.

References:
    Joe, Kuo (2008), Constructing Sobol sequences with better two-dimensional projections,
    SIAM J. Sci. Comput. 30. Owen (1998), Scrambling Sobol' and Niederreiter-Xing points,
    J. Complexity 14.
"""

import numpy as np

#: Bits of a point: 2**32 points. SciPy's 64-bit kind cannot be fast-forwarded (1.17).
_BITS = 32


def sobol_points(seed: int, dimensions: int, start: int, stop: int) -> np.ndarray:
    """Sobol points (stop - start, dimensions): matrix scramble and digital shift.

    Each stands for a cell of width 2**-32 and is moved to its middle, off zero.
    """
    from scipy.stats import qmc

    rng = np.random.default_rng(seed)
    engine = qmc.Sobol(dimensions, scramble=True, bits=_BITS, rng=rng)
    # SciPy warns where the first draw is not of 2**m points. Whether the size is a power of two
    # has nothing to do with how many rows are wanted now, so the first draw is of one point.
    first = engine.random(1)
    if start > 0:
        engine.fast_forward(start - 1)
        points = engine.random(stop - start)
    else:
        points = np.concatenate([first, engine.random(max(stop - 1, 0))])[:stop]
    return points + 0.5 * 2.0**-_BITS
