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

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, UInt8

from odeflow.analysis.sensitivity.given_data import InOrder

#: Frequencies that are looked at.
HARMONICS = 10
#: Samples whose waves are computed together.
_AT_ONCE = 2**13


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
    return RbdFast(x, y).indices(np.ones(len(x), np.uint8))


class RbdFast(InOrder):
    """Samples in the order of each parameter, for `rbd_fast`."""

    def indices(
        self, counts: UInt8[np.ndarray, " sample"]
    ) -> dict[str, Float[np.ndarray, "parameter output"]]:
        """`first_order` where each sample counts so often."""
        number = int(counts.sum(dtype=np.int64))
        # from the first value, so that of a constant nothing is left
        mean = self._added(lambda y: y - self._y[0], counts) / number + self._y[0]
        power = self._added(lambda y: (y - mean) ** 2, counts) * number
        skew = 2 * HARMONICS / number
        first = np.empty((len(self._orders), self._y.shape[1]))
        for place, order in enumerate(self._orders):
            rows = np.repeat(order, counts[order])
            rows = np.concatenate([rows[::2], rows[1::2][::-1]])
            waves = np.zeros((2 * HARMONICS, self._y.shape[1]))
            for piece in _pieces(number):
                steps = np.arange(piece.start, piece.stop)
                angles = 2 * np.pi / number * np.outer(np.arange(1, HARMONICS + 1), steps)
                own = np.concatenate([np.cos(angles), np.sin(angles)])
                waves += own @ (self._y[rows[piece]] - mean)
            with np.errstate(invalid="ignore", divide="ignore"):
                raw = 2 * (waves**2).sum(axis=0) / np.where(power > 0, power, np.nan)
            first[place] = raw - skew / (1 - skew) * (1 - raw)
        return {"first_order": first}

    def _added(self, of: Callable[[np.ndarray], np.ndarray], counts: np.ndarray) -> np.ndarray:
        """Sums of what a function makes of the outputs, (output,)."""
        pieces = _pieces(len(counts))
        return np.sum([counts[rows].astype(float) @ of(self._y[rows]) for rows in pieces], axis=0)


def _pieces(number: int) -> list[slice]:
    return [slice(i, min(i + _AT_ONCE, number)) for i in range(0, number, _AT_ONCE)]
