"""Borgonovo's delta: how far knowing a parameter moves the density of an output, on average.

References:
    Borgonovo (2007), A new uncertainty importance measure, Reliab. Eng. Syst. Saf. 92.
    Plischke, Borgonovo, Smith (2013), Global sensitivity measures from given data, Eur. J. Oper.
    Res. 226.
"""

import math

import numpy as np
from jaxtyping import Float, UInt8

from odeflow.analysis.sensitivity.given_data import InOrder

#: Points at which densities are compared, and samples whose kernels are added up together.
_GRID, _AT_ONCE = 100, 2**12


def delta(
    x: Float[np.ndarray, "sample parameter"], y: Float[np.ndarray, "sample output"]
) -> dict[str, Float[np.ndarray, "parameter output"]]:
    """Half the mean distance of densities, by kernels: equation 26 of Plischke and others.

    As SALib's `delta.calc_delta` has it, whose bias the resamples show. Parameters may depend on
    one another. The work grows with samples times parameters times outputs, 100 kernels each.

    Arguments:
        x: the parameters' values.
        y: the outputs' values, all finite.

    Returns:
        `delta`; NaN of an output that is constant.
    """
    return Delta(x, y).indices(np.ones(len(x), np.uint8))


class Delta(InOrder):
    """Samples in the order of each parameter, for `delta`."""

    def indices(
        self, counts: UInt8[np.ndarray, " sample"]
    ) -> dict[str, Float[np.ndarray, "parameter output"]]:
        """`delta` where each sample counts so often."""
        number = int(counts.sum(dtype=np.int64))
        ends = np.floor(np.linspace(0, number, classes(number) + 1)).astype(np.int64)
        found = np.zeros((len(self._orders), self._y.shape[1]))
        drawn = counts > 0
        for output, values in enumerate(self._y.T):
            low, high = values[drawn].min(), values[drawn].max()
            if low == high:
                found[:, output] = np.nan
                continue
            grid = np.linspace(low, high, _GRID)
            everywhere = _density(values, counts, grid)
            for place, order in enumerate(self._orders):
                upto = np.cumsum(counts[order], dtype=np.int64)
                for start, stop in zip(ends[:-1], ends[1:]):
                    first, last = np.searchsorted(upto, [start, stop - 1], side="right")
                    rows = order[first : last + 1]
                    # a sample that counts several times may lie on both sides of an end
                    within = np.diff(np.clip(upto[first : last + 1], start, stop), prepend=start)
                    some = values[rows][within > 0]
                    if stop - start > 1 and some.min() != some.max():
                        here = _density(some, within[within > 0], grid)
                        distance = np.trapezoid(np.abs(everywhere - here), grid)
                        found[place, output] += (stop - start) / (2 * number) * distance
        return {"delta": found}


def classes(number: int) -> int:
    """How many classes of equal size a parameter's values are divided into."""
    exponent = 2.0 / (7.0 + math.tanh((1500.0 - number) / 500.0))
    return round(min(math.ceil(number**exponent), 48))


def _density(values: np.ndarray, counts: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """By Gaussian kernels with Silverman's width, at the points of the grid."""
    number = counts.sum(dtype=np.int64)
    mean = (values @ counts) / number
    width = math.sqrt(((values - mean) ** 2 @ counts) / (number - 1)) * (number * 3 / 4) ** -0.2
    kernels = np.zeros(len(grid))
    for start in range(0, len(values), _AT_ONCE):
        piece = slice(start, start + _AT_ONCE)
        distances = (grid[:, None] - values[piece]) / width
        kernels += np.exp(-0.5 * distances * distances) @ counts[piece].astype(float)
    return kernels / (number * width * math.sqrt(2 * math.pi))
