"""R-hat and the effective sample size of chains, by ranks.

Reference: Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), Rank-normalization, folding, and
localization: an improved R-hat for assessing convergence of MCMC, Bayesian Anal. 16, 667-718.
"""

import numpy as np
from jaxtyping import Float
from scipy.stats import norm, rankdata

Chains = Float[np.ndarray, "chain draw"]


def r_hat(chains: Chains) -> float:
    """The rank-normalised split R-hat of one quantity, the larger of bulk and folded; 1 is best."""
    folded = np.abs(chains - np.median(chains))
    return max(_plain_r_hat(_ranked(_split(x))) for x in (chains, folded))


def effective_size(chains: Chains) -> float:
    """The effective number of draws for the bulk of one quantity."""
    return _plain_size(_ranked(_split(chains)))


def mean_error(chains: Chains) -> float:
    """The Monte Carlo standard error of the mean of one quantity."""
    return float(chains.std(ddof=1) / np.sqrt(_plain_size(_split(chains))))


def _split(chains: Chains) -> Float[np.ndarray, "halves half_draws"]:
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, -half:]])


def _ranked(chains: Chains) -> Chains:
    ranks = rankdata(chains, axis=None).reshape(chains.shape)
    return np.asarray(norm.ppf((ranks - 0.375) / (chains.size + 0.25)))


def _plain_r_hat(chains: Chains) -> float:
    draws = chains.shape[1]
    within = chains.var(axis=1, ddof=1).mean()
    if not within > 0:
        return float("nan")
    between = draws * chains.mean(axis=1).var(ddof=1)
    return float(np.sqrt((draws - 1) / draws + between / within / draws))


def _plain_size(chains: Chains) -> float:
    """By Geyer's initial monotone sequence over the autocorrelations of all chains."""
    number, draws = chains.shape
    within = chains.var(axis=1, ddof=1).mean()
    if not within > 0:
        return float("nan")
    total = within * (draws - 1) / draws + chains.mean(axis=1).var(ddof=1)
    centred = chains - chains.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, n=2 * draws, axis=1)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :draws] / draws
    # of unbiased variances, as `within` is
    correlation = 1 - (within - covariance.mean(axis=0) * draws / (draws - 1)) / total
    correlation[0] = 1.0
    even = draws - draws % 2
    pairs = correlation[:even].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0)
    pairs = np.minimum.accumulate(pairs[: negative[0]] if len(negative) else pairs)
    time = max(2 * pairs.sum() - 1, 1 / np.log10(number * draws))
    return float(number * draws / time)
