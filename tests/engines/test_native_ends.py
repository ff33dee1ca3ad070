"""Where numbers end: matrices without factors, large angles, constants far apart, no start."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.problem.problem import Lanes, Solution
from odeflow.problem.status import Status
from tests.support.problems import make_model, make_problem


def solve(engine: str, problem: Any, y0: Any, args: Any, tmp_path: Path) -> Solution:
    lanes = Lanes(np.asarray(y0, float), np.asarray(args, float))
    if engine == "diffrax":
        return diffrax_engine.solve(problem, lanes)
    return native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)


def matrix(a: Any, b: Any) -> Any:
    return jnp.stack([jnp.stack([a, b, 0 * a]), jnp.stack([b, a, b]), jnp.stack([0 * a, b, a])])


def diagonal_of_factor(a: Any, b: Any) -> Any:
    return jnp.diag(jnp.linalg.cholesky(matrix(a, b)))


def determinant(a: Any, b: Any) -> Any:
    larger = jnp.zeros((4, 4)).at[:3, :3].set(matrix(a, b)).at[3, 3].set(a)
    return jnp.linalg.det(larger)[None]


def lower(a: Any, b: Any) -> Any:
    return jnp.linalg.cholesky(matrix(a, b))[2]


def angles(a: Any, b: Any) -> Any:
    return jnp.stack([jnp.sin(a), jnp.cos(a), jnp.tan(a), jnp.sinc(b)])


MATRICES = [[2.0, 1.0, 1.0, -1.0, 0.0, 1.0], [1.0, 1.0, 2.0, 0.5, 0.0, np.sqrt(0.5)]]
ANGLES = [
    [1e16, -1e16, 2.0**47, 2.0**50, 1e22, 1e300, 0.5, -0.0, np.inf],
    [3e15, 1e18, -1e17, 0.25, 0.0, 2.0**60, 1e20, 1.5, np.nan],
]


@pytest.mark.parametrize(
    ("function", "values"),
    [(diagonal_of_factor, MATRICES), (lower, MATRICES), (determinant, MATRICES), (angles, ANGLES)],
)
def test_values_are_those_of_jax(function: Any, values: Any, tmp_path: Path) -> None:
    numbers = np.array(values)
    expected = jax.vmap(function)(*numbers)
    names = [f"o{i}" for i in range(expected.shape[1])]
    model = make_model(lambda t, y, args: {"y": 0.0}, {"y": 1.0}, 1.0, a=0.0, b=0.0)
    observed = lambda t, y, args: dict(zip(names, function(args.a, args.b)))
    model = replace(model, observables_function=observed)
    problem = replace(make_problem(model, [0.0]), variables=tuple(names))
    found = solve("native", problem, np.ones((1, numbers.shape[1])), numbers, tmp_path)
    values = np.stack([found.values[name][:, 0] for name in names], axis=1)
    np.testing.assert_allclose(values, expected, rtol=1e-13, atol=1e-15)


def test_constants_too_far_apart_to_be_proportional(tmp_path: Path) -> None:
    model = make_model(
        lambda t, y, args: {"x": -1e200 * y.x, "z": 1e-200 * y.x}, {"x": 1.0, "z": 0.0}, 1e-200
    )
    found = solve("native", make_problem(model, None), [[1.0], [0.0]], np.zeros((0, 1)), tmp_path)
    np.testing.assert_allclose(found.values["x"][0, 0], np.exp(-1), rtol=1e-4)
    np.testing.assert_array_equal(found.values["z"][0, 0], 0.0)


@pytest.mark.parametrize("method", ["tsit5", pytest.param("rodas5p", marks=pytest.mark.slow)])
@pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_what_is_not_finite_at_the_start(engine: str, method: str, tmp_path: Path) -> None:
    """The initial value is kept where it is finite; nothing else is known, and no step is taken."""
    model = make_model(lambda t, y, args: {"y": jnp.sqrt(y.y) / y.y}, {"y": 1.0}, 1.0)
    problem = make_problem(model, [0.0, 0.5, 1.0], method=method)
    starts = np.array([[0.0, -1.0, np.inf, np.nan, 1.0]])
    found = solve(engine, problem, starts, np.zeros((0, 5)), tmp_path)
    np.testing.assert_array_equal(found.status, [*[Status.non_finite] * 4, Status.success])
    np.testing.assert_array_equal(found.values["y"][:, 0], [0.0, -1.0, np.nan, np.nan, 1.0])
    assert np.isnan(found.values["y"][:4, 1:]).all()
    np.testing.assert_array_equal(found.num_accepted_steps[:4], 0)
    np.testing.assert_array_equal(found.time_reached, [0, 0, 0, 0, 1])
