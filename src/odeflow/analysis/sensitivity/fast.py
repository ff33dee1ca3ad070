"""First and total order indices from a `fast` design: the extended Fourier amplitude test.

Along the curve of a parameter, that one moves fast and the others slowly: what an output has in the
fast one's harmonics is its first order, what it has in low frequencies is of the others alone.

References:
    Saltelli, Tarantola, Chan (1999), A quantitative model-independent method for global sensitivity
    analysis of model output, Technometrics 41. Cukier, Fortuin, Shuler, Petschek, Schaibly (1973),
    Study of the sensitivity of coupled reaction systems to uncertainties in rate coefficients, J.
    Chem. Phys. 59.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from odeflow.design.fast import HARMONICS, fastest
from odeflow.design.streams import open_unit, stream


def fast(
    y: Float[np.ndarray, "curve point output"],
) -> dict[str, Float[np.ndarray, "curve output"]]:
    """Indices of each curve's parameter, as SALib's `fast.analyze` has them.

    Arguments:
        y: the outputs along the curve of each parameter; a curve with a NaN has no index.

    Returns:
        `first_order` and `total_order`; NaN of an output that is constant.
    """
    number = y.shape[1]
    frequency = fastest(number)
    y = y - y[:, :1]
    spectrum = np.abs(np.fft.rfft(y, axis=1)[:, 1 : -(-number // 2)]) ** 2
    total = spectrum.sum(axis=1)
    total = np.where(total > 0, total, np.nan)
    own = spectrum[:, np.arange(1, HARMONICS + 1) * frequency - 1].sum(axis=1)
    of_others = spectrum[:, : frequency // 2].sum(axis=1)
    return {"first_order": own / total, "total_order": 1 - of_others / total}


def of_half_curves(
    y: Float[np.ndarray, "curve point output"], resamples: int, seed: int
) -> Mapping[str, Float[np.ndarray, "resample curve output"]]:
    """Indices of halves of the curves, from points drawn at random on, for intervals.

    SALib's: how far these spread says something of the error, and is no more than an indication,
    since the points of a curve are no random sample (SALib's issue 649).

    Arguments:
        y: the outputs along the curve of each parameter.
        resamples: how many halves of each curve.
        seed: of where they start.

    Returns:
        As `fast`, for each half.
    """
    curves, number, _ = y.shape
    words = stream(f"halves {seed}", 0, resamples * curves)
    starts = np.floor(open_unit(words) * number).astype(np.int64).reshape(resamples, curves, 1)
    places = (starts + np.arange(-(-number // 2))) % number
    each = [fast(np.take_along_axis(y, rows[:, :, None], axis=1)) for rows in places]
    names = each[0] if each else fast(y)
    nothing = np.empty((0, curves, y.shape[2]))
    return {name: np.stack([one[name] for one in each]) if each else nothing for name in names}
