"""Distributions, by inverse transform: points of the unit interval to values of an axis.

The inverse of the cumulative distribution keeps what a point set is chosen for: even coverage
of the unit cube becomes even coverage in probability (Devroye 1986, Non-Uniform Random Variate
Generation, chapter 2).
"""

import math

import numpy as np

from odeflow.config.axis import Axis, Lognormal
from odeflow.files.errors import ConfigError

#: The smallest point a sampler gives is 2**-53, where the standard normal law is -8.21.
_MOST_SIGMAS = 8.3
#: Distributions without ends.
ENDLESS = ("normal", "lognormal")


def quantile(axis: Axis, unit: np.ndarray) -> np.ndarray:
    """Values (n,) of the axis' distribution at probabilities `unit` (n,), each in (0, 1).

    Each value depends on its own probability alone, to the last bit.
    """
    unit = np.ascontiguousarray(unit)  # strided arrays may take another code path in NumPy
    given = getattr(axis, axis.law)
    match axis.law:
        case "names":
            number = np.floor(len(given) * unit).astype(np.int16)
            return np.minimum(number, len(given) - 1).astype(np.int16)
        case "uniform":
            low, high = given
            return _between(low, high, unit)
        case "loguniform":
            low, high = given
            values = np.exp(_between(math.log(low), math.log(high), unit))
            return np.clip(values, low, high)
        case "normal":
            mean, deviation = given
            return mean + deviation * _standard_normal(unit)
        case "lognormal":
            mu, sigma = _log_moments(axis)
            return np.exp(mu + sigma * _standard_normal(unit))
        case "truncnormal":
            mean, deviation, low, high = given
            return _truncated_normal(mean, deviation, low, high, unit)
        case "trunclognormal":
            mu, sigma, low, high = given
            ends = math.log(low), math.log(high)
            return np.clip(np.exp(_truncated_normal(mu, sigma, *ends, unit)), low, high)
        case "trunclaplace":
            location, scale, low, high = given
            return np.clip(_truncated_laplace(location, scale, low, high, unit), low, high)
        case "truncloglaplace":
            location, scale, low, high = given
            values = _truncated_laplace(location, scale, math.log(low), math.log(high), unit)
            return np.clip(np.exp(values), low, high)
        case "trunccauchy":
            location, scale, low, high = given
            first, last = (math.atan((end - location) / scale) for end in (low, high))
            values = location + scale * np.tan(_between(first, last, unit))
            return np.clip(values, low, high)
        case "truncgamma":
            shape, scale, low, high = given
            values = scale * _truncated_gamma(shape, low / scale, high / scale, unit)
            return np.clip(values, low, high)
        case "truncrayleigh":
            scale, low, high = given
            a, b = (0.5 * (end / scale) ** 2 for end in (low, high))
            # the square is an exponential law, here from its lower end
            beyond = -np.log1p(unit * math.expm1(a - b))
            return np.clip(scale * np.sqrt(2 * (a + beyond)), low, high)
        case law:
            raise ValueError(f"{law} is not a distribution")


def check_law(axis: Axis, key: str) -> None:
    """Raises ConfigError, which starts with `key`, where samples could leave float64."""
    if axis.law == "normal":
        mean, deviation = getattr(axis, axis.law)
        fits = math.isfinite(abs(mean) + _MOST_SIGMAS * deviation)
    elif axis.law == "lognormal":
        mu, sigma = _log_moments(axis)
        fits = mu + _MOST_SIGMAS * sigma < 709 and mu - _MOST_SIGMAS * sigma > -708
    else:  # the others stay between their ends
        return
    if not fits:
        raise ConfigError(
            f"{key}: within {_MOST_SIGMAS} standard deviations, {axis.law} leaves what float64 "
            "holds (2.2e-308 to 1.8e308); choose a smaller spread, or a mean closer to zero"
        )


def _log_moments(axis: Axis) -> tuple[float, float]:
    """Mean and standard deviation of the natural logarithm."""
    law = axis.lognormal
    if isinstance(law, Lognormal):
        return math.log(law.median), law.sigma
    assert law is not None
    return law


def _between(low: float, high: float, unit: np.ndarray) -> np.ndarray:
    # Not low + (high - low) * unit: the difference may overflow.
    return np.clip(low * (1 - unit) + high * unit, low, high)


def _standard_normal(unit: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    return ndtri(unit)


def _truncated_normal(
    mean: float, deviation: float, low: float, high: float, unit: np.ndarray
) -> np.ndarray:
    """The normal law conditioned on [low, high], accurate in far tails too.

    The probability wanted is (1 - u) Phi(a) + u Phi(b), with a and b the bounds in standard
    deviations. It is formed in logarithms, and mirrored where both bounds are on the right, so
    that neither underflow nor cancellation loses a tail.
    """
    from scipy.special import log_ndtr, ndtri_exp

    a, b = (low - mean) / deviation, (high - mean) / deviation
    if a > 0:
        return -_truncated_normal(-mean, deviation, -high, -low, 1 - unit)
    if b < -1e8:  # the law is narrower than float64 resolves, at the bound next to its mean
        return np.full_like(unit, high)
    left, right = np.log1p(-unit) + log_ndtr(a), np.log(unit) + log_ndtr(b)
    values = mean + deviation * np.clip(ndtri_exp(np.logaddexp(left, right)), a, b)
    return np.clip(values, low, high)


def _truncated_gamma(shape: float, low: float, high: float, unit: np.ndarray) -> np.ndarray:
    """The gamma law of scale 1 conditioned on [low, high], by the tail that it lies in."""
    from scipy.special import gammainc, gammaincc, gammainccinv, gammaincinv

    below, inverse = gammainc, gammaincinv
    if gammainc(shape, low) > 0.5:
        below, inverse = gammaincc, gammainccinv
    return inverse(shape, (1 - unit) * below(shape, low) + unit * below(shape, high))


def _truncated_laplace(
    location: float, scale: float, low: float, high: float, unit: np.ndarray
) -> np.ndarray:
    """The Laplace law conditioned on [low, high]; one beside its peak is an exponential one."""
    a, b = (low - location) / scale, (high - location) / scale
    if a > 0:
        return -_truncated_laplace(-location, scale, -high, -low, 1 - unit)
    if b < 0:
        return location + scale * (b + np.log((1 - unit) * math.exp(a - b) + unit))
    below = (1 - unit) * math.exp(a) / 2 + unit * (1 - math.exp(-b) / 2)
    above = (1 - unit) * (1 - math.exp(a) / 2) + unit * math.exp(-b) / 2
    left = below < 0.5
    return location + scale * np.where(
        left, np.log(2 * np.where(left, below, 0.5)), -np.log(2 * np.where(left, 0.5, above))
    )
