"""Point sets of the unit cube, each axis' coordinates strictly between 0 and 1.

Rows start..stop of `random`, `sobol` and `halton` depend neither on the size nor on how the
rows are cut into ranges. `latin_hypercube` depends on its size.

References:
    Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, SC '11.
    Joe, Kuo (2008), Constructing Sobol sequences with better two-dimensional projections,
    SIAM J. Sci. Comput. 30. Owen (1998), Scrambling Sobol' and Niederreiter-Xing points,
    J. Complexity 14.
    Halton (1960), On the efficiency of certain quasi-random sequences of points, Numer. Math. 2.
    Owen (2017), A randomized Halton algorithm in R, arXiv:1706.02808.
    McKay, Beckman, Conover (1979), A comparison of three methods for selecting values of input
    variables in the analysis of output from a computer code, Technometrics 21.
"""

import hashlib
from collections.abc import Mapping

import numpy as np

from odeflow.config.design import DesignConfig

#: Bits of a Sobol point: 2**32 points. SciPy's 64-bit kind cannot be fast-forwarded (1.17).
_SOBOL_BITS = 32


def unit_points(design: DesignConfig, start: int, stop: int) -> Mapping[str, np.ndarray]:
    """Coordinates (stop - start,) by axis of samples start..stop, each in (0, 1)."""
    names = list(design.axes)
    match design.kind:
        case "random":
            return {name: _random(design.seed, name, start, stop) for name in names}
        case "latin_hypercube":
            size = design.size or 0
            return {name: _latin(design.seed, name, start, stop, size) for name in names}
        case "sobol":
            points = _sobol(design.seed, len(names), start, stop)
        case "halton":
            points = _halton(design.seed, len(names), start, stop)
        case kind:
            raise ValueError(f"{kind} is not a sampler")
    return dict(zip(names, np.ascontiguousarray(points.T), strict=True))


def _random(seed: int, axis: str, start: int, stop: int) -> np.ndarray:
    """Independent points: sample i of an axis is a function of (seed, axis, i) alone."""
    return _open_unit(_stream(f"random {seed} {axis}", start, stop))


def _latin(seed: int, axis: str, start: int, stop: int, size: int) -> np.ndarray:
    """One point in each of `size` equal strata, in random order, at a random place within.

    The strata of all samples are made, 16 bytes per sample, to know those of some.
    """
    strata = np.argsort(_stream(f"strata {seed} {axis}", 0, size), kind="stable")[start:stop]
    within = _open_unit(_stream(f"within {seed} {axis}", start, stop))
    return _inside((strata + within) / size)


def _sobol(seed: int, dimensions: int, start: int, stop: int) -> np.ndarray:
    """Sobol points (stop - start, dimensions): matrix scramble and digital shift.

    Each stands for a cell of width 2**-32 and is moved to its middle, off zero.
    """
    from scipy.stats import qmc

    rng = np.random.default_rng(seed)
    engine = qmc.Sobol(dimensions, scramble=True, bits=_SOBOL_BITS, rng=rng)
    # SciPy warns where the first draw is not of 2**m points. Whether the size is a power of two
    # has nothing to do with how many rows are wanted now, so the first draw is of one point.
    first = engine.random(1)
    if start > 0:
        engine.fast_forward(start - 1)
        points = engine.random(stop - start)
    else:
        points = np.concatenate([first, engine.random(max(stop - 1, 0))])[:stop]
    return points + 0.5 * 2.0**-_SOBOL_BITS


def _halton(seed: int, dimensions: int, start: int, stop: int) -> np.ndarray:
    """Halton points (stop - start, dimensions), digits permuted at random."""
    from scipy.stats import qmc

    engine = qmc.Halton(dimensions, scramble=True, rng=np.random.default_rng(seed))
    engine.num_generated = start  # what fast_forward does, after it has drawn all before (1.17)
    return _inside(engine.random(stop - start))


def _stream(key: str, start: int, stop: int) -> np.ndarray:
    """Words start..stop (uint64) of the random stream `key`, by Philox4x64-10.

    Its blocks of four words are a function of key and counter, so that the stream can be
    entered anywhere. The raw words are the same in every version of NumPy.
    """
    key_bits = int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "little")
    block, skipped = divmod(start, 4)
    generator = np.random.Philox(counter=block, key=key_bits)
    return generator.random_raw(skipped + stop - start)[skipped:]


def _open_unit(words: np.ndarray) -> np.ndarray:
    """Random words (uint64) to the middles of 2**52 cells: exact, and never 0 or 1."""
    return ((words >> np.uint64(12)) + 0.5) * 2.0**-52


def _inside(points: np.ndarray) -> np.ndarray:
    """Points of [0, 1] moved off its ends."""
    return np.clip(points, 2.0**-53, 1 - 2.0**-53)
