"""A model that is linear in its parameters: everything against closed forms."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import chi2

import odeflow
from odeflow.analysis.estimation.convergence import effective_size, mean_error, r_hat
from odeflow.analysis.estimation.estimates import estimates, options_of
from odeflow.analysis.estimation.multistart import fit
from odeflow.analysis.estimation.sampling import draw
from tests.support.estimation_studies import SD, linear_data, linear_study, objective


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    config = linear_study(tmp_path_factory.mktemp("linear"))
    batch = objective(config)
    asked = config.analyse.estimate
    return estimates(batch, fit(batch, 0, range(20), options_of(asked)), asked)


def closed_form():
    _, values, matrix = linear_data()
    covariance = np.linalg.inv(matrix.T @ matrix) * SD**2
    return covariance @ matrix.T @ values / SD**2, covariance


def test_every_start_ends_at_the_least_squares_solution(fitted):
    best, _ = closed_form()
    assert (fitted["fit_status"] == 0).all()
    np.testing.assert_allclose(fitted["end_point"], np.tile(best, (20, 1)), rtol=1e-6)


def test_covariance_is_that_of_least_squares(fitted):
    _, covariance = closed_form()
    np.testing.assert_allclose(fitted["covariance"], covariance, rtol=1e-6)


def test_the_objective_is_the_negative_log_likelihood(fitted):
    _, values, matrix = linear_data()
    best, _ = closed_form()
    residual = (values - matrix @ best) / SD
    expected = (residual**2).sum() / 2 + len(values) * np.log(SD * np.sqrt(2 * np.pi))
    assert fitted.attrs["best_objective"] == pytest.approx(expected, rel=1e-7)
    np.testing.assert_allclose(fitted["residual"], residual, rtol=1e-5, atol=1e-6)


def test_profiles_are_parabolas_and_end_where_the_interval_does(fitted):
    best, covariance = closed_form()
    sd = np.sqrt(np.diag(covariance))
    for i in range(3):
        value = fitted["profile_value"].values[i]
        rise = fitted["profile_objective"].values[i] - fitted.attrs["best_objective"]
        known = np.isfinite(value)
        expected = ((value - best[i]) / sd[i]) ** 2 / 2
        np.testing.assert_allclose(rise[known], expected[known], atol=1e-4)
    reach = np.sqrt(chi2.ppf(0.95, 1)) * sd
    for side, sign in (("low", -1), ("high", 1)):
        np.testing.assert_allclose(fitted[f"profile_{side}"], best + sign * reach, rtol=1e-4)
        np.testing.assert_allclose(fitted[f"normal_{side}"], best + sign * reach, rtol=1e-4)
    assert (fitted["identifiability"] == 0).all()


@pytest.mark.slow
def test_draws_have_the_moments_of_the_posterior(tmp_path):
    asked = "analyse.estimate.posterior={draws: 400, warmup: 200, thin: 3}"
    config = linear_study(tmp_path, asked, "analyse.estimate.profiles=[]")
    batch, estimate = objective(config), config.analyse.estimate
    fitted = estimates(batch, fit(batch, 0, range(5), options_of(estimate)), estimate)
    best, covariance = closed_form()
    draws = fitted["posterior"].values
    assert (fitted["r_hat"] < 1.05).all()
    assert (fitted["effective_size"] > 400).all()
    for i in range(3):
        chains = draws[:, :, i]
        assert abs(chains.mean() - best[i]) < 4 * mean_error(chains)
        squares = (chains - best[i]) ** 2
        assert abs(squares.mean() - covariance[i, i]) < 4 * mean_error(squares)


def test_walkers_draw_from_a_normal_density():
    _, covariance = closed_form()
    precision = np.linalg.inv(covariance)
    density = lambda x: -0.5 * ((x @ precision) * x).sum(axis=1)
    start = np.random.default_rng(0).standard_normal((4, 12, 3)) * np.sqrt(np.diag(covariance))
    drawn = draw(density, start, 800, 200, 3, 0)
    assert 0.2 < drawn.accepted < 0.9
    for i in range(3):
        chains = drawn.points[:, :, :, i].reshape(48, -1)
        assert r_hat(chains) < 1.05
        assert abs(chains.mean()) < 4 * mean_error(chains)
        assert abs((chains**2).mean() - covariance[i, i]) < 4 * mean_error(chains**2)


def test_noise_in_closed_form_and_searched_for_is_the_same(tmp_path):
    best, _ = closed_form()
    _, values, matrix = linear_data()
    expected = np.sqrt(((values - matrix @ best) ** 2).mean())
    for closed in ("true", "false"):
        config = linear_study(tmp_path, f"analyse.estimate.closed_form={closed}", sd=False)
        batch = objective(config)
        assert batch.solved == ([3] if closed == "true" else [])
        found = fit(batch, 0, range(8), options_of(config.analyse.estimate))
        row = int(found["objective"].values.argmin())
        theta = found["end_point"].values[row]
        np.testing.assert_allclose(theta[:3], best, rtol=1e-4)
        assert 10 ** theta[3] == pytest.approx(expected, rel=1e-4)


def test_convergence_of_independent_and_of_stuck_chains():
    rng = np.random.default_rng(1)
    free = rng.standard_normal((8, 500))
    assert r_hat(free) < 1.01
    assert effective_size(free) == pytest.approx(4000, rel=0.2)
    assert r_hat(free + np.arange(8)[:, None]) > 1.5
    # an AR(1) chain has (1 - rho)/(1 + rho) effective draws per draw
    slow = np.empty((8, 4000))
    slow[:, 0] = rng.standard_normal(8)
    for k in range(1, 4000):
        slow[:, k] = 0.8 * slow[:, k - 1] + 0.6 * rng.standard_normal(8)
    assert effective_size(slow) == pytest.approx(8 * 4000 / 9, rel=0.2)


def test_conditions_of_a_data_file(tmp_path):
    """Two conditions start elsewhere; the data of each are of its own start."""
    linear_study(tmp_path)
    experiment = tmp_path / "config/experiment/linear.yaml"
    start = ", x: {bounds: [-10, 10], scale: lin}"
    assert start in experiment.read_text()
    experiment.write_text(experiment.read_text().replace(start, ""))
    text = (tmp_path / "data.csv").read_text().splitlines()
    rows = [f"{line},{'low' if i % 2 else 'high'}" for i, line in enumerate(text[1:])]
    (tmp_path / "data.csv").write_text("\n".join([text[0] + ",condition", *rows]) + "\n")
    config = odeflow.compose(
        "experiment=linear", "design=zip", "design.conditions={low: {x: 1.5}, high: {x: 2.5}}",
        study=tmp_path,
    )  # fmt: skip
    t, values, matrix = linear_data()
    start = np.where(np.arange(len(t)) % 2, 1.5, 2.5)
    expected = np.linalg.lstsq(matrix[:, :2], values - start)[0]
    batch = objective(config)
    found = fit(batch, 0, range(3), options_of(config.analyse.estimate))
    np.testing.assert_allclose(found["end_point"], np.tile(expected, (3, 1)), rtol=1e-6)


def test_starts_are_the_same_in_any_company(tmp_path):
    batch = objective(linear_study(tmp_path, sd=False))
    options = options_of(batch.simulation.config.analyse.estimate)
    whole = fit(batch, 0, range(9), options)
    for numbers in ([4], [7, 2], range(3, 9)):
        part = fit(batch, 0, numbers, options)
        xr.testing.assert_identical(part, whole.isel(start=list(numbers)))
