"""Taylor series as a method: coefficients by other means, and what a lane makes of them."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.special import erf
from scipy import special

from odeflow.engines.choice import choose_engine
from odeflow.engines.native import engine
from odeflow.engines.native.frontend.translate import translate
from odeflow.engines.native.methods.taylor_series import solution_series
from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.operations import OPERATIONS
from odeflow.engines.native.program.value import Value
from odeflow.files.errors import ConfigError
from odeflow.problem.methods.taylor import taylor_order
from odeflow.problem.problem import Lanes
from odeflow.problem.status import Status
from tests.support.problems import decay, make_model, make_problem

#: Where the functions are looked at, and up to which order.
_PLACE, _ORDER = 0.4, 7
_FUNCTIONS = {
    "add, neg": lambda x: 1.0 - (x + 2.0 * x) + x,
    "mul": lambda x: (x + 1.0) * (x * x - 3.0),
    "div": lambda x: (1.0 + x) / (2.0 + x * x),
    "a constant": lambda x: 3.0 / (x + 0.5) + jnp.exp(2.0) * x,
    "sqrt": lambda x: jnp.sqrt(1.0 + x),
    "cbrt": lambda x: jnp.cbrt(1.0 + x),
    "x**1.5": lambda x: (1.0 + x) ** 1.5,
    "x**-0.7": lambda x: (1.0 + x) ** -0.7,
    "x**y": lambda x: (1.0 + x) ** (0.5 * x),
    "exp": lambda x: jnp.exp(-x * x),
    "exp2": jnp.exp2,
    "expm1": jnp.expm1,
    "log": lambda x: jnp.log(2.0 + x),
    "log1p": jnp.log1p,
    "sin, cos": lambda x: jnp.sin(3.0 * x) * jnp.cos(x) + jnp.cos(3.0 * x),
    "tan": jnp.tan,
    "sinh, cosh": lambda x: jnp.sinh(x) - 2.0 * jnp.cosh(x),
    "tanh": lambda x: jnp.tanh(2.0 * x),
    "asin": jnp.arcsin,
    "acos": jnp.arccos,
    "atan": jnp.arctan,
    "asinh": jnp.arcsinh,
    "atanh": jnp.arctanh,
    "erf": erf,
    "a choice": lambda x: jnp.where(jnp.exp(1.0) > 2.0, jnp.exp(x), x),
}
#: Of those that JAX has for real numbers only.
_COMPLEX = {
    _FUNCTIONS["cbrt"]: lambda x: (1.0 + x) ** (1.0 / 3.0),
    _FUNCTIONS["exp2"]: lambda x: 2.0**x,
    _FUNCTIONS["erf"]: special.erf,
}


@pytest.mark.parametrize("function", _FUNCTIONS.values(), ids=_FUNCTIONS)
def test_coefficients_are_those_of_the_function(function: Any):
    """Those of y' = F(t), by Cauchy's integral in the complex plane."""
    found = _series(lambda t, y: (function(t),), [_PLACE, 0.0])[0]
    exact = _derivatives(_COMPLEX.get(function, function))
    np.testing.assert_allclose(found[1:] * np.arange(1, _ORDER + 1), exact, rtol=1e-9, atol=1e-10)


def _series(field: Any, start: list[float]) -> np.ndarray:
    """Coefficients of the solution of a field of (t, *y), component by component."""
    names = ["t", *(f"y{i}" for i in range(len(start) - 1))]
    builder = Builder(names)
    t, *y = (Value(builder, name) for name in names)
    series = solution_series(translate(field, names), t, y, [], _ORDER)
    program = builder.program([x.operand for one in series for x in one])
    numpy = {name: operation.numpy for name, operation in OPERATIONS.items() if operation.numpy}
    return np.array(program.evaluate(dict(zip(names, start)), numpy)).reshape(len(series), -1)


def _derivatives(function: Any) -> np.ndarray:
    """Taylor coefficients of a function at `_PLACE`, by Cauchy's integral over a circle."""
    radius, number = 0.25, 64
    circle = radius * np.exp(2j * np.pi * np.arange(number) / number)
    values = np.array(function(jnp.asarray(_PLACE + circle)))
    return (np.fft.fft(values) / number).real[:_ORDER] / radius ** np.arange(_ORDER)


def test_coefficients_of_a_nonlinear_field_are_those_of_its_solution():
    """Of y' = 1 + y^2 from 0 is the tangent: 1, 1/3, 2/15, 17/315 of its odd powers."""
    found = _series(lambda t, y: (1.0 + y * y,), [0.0, 0.0])[0]
    np.testing.assert_allclose(found, [0, 1, 0, 1 / 3, 0, 2 / 15, 0, 17 / 315], atol=1e-15)


