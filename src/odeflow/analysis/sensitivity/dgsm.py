"""Derivative-based measures from forward sensitivities, and what they say of total Sobol' indices.

`dgsm` is the mean square of the derivative to a parameter. With the Poincaré constant C of the
parameter's law, a total index is at most C E[(dy/du)²] / V[y], where u is the parameter, or its
logarithm where the law is one of the logarithm.

References:
    Sobol', Kucherenko (2009), Derivative based global sensitivity measures and their link with
    global sensitivity indices, Math. Comput. Simul. 79. Lamboni, Iooss, Popelin, Gamboa (2013),
    Derivative- based global sensitivity measures: general links with Sobol' indices and numerical
    tests, Math. Comput. Simul. 87. Roustant, Barthe, Iooss (2017), Poincaré inequalities on
    intervals, Electron. J. Stat. 11.
"""

import math

import numpy as np
from jaxtyping import Float

from odeflow.analysis.sensitivity.block_sums import Outputs, Points
from odeflow.config.axis import Axis, Lognormal
from odeflow.files.errors import ConfigError

#: A variance this much smaller than the square of the values is rounding.
_ROUNDING = 1e-28


class Dgsm:
    """Measures of parameters whose laws have these Poincaré constants, (parameter,).

    A block is a sample; its rows are an output and the derivatives to the parameters. `x`
    (sample, 1, parameter) is what makes these derivatives to u: the parameter where u is its
    logarithm, else 1.
    """

    def __init__(self, constants: Float[np.ndarray, " parameter"]):
        self._constants, self._number = constants, len(constants)
        self.number_of_terms = self.number_of_leading = 2 + 2 * self._number

    def reference(self, y: Outputs, x: Points) -> np.ndarray:
        """A value of each output."""
        known = np.isfinite(y[:, 0])
        return np.take_along_axis(y[:, 0], np.argmax(known, axis=0)[None], axis=0)[0]

    def terms(self, y: Outputs, x: Points, reference: np.ndarray) -> np.ndarray:
        """The output, its square, and the squares of its derivatives to parameters and to u."""
        output, slopes = y[:, :1] - reference, y[:, 1:]
        to_u = slopes * x[:, 0, :, None]
        return np.concatenate([output, output**2, slopes**2, to_u**2], axis=1)

    def indices(
        self, means: np.ndarray, counts: np.ndarray, reference: np.ndarray
    ) -> dict[str, np.ndarray]:
        """`dgsm` and `total_order_at_most` (*, parameter, output)."""
        variance = means[..., 1, :] - means[..., 0, :] ** 2
        variance = np.where(variance > _ROUNDING * reference**2, variance, np.nan)[..., None, :]
        slopes = means[..., 2 : 2 + self._number, :]
        to_u = means[..., 2 + self._number :, :]
        return {
            "dgsm": slopes,
            "total_order_at_most": self._constants[:, None] * to_u / variance,
        }


def is_of_logarithm(axis: Axis) -> bool:
    """Whether a law is one of the logarithm, which the measure is then taken along."""
    return axis.law in ("loguniform", "lognormal", "trunclognormal")


def poincare_constant(axis: Axis, key: str) -> float:
    """C with V[g(u)] <= C E[g'(u)²] for every g, where u has the law, or its logarithm has.

    Of a uniform law it is (width/pi)², of a normal one its variance; of a truncated one the smaller
    of the two is one. Raises ConfigError, which starts with `key`, for listed values.
    """
    given = getattr(axis, axis.law)
    match axis.law:
        case "uniform":
            return ((given[1] - given[0]) / math.pi) ** 2
        case "loguniform":
            return (math.log(given[1] / given[0]) / math.pi) ** 2
        case "normal":
            return given[1] ** 2
        case "lognormal":
            return (given.sigma if isinstance(given, Lognormal) else given[1]) ** 2
        case "truncnormal":
            return min(given[1] ** 2, ((given[3] - given[2]) / math.pi) ** 2)
        case "trunclognormal":
            return min(given[1] ** 2, (math.log(given[3] / given[2]) / math.pi) ** 2)
        case law:
            raise ConfigError(f"{key}: dgsm needs a distribution, not {law}")
