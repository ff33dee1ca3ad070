"""Borgonovo's delta: how far knowing a parameter moves the density of an output, on average.

References:
    Borgonovo (2007), A new uncertainty importance measure, Reliab. Eng. Syst. Saf. 92.
    Plischke, Borgonovo, Smith (2013), Global sensitivity measures from given data, Eur. J. Oper.
    Res. 226.
"""

import math

import numpy as np
from jaxtyping import Float

#: Points at which densities are compared.
_GRID = 100


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
    number = len(x)
    ends = np.linspace(0, number, classes(number) + 1)
    found = np.zeros((x.shape[1], y.shape[1]))
    orders = [np.argsort(values, kind="stable") for values in x.T]
    for output, values in enumerate(y.T):
        if values.min() == values.max():
            found[:, output] = np.nan
            continue
        grid = np.linspace(values.min(), values.max(), _GRID)
        everywhere = _density(values, grid)
        for place, order in enumerate(orders):
            ordered = values[order]
            for start, stop in zip(ends[:-1], ends[1:]):
                some = ordered[math.floor(start) : math.floor(stop)]
                if len(some) > 1 and some.min() != some.max():
                    distance = np.trapezoid(np.abs(everywhere - _density(some, grid)), grid)
                    found[place, output] += len(some) / (2 * number) * distance
    return {"delta": found}


def classes(number: int) -> int:
    """How many classes of equal size a parameter's values are divided into."""
    exponent = 2.0 / (7.0 + math.tanh((1500.0 - number) / 500.0))
    return round(min(math.ceil(number**exponent), 48))


def _density(values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """By Gaussian kernels with Silverman's width, at the points of the grid."""
    width = values.std(ddof=1) * (len(values) * 3 / 4) ** -0.2
    distances = (grid[:, None] - values) / width
    kernels = np.exp(-0.5 * distances * distances).sum(axis=1)
    return kernels / (len(values) * width * math.sqrt(2 * math.pi))
