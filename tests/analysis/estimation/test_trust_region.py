"""The optimiser of many lanes: against SciPy lane by lane, at bounds, lanes apart."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from odeflow.analysis.estimation.objective import Slopes
from odeflow.analysis.estimation.trust_region import FitStatus, Options, minimise

T = np.linspace(0.1, 4.0, 15)
DATA = 2.0 * np.exp(-0.7 * T) + 0.5 * np.exp(-0.1 * T)


def model(theta):
    a, b, c, d = np.moveaxis(theta[..., None], -2, 0)
    return a * np.exp(-b * T) + c * np.exp(-d * T)


def jacobian(theta):
    a, b, c, d = np.moveaxis(theta[..., None], -2, 0)
    one, two = np.exp(-b * T), np.exp(-d * T)
    return np.stack([one, -a * T * one, two, -c * T * two], axis=-1)


class Exponentials:
    """Sums of two exponentials: ill-conditioned, with several ways to the same curve."""

    def settled(self, theta):
        residual = model(theta) - DATA
        return np.where(theta[:, 0] > 9.5, np.inf, (residual**2).sum(axis=1) / 2), theta

    def slopes(self, theta):
        residual, j = model(theta) - DATA, jacobian(theta)
        gradient = np.matmul(residual[:, None, :], j)[:, 0]
        fisher = np.matmul(j.transpose(0, 2, 1), j)
        return Slopes(gradient, fisher, np.zeros(len(theta), bool))


LOW, HIGH = np.array([0.0, 0.0, 0.0, 0.0]), np.array([10.0, 3.0, 10.0, 3.0])


def run(start, low=LOW, high=HIGH, fixed=None, options=None):
    every = lambda x: np.broadcast_to(x, start.shape)
    fixed = np.zeros(4, bool) if fixed is None else fixed
    return minimise(Exponentials(), start, every(low), every(high), every(fixed), options)


def starts(number=40):
    return LOW + np.random.default_rng(3).random((number, 4)) * (HIGH - LOW) * 0.9


def test_no_worse_than_scipy_from_the_same_starts():
    start = starts()
    found = run(start, options=Options(ftol=1e-14, gtol=1e-10))
    theirs = [
        least_squares(
            lambda x: model(x) - DATA, x, lambda x: jacobian(x), (LOW, HIGH), xtol=1e-14, ftol=1e-14
        )
        for x in start
    ]
    costs = np.array([one.cost for one in theirs])
    assert np.isfinite(found.objective).all()
    good = (found.objective < 1e-8).sum()
    assert good >= (costs < 1e-8).sum() and good > 20


def test_a_bound_that_holds_the_optimum_off_is_where_scipy_ends_too():
    start, high = starts(20), np.array([10.0, 0.5, 10.0, 3.0])
    start = np.minimum(start, high)
    found = run(start, high=high, options=Options(ftol=1e-14, gtol=1e-10))
    best = found.theta[found.objective.argmin()]
    theirs = min(
        (
            least_squares(
                lambda x: model(x) - DATA, x, jacobian, (LOW, high), xtol=1e-14, ftol=1e-14
            )
            for x in np.clip(start, LOW + 1e-3, high - 1e-3)
        ),
        key=lambda one: one.cost,
    )
    assert found.objective.min() <= theirs.cost * (1 + 1e-6) + 1e-14
    assert (best >= LOW).all() and (best <= high).all()


def test_a_lane_is_the_same_to_the_bit_in_any_company():
    start = starts()
    whole = run(start)
    for part in (slice(0, 1), slice(3, 11), slice(None, None, 7)):
        alone = run(start[part])
        np.testing.assert_array_equal(alone.theta, whole.theta[part])
        np.testing.assert_array_equal(alone.objective, whole.objective[part])
        np.testing.assert_array_equal(alone.num_steps, whole.num_steps[part])


def test_what_fails_at_the_start_is_recorded_and_stops_no_other():
    start = starts(6)
    start[2, 0] = 9.8
    found = run(start)
    assert found.status[2] == FitStatus.failed_at_start and np.isinf(found.objective[2])
    others = np.arange(6) != 2
    np.testing.assert_array_equal(found.theta[others], run(start[others]).theta)


def test_a_fixed_parameter_stays_and_steps_are_limited():
    start = starts(5)
    found = run(start, fixed=np.array([False, True, False, False]))
    np.testing.assert_array_equal(found.theta[:, 1], start[:, 1])
    few = run(start, options=Options(max_iterations=2))
    assert (few.num_steps <= 2).all()
    assert (few.status == FitStatus.max_iterations_reached).any()


@pytest.mark.parametrize("weights", [[1.0, 100.0], [1.0, 1e-4]])
def test_a_quadratic_whose_matrix_is_wrong_is_learned_from_the_steps(weights):
    """The Fisher information of this objective is ten times the Hessian."""
    hessian = np.diag(weights)

    class Quadratic:
        def settled(self, theta):
            return 0.5 * ((theta @ hessian) * theta).sum(axis=1), theta

        def slopes(self, theta):
            fisher = np.broadcast_to(10 * hessian, (len(theta), 2, 2))
            return Slopes(theta @ hessian, fisher, np.zeros(len(theta), bool))

    start = np.array([[3.0, -2.0], [1.0, 4.0]])
    wide = np.full_like(start, 100.0)
    found = minimise(
        Quadratic(), start, -wide, wide, np.zeros(start.shape, bool), Options(gtol=1e-9, ftol=1e-18)
    )
    np.testing.assert_allclose(found.theta * np.sqrt(weights), 0.0, atol=1e-6)
    assert (found.num_steps < 40).all()  # 200 by the matrix alone


def test_what_would_end_too_early_begins_anew():
    """A loose `ftol` ends lanes in valleys; those that begin anew find out of some of them."""
    start = starts()
    found = run(start, options=Options(ftol=1e-3))
    hasty = run(start, options=Options(ftol=1e-3, worthwhile=np.inf))
    gained = hasty.objective - found.objective
    assert (gained >= 0).all() and (gained > 1e-3).sum() >= 3
    assert (found.num_steps >= hasty.num_steps).all()
