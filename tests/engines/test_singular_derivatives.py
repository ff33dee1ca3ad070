"""Vector fields whose derivatives are not finite where they are themselves, by Rosenbrock methods.

A root has an infinite derivative at 0, a large power overflows in its derivative first. Neither may
leave a state where it was: every expected value is a closed form.
"""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from odeflow.config.ladder import Attempt
from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.engines.native.methods.differentiated_field import Point, differentiated_field
from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.value import Value
from odeflow.problem.problem import Lanes, Solution
from odeflow.problem.status import Status
from tests.support.problems import make_model, make_problem, make_solver

ENGINES = ("native", pytest.param("diffrax", marks=pytest.mark.slow))


def solved(engine: str, problem: Any, tmp_path: Path, y0: Any = None, args: Any = None) -> Solution:
    model = problem.model.declared
    if y0 is None:
        y0 = [[np.ravel(s.initial)[0]] for s in model.states.values()]
    if args is None:
        args = [[p.value] for p in model.parameters.values()]
    size = np.shape(y0)[1]
    lanes = Lanes(np.asarray(y0, float), np.asarray(args, float).reshape(len(args), size))
    if engine == "diffrax":
        return diffrax_engine.solve(problem, lanes)
    return native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)


def drain(p: float, t: float) -> float:
    """The x(t) of x' = 2 - x**p, x(0) = 0, for p = 1/2 or 1/3, from its inverse in closed form."""
    if p == 1 / 2:  # with u = sqrt(x): u' = (2 - u)/(2u)
        inverse = lambda u: -2 * u - 4 * np.log1p(-u / 2)
    else:  # with u = cbrt(x): u' = (2 - u)/(3 u**2)
        inverse = lambda u: -1.5 * u**2 - 6 * u - 12 * np.log1p(-u / 2)
    u = brentq(lambda u: inverse(u) - t, 0, 2 - 1e-12, xtol=1e-15)
    return u ** (1 / p)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "method, dtype, rtol",
    [
        ("rodas5p", "float64", 1e-7),
        pytest.param("rodas3p", "float64", 1e-7, marks=pytest.mark.slow),
        pytest.param("rodas5p", "float32", 1e-4, marks=pytest.mark.slow),
    ],
)
def test_a_root_at_zero_does_not_hold_the_state_there(
    engine: str, method: str, dtype: str, rtol: float, tmp_path: Path
):
    model = make_model(lambda t, y, args: {"x": 2 - y.x**args.p}, {"x": 0.0}, 3.0, p=0.5)
    problem = make_problem(model, [0.5, 3.0], dtype, method=method, rtol=rtol, atol=rtol / 100)
    powers = [1 / 2, 1 / 3]
    found = solved(engine, problem, tmp_path, np.zeros((1, 2)), [powers])
    assert (found.status == Status.success).all()
    expected = [[drain(p, 0.5), drain(p, 3.0)] for p in powers]
    np.testing.assert_allclose(found.values["x"], expected, rtol=30 * rtol)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_power_that_overflows_in_its_derivative(engine: str, tmp_path: Path):
    """Hill functions of great n are switches: (K/x)**n at 0, x**n beyond the largest number."""

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        off = 1 / (1 + (args.level / y.x) ** args.n)
        on = y.z**args.n / (args.level**args.n + y.z**args.n)
        return {"x": 1 + off, "z": -1 - on, "w": jnp.sqrt(t) + 0 * y.w}

    model = make_model(field, {"x": 0.0, "z": 2.0, "w": 0.0}, 1.0, level=10.0, n=4.0)
    problem = make_problem(model, method="rodas5p")
    n = [300.0, 310.0, 1000.0]
    y0 = np.repeat([[0.0], [2.0], [0.0]], 3, 1)
    found = solved(engine, problem, tmp_path, y0, [[10.0] * 3, n])
    assert (found.status == Status.success).all()
    np.testing.assert_allclose(found.values["x"][:, 0], 1.0, rtol=1e-6)
    np.testing.assert_allclose(found.values["z"][:, 0], 1.0, rtol=1e-6)
    np.testing.assert_allclose(found.values["w"][:, 0], 2 / 3, rtol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "method",
    ["rodas5p", *(pytest.param(m, marks=pytest.mark.slow) for m in ("heun", "midpoint", "dopri8"))],
)
def test_a_step_ends_within_the_domain_of_the_field(engine: str, method: str, tmp_path: Path):
    """X = (1 - t/2)**2 comes to rest at 0 at t = 2: steps that overshoot are cut."""
    model = make_model(lambda t, y, args: {"x": -jnp.sqrt(y.x)}, {"x": 1.0}, 1.99999)
    problem = make_problem(model, [1.0, 1.9], method=method, rtol=1e-6, atol=1e-9)
    found = solved(engine, problem, tmp_path)
    assert found.status[0] == Status.success
    np.testing.assert_allclose(found.values["x"][0], [0.25, 0.0025], rtol=1e-4)


def test_fields_of_sums_and_products_have_nothing_to_look_at():
    polynomial = make_model(lambda t, y, args: {"x": -y.x * y.x}, {"x": 1.0}, 1.0)
    root = make_model(lambda t, y, args: {"x": -jnp.sqrt(y.x)}, {"x": 1.0}, 1.0)
    by_a_parameter = make_model(lambda t, y, args: {"x": -y.x / args.k}, {"x": 1.0}, 1.0, k=2.0)
    for model, looks in ((polynomial, False), (by_a_parameter, False), (root, True)):
        field, builder = differentiated_field(model), Builder(["t", "x", "k"])
        t, x, k = (Value(builder, name) for name in builder.inputs)
        assert bool(field.unbounded) is looks
        parameters = [k] * len(model.declared.parameters)
        assert (field.defined(Point(t, [x], parameters)) is not None) is looks


def test_an_explicit_rung_is_for_fields_without_derivatives():
    solver = make_solver(["x"], method="tsit5")
    rung = Attempt(solver, frozenset({"method"}), replaced="rodas5p")
    every = np.array([Status.success, Status.max_steps_reached, Status.non_finite])
    assert rung.may_help(every, np.ones(3)).tolist() == [False, False, True]
    solver = make_solver(["x"], method="kvaerno5")
    rung = Attempt(solver, frozenset({"method"}), replaced="rodas5p")
    every = np.array([Status.nonlinear_solve_failed, Status.max_steps_reached, Status.non_finite])
    assert rung.may_help(every, np.ones(3)).tolist() == [True, False, False]