@pytest.mark.parametrize(("rtol", "order"), [(1e-6, 8), (1e-12, 15), (1e-15, 19), (0.1, 4)])
def test_the_order_follows_from_the_tolerance(rtol: float, order: int):
    """That of Jorba and Zou, at least 4."""
    assert taylor_order(rtol) == order


def kepler(t: Any, y: Any, args: Any) -> dict[str, Any]:
    pull = -args.mass * (y.x**2 + y.y**2) ** -1.5
    return {"x": y.u, "y": y.v, "u": pull * y.x, "v": pull * y.y}


@pytest.fixture(scope="module")
def orbits() -> tuple[Any, Lanes, np.ndarray]:
    """Orbits of mass 1 from perihelion for ten periods, their lanes and saved times."""
    e = np.linspace(0.1, 0.7, 5)
    model = make_model(kepler, {"x": 1.0, "y": 0.0, "u": 0.0, "v": 1.0}, 20 * np.pi, mass=1.0)
    y0 = np.array([1 - e, 0 * e, 0 * e, np.sqrt((1 + e) / (1 - e))])
    return model, Lanes(y0, np.ones((1, 5))), np.linspace(0, 20 * np.pi, 41)


@pytest.mark.parametrize("tolerance", [1e-9, 1e-12])
def test_saved_times_are_those_of_keplers_equation(orbits: Any, tolerance: float):
    model, lanes, ts = orbits
    problem = make_problem(model, ts, method="taylor", rtol=tolerance, atol=tolerance)
    solution = engine.solve(problem, lanes, threads=1)
    assert (solution.status == Status.success).all()
    assert not solution.num_rejected_steps.any()
    e = 1 - lanes.y0[0][:, None]
    anomaly = ts + 0 * e
    for _ in range(50):
        anomaly -= (anomaly - e * np.sin(anomaly) - ts) / (1 - e * np.cos(anomaly))
    exact = np.cos(anomaly) - e
    assert np.abs(solution.values["x"] - exact).max() < 1e4 * tolerance


def test_a_lane_does_not_depend_on_its_neighbours(orbits: Any):
    model, lanes, ts = orbits
    problem = make_problem(model, ts, method="taylor", rtol=1e-9, atol=1e-9)
    together = engine.solve(problem, lanes, threads=1)
    alone = engine.solve(problem, lanes.take(np.array([3])), threads=1)
    np.testing.assert_array_equal(together.values["u"][3], alone.values["u"][0])


def test_longest_and_first_steps_are_kept():
    model = make_model(decay, {"y": 3.0}, 2.0, k=1.0)
    lanes = Lanes(np.array([[3.0]]), np.array([[1.0]]))
    steps = lambda **given: engine.solve(
        make_problem(model, method="taylor", **given), lanes, threads=1
    )
    free, short = steps(), steps(dtmax=0.01)
    assert free.num_accepted_steps[0] < 10
    assert 200 <= short.num_accepted_steps[0] <= 201
    assert steps(dtmin=1.9).status[0] == Status.dt_min_reached
    constant = steps(stepsize_controller="constant", dt0=0.125)
    assert constant.num_accepted_steps[0] == 16
    np.testing.assert_allclose(constant.values["y"].ravel(), 3.0 * np.exp(-2.0), rtol=1e-12)


def test_a_singularity_ends_a_lane():
    """Of y' = y^2 from 1, which is infinite at t = 1."""
    model = make_model(lambda t, y, args: {"y": y.y**2}, {"y": 1.0}, 2.0)
    problem = make_problem(model, method="taylor", max_steps=2000)
    solution = engine.solve(problem, Lanes(np.ones((1, 1)), np.ones((0, 1))), threads=1)
    assert solution.status[0] != Status.success
    assert abs(solution.time_reached[0] - 1.0) < 1e-6


def test_what_is_not_smooth_is_refused_in_one_line():
    model = make_model(lambda t, y, args: {"y": -jnp.abs(y.y)}, {"y": 1.0}, 2.0)
    problem = make_problem(model, method="taylor")
    with pytest.raises(ConfigError, match=r"solver.method: taylor .*'abs'.* smooth; take solver="):
        choose_engine(problem, "auto")
    smooth = make_problem(make_model(decay, {"y": 1.0}, 1.0, k=1.0), method="taylor")
    assert choose_engine(smooth, "auto").name == "native"
    with pytest.raises(ConfigError, match="Diffrax has no taylor"):
        choose_engine(smooth, "diffrax")
