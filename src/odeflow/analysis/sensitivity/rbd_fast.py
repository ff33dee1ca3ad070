"""First order indices from any independent sample, by RBD-FAST.

The samples are put in the order of a parameter, up and down again. What the output then has in the
lowest frequencies is what the parameter explains.

References:
    Tarantola, Gatelli, Mara (2006), Random balance designs for the estimation of first order global
    sensitivity indices, Reliab. Eng. Syst. Saf. 91. Plischke (2010), An effective algorithm for
    computing global sensitivity indices (EASI), Reliab. Eng. Syst. Saf. 95. Tissot, Prieur (2012),
    Bias correction for the estimation of sensitivity indices based on random balance designs,
    Reliab. Eng. Syst. Saf. 107.
"""

import numpy as np
from jaxtyping import Float

#: Frequencies that are looked at.
HARMONICS = 10


def rbd_fast(
    x: Float[np.ndarray, "sample parameter"], y: Float[np.ndarray, "sample output"]
) -> dict[str, Float[np.ndarray, "parameter output"]]:
    """First order indices, as SALib's `rbd_fast.analyze` has them.

    Arguments:
        x: the parameters' values, independent of one another.
        y: the outputs' values, all finite.

    Returns:
        `first_order`; NaN of an output that is constant.
    """
    number = len(x)
    y = y - y.mean(axis=0)
    power = (y * y).sum(axis=0) * number
    angles = 2 * np.pi / number * np.outer(np.arange(1, HARMONICS + 1), np.arange(number))
    waves = np.concatenate([np.cos(angles), np.sin(angles)])
    skew = 2 * HARMONICS / number
    first = np.empty((x.shape[1], y.shape[1]))
    for place, values in enumerate(x.T):
        order = np.argsort(values)
        order = np.concatenate([order[::2], order[1::2][::-1]])
        with np.errstate(invalid="ignore", divide="ignore"):
            raw = 2 * ((waves @ y[order]) ** 2).sum(axis=0) / np.where(power > 0, power, np.nan)
        first[place] = raw - skew / (1 - skew) * (1 - raw)
    return {"first_order": first}
