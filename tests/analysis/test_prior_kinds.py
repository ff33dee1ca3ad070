"""Priors beyond normal and Laplace ones: densities, slopes, draws and samples against SciPy."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from odeflow.analysis.estimation.parameters import Parameters
from odeflow.config.axis import Axis
from odeflow.config.estimate import EstimatedConfig
from odeflow.design.laws import quantile

KINDS: list[tuple[dict[str, Any], Any]] = [
    ({"cauchy": [0.7, 0.3]}, stats.cauchy(0.7, 0.3)),
    ({"chisquare": 3}, stats.chi2(3)),
    ({"exponential": 0.8}, stats.expon(scale=0.8)),
    ({"gamma": [2.5, 0.4]}, stats.gamma(2.5, scale=0.4)),
    ({"gamma": [0.5, 0.4]}, stats.gamma(0.5, scale=0.4)),
    ({"rayleigh": 0.6}, stats.rayleigh(scale=0.6)),
]
OF_KINDS = pytest.mark.parametrize(("prior", "law"), KINDS, ids=[str(k) for k, _ in KINDS])
LOW, HIGH = 0.2, 5.0


def parameter(prior: dict[str, Any], scale: str = "lin", low: float = LOW) -> EstimatedConfig:
    return EstimatedConfig.model_validate({"bounds": [low, HIGH], "scale": scale, "prior": prior})


@OF_KINDS
@pytest.mark.parametrize("scale", ["lin", "log10"])
def test_density_and_slope(prior: dict[str, Any], law: Any, scale: str):
    known = Parameters([parameter(prior, scale).estimated("k")])
    values = np.array([0.21, 0.8, 1.4, 4.9])
    theta = (np.log10(values) if scale == "log10" else values)[:, None]
    np.testing.assert_allclose(known.log_prior(theta), law.logpdf(values), rtol=1e-12)
    gradient, curvature = known.prior_terms(theta)
    h = 1e-6
    moved = (known.log_prior(theta - h) - known.log_prior(theta + h)) / (2 * h)
    np.testing.assert_allclose(gradient[:, 0], moved, rtol=1e-6, atol=1e-8)
    assert (curvature >= 0).all()


@OF_KINDS
def test_samples_are_quantiles_between_the_bounds(prior: dict[str, Any], law: Any):
    unit = np.array([1e-6, 0.1, 0.5, 0.9, 1 - 1e-6])
    for low in (LOW, 3.0):
        axis = Axis.model_validate(parameter(prior, low=low).law)
        expected = law.isf((1 - unit) * law.sf(low) + unit * law.sf(HIGH))
        np.testing.assert_allclose(quantile(axis, unit), expected, rtol=1e-9)


@OF_KINDS
def test_draws_follow_it(prior: dict[str, Any], law: Any):
    known = Parameters([parameter(prior).estimated("k")])
    draws = known.draws(np.random.default_rng(1), 2000)[:, 0]
    between = lambda x: (law.cdf(x) - law.cdf(LOW)) / (law.cdf(HIGH) - law.cdf(LOW))
    assert stats.kstest(draws, between).pvalue > 1e-3


def test_a_tail_far_out_is_told_apart():
    axis = Axis.model_validate({"truncgamma": [2, 1, 60, 90]})
    values = quantile(axis, np.array([0.1, 0.5, 0.9]))
    expected = stats.gamma(2).isf(stats.gamma(2).sf(60) * np.array([0.9, 0.5, 0.1]))
    np.testing.assert_allclose(values, expected, rtol=1e-10)


def test_a_positive_prior_needs_positive_bounds():
    with pytest.raises(ValidationError, match="-1 is below 0, where a rayleigh prior has nothing"):
        parameter({"rayleigh": 1}, low=-1.0)
