"""Runge-Kutta-Chebyshev steps: their polynomial and order, and what a lane makes of them."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.polynomial import Chebyshev
from scipy.integrate import solve_ivp

from odeflow.engines.choice import choose_engine
from odeflow.engines.native import engine
from odeflow.files.errors import ConfigError
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes, Solution
from odeflow.problem.status import Status
from tests.support.problems import decay, make_model, make_problem


def _constant(model: Model, lanes: Lanes, dt: float) -> Solution:
    given = {"stepsize_controller": "constant", "dt0": dt}
    return engine.solve(make_problem(model, method="rkc", **given), lanes, threads=1)


def _amplification(z: float) -> float:
    """What one step makes of y' = z y, by the stability polynomial a + b T_s(w0 + w1 z)."""
    s = max(1 + int(np.sqrt(1.0 + 1.54 * abs(z))), 2)
    polynomial, w0 = Chebyshev.basis(s), 1.0 + 2.0 / (13.0 * s * s)
    value, slope, curvature = (float(polynomial.deriv(k)(w0)) for k in range(3))
    b = curvature / slope**2
    return 1.0 + b * (float(polynomial(w0 + slope / curvature * z)) - value)


def test_a_step_is_its_stability_polynomial():
    """Also of lanes with one stage more than their neighbours, and of hundreds."""
    rates = np.array([0.1, 1.9, 2.0, 10.0, 33.0, 1000.0, 30_000.0])
    model = make_model(decay, {"y": 1.0}, 1.0, k=1.0)
    lanes = Lanes(np.ones((1, rates.size)), rates[None])
    found = _constant(model, lanes, 1.0).values["y"].ravel()
    exact = [_amplification(-k) for k in rates]
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-10)
    assert (np.abs(exact[3:]) < 0.99).all()


def test_it_is_of_second_order():
    """On y' = -k (y^2 - sin(t)^2) + cos t, whose solution is the sine."""
    field = lambda t, y, args: {"y": -args.k * (y.y**2 - jnp.sin(t) ** 2) + jnp.cos(t)}
    model = make_model(field, {"y": 0.0}, 1.0, k=30.0)
    lanes = Lanes(np.zeros((1, 1)), np.full((1, 1), 30.0))
    steps = 1.0 / 2.0 ** np.arange(8, 11)
    ends = np.array([_constant(model, lanes, dt).values["y"].item() for dt in steps])
    errors = np.abs(ends - np.sin(1.0))
    order = np.log2(errors[:-1] / errors[1:])
    np.testing.assert_allclose(order[-1], 2.0, atol=0.1)


_N = 24
_X = np.arange(1, _N + 1) / (_N + 1)


def _heat(t: Any, y: Any, args: Any) -> dict[str, Any]:
    u = jnp.pad(y.u, 1)
    return {"u": args.d * (_N + 1) ** 2 * (u[2:] - 2.0 * y.u + u[:-2])}


