"""Point sets of the unit cube, each axis' coordinates strictly between 0 and 1.

Rows start..stop of `random`, `sobol` and `halton` depend neither on the size nor on how the
rows are cut into ranges. `latin_hypercube` depends on its size. Designs of sensitivity analyses are
in `saltelli.py`, `morris.py` and `fast.py`.

References:
    Halton (1960), On the efficiency of certain quasi-random sequences of points, Numer. Math. 2.
    Owen (2017), A randomized Halton algorithm in R, arXiv:1706.02808.
    McKay, Beckman, Conover (1979), A comparison of three methods for selecting values of input
    variables in the analysis of output from a computer code, Technometrics 21.
"""

from collections.abc import Mapping

import numpy as np

from odeflow.config.design import DesignConfig
from odeflow.design.fast import fast_points
from odeflow.design.morris import morris_points, radial_points
from odeflow.design.saltelli import saltelli_points
from odeflow.design.sobol_points import sobol_points
from odeflow.design.streams import inside, open_unit, stream


def unit_points(design: DesignConfig, start: int, stop: int) -> Mapping[str, np.ndarray]:
    """Coordinates (stop - start,) by axis of samples start..stop, each in (0, 1)."""
    names, factors = list(design.axes), list(design.factors.values())
    match design.kind:
        case "random":
            return {name: _random(design.seed, name, start, stop) for name in names}
        case "latin_hypercube":
            size = design.size or 0
            return {name: _latin(design.seed, name, start, stop, size) for name in names}
        case "sobol":
            points = sobol_points(design.seed, len(names), start, stop)
        case "saltelli":
            points = saltelli_points(design.seed, factors, design.second_order, start, stop)
        case "morris" if design.radial:
            points = radial_points(design.seed, len(names), start, stop)
        case "morris":
            points = morris_points(design.seed, factors, design.levels, start, stop)
        case "fast":
            points = fast_points(design.seed, len(names), design.size or 0, start, stop)
        case "halton":
            points = _halton(design.seed, len(names), start, stop)
        case kind:
            raise ValueError(f"{kind} is not a sampler")
    return dict(zip(names, np.ascontiguousarray(points.T), strict=True))


def _random(seed: int, axis: str, start: int, stop: int) -> np.ndarray:
    """Independent points: sample i of an axis is a function of (seed, axis, i) alone."""
    return open_unit(stream(f"random {seed} {axis}", start, stop))


def _latin(seed: int, axis: str, start: int, stop: int, size: int) -> np.ndarray:
    """One point in each of `size` equal strata, in random order, at a random place within.

    The strata of all samples are made, 16 bytes per sample, to know those of some.
    """
    strata = np.argsort(stream(f"strata {seed} {axis}", 0, size), kind="stable")[start:stop]
    within = open_unit(stream(f"within {seed} {axis}", start, stop))
    return inside((strata + within) / size)


def _halton(seed: int, dimensions: int, start: int, stop: int) -> np.ndarray:
    """Halton points (stop - start, dimensions), digits permuted at random."""
    from scipy.stats import qmc

    engine = qmc.Halton(dimensions, scramble=True, rng=np.random.default_rng(seed))
    engine.num_generated = start  # what fast_forward does, after it has drawn all before (1.17)
    return inside(engine.random(stop - start))
