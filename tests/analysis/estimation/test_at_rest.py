"""Gradients through steady states: against differences of a closed form, in both engines."""

import numpy as np
import pytest

import odeflow
from tests.support.estimation_studies import objective
from tests.support.petab_at_rest import log_likelihood, make_problem_at_rest

TIGHT = ("solver=rodas5p", "solver.rtol=1e-11", "solver.atol=1e-13", "analyse=estimate")
THETA = np.array([[np.log10(0.6), 2.2, np.log(5.0), np.log(0.3)]])


def closed_form(theta: np.ndarray) -> float:
    k, base, high, sd = theta
    return -log_likelihood(10**k, base, np.exp(high), np.exp(sd))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_value_and_gradient_are_those_of_the_closed_form(tmp_path, engine):
    study = make_problem_at_rest(tmp_path)
    batch = objective(
        odeflow.compose("experiment=mine", *TIGHT, f"runtime.engine={engine}", study=study)
    )
    theta = np.concatenate([THETA, THETA + 0.1])
    expected = [closed_form(x) for x in theta]
    np.testing.assert_allclose(-batch.log_likelihood(theta), expected, rtol=1e-9)
    found = batch.slopes(theta)
    assert not found.failed.any()
    for x, gradient in zip(theta, found.gradient):
        h = 1e-5 * np.eye(4)
        slopes = [(closed_form(x + one) - closed_form(x - one)) / 2e-5 for one in h]
        np.testing.assert_allclose(gradient, slopes, rtol=1e-7, atol=1e-7)
    np.testing.assert_array_equal(batch.slopes(THETA).gradient[0], found.gradient[0])


def test_what_is_never_at_rest_fails_at_no_cost_to_others(tmp_path):
    """Without decay A grows for ever."""
    batch = objective(
        odeflow.compose("experiment=mine", *TIGHT, study=make_problem_at_rest(tmp_path))
    )
    theta = np.concatenate([THETA, THETA])
    theta[0, 0] = -300.0  # k is 1e-300
    found, _ = batch.settled(theta)
    assert np.isinf(found[0]) and np.isfinite(found[1])
