"""What prior and posterior foretell, against closed forms of the linear model."""

import numpy as np
import pytest

import odeflow
from odeflow.analysis.estimation.parameters import Parameters
from odeflow.analysis.estimation.predictive import predictive
from odeflow.problem.estimated import Estimated, Prior
from tests.support.estimation_studies import SD, linear_data, linear_study, objective
from tests.support.petab_text import make_problem

LEVELS = {0.05: -1.6449, 0.25: -0.6745, 0.5: 0.0, 0.75: 0.6745, 0.95: 1.6449}


def test_the_posterior_of_a_linear_model(tmp_path):
    """Normal about the least squares fit, with the variance of the fit and of the noise."""
    batch = objective(linear_study(tmp_path))
    _, values, matrix = linear_data()
    covariance = SD**2 * np.linalg.inv(matrix.T @ matrix)
    best = np.linalg.solve(matrix.T @ matrix, matrix.T @ values)
    drawn = np.random.default_rng(1).multivariate_normal(best, covariance, 500)
    found = predictive(batch, 0, drawn)
    deviation = np.sqrt(SD**2 + np.einsum("ij,jk,ik->i", matrix, covariance, matrix))
    quantiles = found["posterior_predictive_quantiles"]
    for (level, z), row in zip(LEVELS.items(), quantiles.values, strict=True):
        error = (row - (matrix @ best + z * deviation)) / deviation
        assert abs(error.mean()) < 0.08 and np.abs(error).max() < 0.45, level
    assert quantiles.attrs["draws"] == 500 and 0.75 <= quantiles.attrs["share_within"] <= 1


def test_the_prior_is_wider_and_has_its_own_law(tmp_path):
    """a, b and the start are uniform on -10 to 10: the variance of x is that of a sum."""
    batch = objective(linear_study(tmp_path))
    found = predictive(batch, 3)
    assert "posterior_predictive_quantiles" not in found
    quantiles = found["prior_predictive_quantiles"].values
    rng = np.random.default_rng(9)
    x = rng.uniform(-10, 10, (200_000, 3)) @ linear_data()[2].T
    expected = np.quantile(x + SD * rng.standard_normal(x.shape), list(LEVELS), axis=0)
    width = expected[-1] - expected[0]
    assert np.abs((quantiles - expected) / width).max() < 0.1
    again = predictive(batch, 3)["prior_predictive_quantiles"].values
    np.testing.assert_array_equal(quantiles, again)


@pytest.mark.parametrize("transformation", ["log", "log10"])
def test_noise_on_a_logarithm(tmp_path, transformation):
    """Measured values are the simulated ones times a log-normal factor."""
    observables = f"""
        observableId | observableFormula | noiseFormula | observableTransformation
        a            | A                 | noiseParameter1_a | {transformation}
        scaled       | fixed * A         | 0.1          | lin
    """
    make_problem(tmp_path, observables=observables)
    batch = objective(odeflow.compose("experiment=mine", "analyse=estimate", study=tmp_path))
    theta = np.tile([[0.0, 3.0, np.log(0.2)]], (500, 1))
    found = predictive(batch, 0, theta)["posterior_predictive_quantiles"].values[:, 0]
    unit = 0.2 if transformation == "log" else 0.2 * np.log(10)
    centre = 1.5 * np.exp(-0.5)
    z = np.log(found / centre) / unit
    np.testing.assert_allclose(z, list(LEVELS.values()), atol=0.25)


def test_draws_from_priors_are_within_bounds():
    laws = {"scale": Prior("normal", "scale", -1.0, 0.5), "log": Prior("laplace", "log", -2.0, 1.0)}
    known = [Estimated(name, "log10", -2.0, 0.0, prior=prior) for name, prior in laws.items()]
    known.append(Estimated("value", "log10", -2.0, 0.0, prior=Prior("normal", "value", 0.1, 3.0)))
    drawn = Parameters(known).draws(np.random.default_rng(0), 4000)
    assert (drawn >= -2).all() and (drawn <= 0).all()
    assert abs(np.median(drawn[:, 0]) + 1) < 0.05
    assert abs(np.median(drawn[:, 1]) + 2 / np.log(10)) < 0.05
    assert np.median(10 ** drawn[:, 2]) > 0.35  # nearly uniform as a value, and so near the end