def _modes(d: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The semi-discrete solution from two of its eigenmodes, lane by time by place."""
    total = 0.0
    for k, size in ((1, 1.0), (3, 0.5)):
        rate = 4.0 * (_N + 1) ** 2 * np.sin(0.5 * k * np.pi / (_N + 1)) ** 2
        fall = np.exp(-rate * d[:, None, None] * t[:, None])
        total = total + size * fall * np.sin(k * np.pi * _X)
    return np.asarray(total)


@pytest.fixture(scope="module")
def rods() -> tuple[Model, Lanes]:
    start = _modes(np.ones(1), np.zeros(1)).ravel()
    model = make_model(_heat, {"u": {"initial": start.tolist(), "dims": ["x"]}}, 0.2, d=1.0)
    d = np.geomspace(0.1, 10.0, 11)
    return model, Lanes(np.repeat(start[:, None], d.size, axis=1), d[None])


def test_saved_times_are_those_of_the_eigenmodes(rods: Any):
    model, lanes = rods
    ts = np.linspace(0.0, 0.2, 9)
    problem = make_problem(model, ts, method="rkc", rtol=1e-5, atol=1e-5)
    solution = engine.solve(problem, lanes, threads=1)
    assert (solution.status == Status.success).all()
    errors = solution.values["u"].reshape(11, 9, _N) - _modes(lanes.args[0], ts)
    assert np.abs(errors).max() < 2e-4
    tsit5 = engine.solve(make_problem(model, ts, rtol=1e-5, atol=1e-5), lanes, threads=1)
    assert solution.num_steps[-1] < 0.2 * tsit5.num_steps[-1]


def test_a_lane_does_not_depend_on_its_neighbours(rods: Any):
    """Although they have other numbers of stages."""
    model, lanes = rods
    problem = make_problem(model, np.linspace(0.0, 0.2, 9), method="rkc", rtol=1e-4, atol=1e-6)
    together = engine.solve(problem, lanes, threads=1)
    for i in (0, 4, 10):
        alone = engine.solve(problem, lanes.take(np.array([i])), threads=1)
        np.testing.assert_array_equal(together.values["u"][i], alone.values["u"][0])
        assert together.num_steps[i] == alone.num_steps[0]


def test_rounding_limits_the_stages(rods: Any):
    """At 1e-9 in single precision there are two, and steps are as short as that takes."""
    model, lanes = rods
    given = {"rtol": 1e-9, "atol": 1e-3, "method": "rkc"}
    single = engine.solve(make_problem(model, None, "float32", **given), lanes, threads=1)
    assert (single.status == Status.success).all()
    # steps of the last lane: 1.54 h rate = 3, where the rate is that of the fastest mode
    needed = 0.2 * 1.54 * 4.0 * (_N + 1) ** 2 * 10.0 / 3.0
    assert needed <= single.num_accepted_steps[-1] < 1.1 * needed


def _brusselator(t: Any, y: Any, args: Any) -> dict[str, Any]:
    u, v = jnp.pad(y.u, 1, constant_values=1.0), jnp.pad(y.v, 1, constant_values=3.0)
    made, k = y.u**2 * y.v, args.d * (_N + 1) ** 2
    return {
        "u": 1.0 + made - 4.0 * y.u + k * (u[2:] - 2.0 * y.u + u[:-2]),
        "v": 3.0 * y.u - made + k * (v[2:] - 2.0 * y.v + v[:-2]),
    }


def test_a_brusselator_is_that_of_radau():
    u, v = 1.0 + np.sin(2.0 * np.pi * _X), np.full(_N, 3.0)
    states = {name: {"initial": x.tolist(), "dims": ["x"]} for name, x in (("u", u), ("v", v))}
    model = make_model(_brusselator, states, 2.0, d=0.02)
    y0 = np.concatenate([u, v])
    problem = make_problem(model, method="rkc", rtol=1e-7, atol=1e-7)
    found = engine.solve(problem, Lanes(y0[:, None], np.full((1, 1), 0.02)), threads=1)

    def field(t: float, y: np.ndarray) -> np.ndarray:
        u, v = y[:_N], y[_N:]
        spread = lambda x, end: np.diff(np.concatenate([[end], x, [end]]), 2) * 0.02 * (_N + 1) ** 2
        made = u * u * v
        return np.concatenate([1 + made - 4 * u + spread(u, 1), 3 * u - made + spread(v, 3)])

    exact = solve_ivp(field, (0.0, 2.0), y0, "Radau", rtol=1e-8, atol=1e-9).y[:, -1]
    values = np.concatenate([found.values[name].ravel() for name in ("u", "v")])
    np.testing.assert_allclose(values, exact, atol=6e-5)


def test_a_singularity_ends_a_lane():
    """Of y' = y^2 from 1, which is infinite at t = 1, and beside it a lane that goes on."""
    model = make_model(lambda t, y, args: {"y": y.y**2}, {"y": 1.0}, 2.0)
    problem = make_problem(model, method="rkc", rtol=1e-4, atol=1e-4, max_steps=2000)
    lanes = Lanes(np.array([[1.0, -1.0]]), np.ones((0, 2)))
    solution = engine.solve(problem, lanes, threads=1)
    assert solution.status[0] != Status.success
    assert abs(solution.time_reached[0] - 1.0) < 1e-2
    assert solution.status[1] == Status.success
    np.testing.assert_allclose(solution.values["y"][1].ravel(), -1.0 / 3.0, rtol=5e-3)


def test_a_jacobian_that_is_infinite_ends_a_lane():
    """No number of stages will do."""
    model = make_model(lambda t, y, args: {"y": -jnp.sqrt(y.y)}, {"y": 0.0}, 1.0)
    problem = make_problem(model, method="rkc")
    solution = engine.solve(problem, Lanes(np.zeros((1, 1)), np.ones((0, 1))), threads=1)
    assert solution.status[0] == Status.non_finite


def test_diffrax_has_none():
    problem = make_problem(make_model(decay, {"y": 1.0}, 1.0, k=1.0), method="rkc")
    assert choose_engine(problem, "auto").name == "native"
    with pytest.raises(ConfigError, match=r"Diffrax has no rkc; .* solver=rodas5p"):
        choose_engine(problem, "diffrax")
    with pytest.raises(ConfigError, match=r"rkc is not for this: .* on a GPU; take solver=rodas5p"):
        choose_engine(problem, "auto", "gpu")
