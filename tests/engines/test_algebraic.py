"""Differential-algebraic equations by both engines, against published ends and closed forms."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes, Problem, Solution
from odeflow.problem.status import Status
from tests.support.algebraic_problems import (
    CIRCLE,
    MOVING,
    PUBLISHED,
    algebraic_model,
    prepared,
)
from tests.support.marks import fast


def solved(engine: str, problem: Problem, lanes: Lanes, cache: Path) -> Solution:
    if engine == "diffrax":
        return diffrax_engine.solve(problem, lanes)
    return native_engine.solve(problem, lanes, threads=1, cache_dir=cache)


def ends(engine: str, model: Model, cache: Path, **solver: Any) -> np.ndarray:
    problem, lanes = prepared(model, **solver)
    found = solved(engine, problem, lanes, cache)
    assert found.status.tolist() == [Status.success]
    return np.array([found.values[name][0, -1] for name in model.declared.states])


@pytest.mark.parametrize(
    ("name", "engine", "method", "error"),
    fast(
        [("akzo", "native", "rodas5p", 1e-6)],
        [
            *((name, "native", "rodas5p", 1e-6) for name in PUBLISHED),
            *((name, "diffrax", "rodas5p", 1e-6) for name in PUBLISHED),
            ("akzo", "diffrax", "kvaerno5", 1e-6),
            ("akzo", "diffrax", "tsit5", 1e-6),
        ],
    ),
)
def test_published_ends(name: str, engine: str, method: str, error: float, tmp_path: Path):
    one = PUBLISHED[name]
    found = ends(engine, one.model, tmp_path, method=method, rtol=one.rtol, atol=one.atol)
    np.testing.assert_allclose(found, one.end, rtol=error, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "order"), [("rodas5p", 5), ("rodas3p", 3)])
@pytest.mark.parametrize("name", ["circle", "moving"])
def test_methods_keep_their_order(name: str, method: str, order: int, tmp_path: Path):
    """Of the differential state, and nearly of the algebraic one, by constant steps."""
    model = CIRCLE if name == "circle" else MOVING
    t = model.declared.t1
    if name == "circle":
        exact = np.array([np.sin(t), np.cos(t)])
    else:
        exact = np.array([np.exp(-(t + np.sin(t) / 2)), 1 + np.cos(t) / 2])
    errors = []
    for steps in (32, 128):
        solver = {"stepsize_controller": "constant", "dt0": t / steps, "atol": 1e-12}
        found = ends("native", model, tmp_path, method=method, **solver)
        errors.append(abs(found - exact))
    differential, algebraic = np.log2(errors[0] / errors[1]) / 2
    assert differential > order - 0.25 and algebraic > order - 1.7, errors


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_values_between_steps_and_metrics_are_consistent(engine: str, tmp_path: Path):
    ts = np.linspace(0, 1, 101)
    problem, lanes = prepared(CIRCLE, ts, method="rodas5p", rtol=1e-8, atol=1e-10)
    found = solved(engine, problem, lanes, tmp_path)
    np.testing.assert_allclose(found.values["y"][0], np.sin(ts), atol=1e-7)
    np.testing.assert_allclose(found.values["z"][0], np.cos(ts), atol=1e-7)
    assert found.num_accepted_steps[0] < 60


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "diffrax"])
@pytest.mark.parametrize("method", ["tsit5", "rodas5p"])
def test_a_regular_mass_matrix_leaves_an_ode(engine: str, method: str, tmp_path: Path):
    matrix = np.array([[2.0, 1.0], [0.5, 3.0]])
    model = algebraic_model(
        lambda t, y, args: {"a": -y.a, "b": y.a - y.b}, {"a": 1.0, "b": 2.0}, 1.5,
        mass_matrix=matrix,
    )  # fmt: skip
    rates = np.linalg.solve(matrix, np.array([[-1.0, 0.0], [1.0, -1.0]]))
    found = ends(engine, model, tmp_path, method=method, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(found, expm(1.5 * rates) @ [1.0, 2.0], rtol=1e-7)


@pytest.mark.slow
def test_a_circular_coupling_is_eliminated_in_an_order_without_a_zero_pivot(tmp_path: Path):
    """The matrix of the algebraic equations has a vanishing minor in their given order."""
    block = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    z = lambda x: np.linalg.solve(block, x * np.array([1.0, 2.0, 3.0]))

    def field(t: Any, y: Any, args: Any) -> tuple[Any, ...]:
        x, a, b, c = y
        return -a, a + b - x, a + b + c - 2 * x, b + c - 3 * x

    states = {"x": 1.0, "a": 0.0, "b": 0.0, "c": 0.0}
    model = algebraic_model(field, states, 1.0, algebraic=("a", "b", "c"))
    found = ends("native", model, tmp_path, method="rodas5p", rtol=1e-9, atol=1e-11)
    x = np.exp(-z(1.0)[0])
    np.testing.assert_allclose(found, [x, *z(x)], rtol=1e-7)


@pytest.mark.parametrize("engine", fast(["native"], ["native", "diffrax"]))
def test_a_lane_without_consistent_values_ends_at_t0_and_stops_no_other(
    engine: str, tmp_path: Path
):
    model = algebraic_model(
        lambda t, y, args: {"x": 0 * y.x - 1.0, "z": y.z**2 - y.x}, {"x": 4.0, "z": 1.0}, 1.0,
        algebraic=("z",),
    )  # fmt: skip
    problem, lanes = prepared(model, method="rodas5p")
    bad = np.array([[4.0, -1.0, 2.0], [2.0, np.nan, np.sqrt(2.0)]])
    found = solved(engine, problem, Lanes(bad, np.zeros((0, 3))), tmp_path)
    assert found.status.tolist() == [Status.success, Status.non_finite, Status.success]
    assert found.time_reached[1] == 0
    np.testing.assert_allclose(found.values["z"][[0, 2], 0], np.sqrt([3.0, 1.0]), rtol=1e-6)
    assert lanes.y0[1, 0] == pytest.approx(2.0)


@pytest.mark.slow
def test_float32(tmp_path: Path):
    problem, lanes = prepared(CIRCLE, method="rodas5p", rtol=1e-4, atol=1e-6)
    problem = replace(problem, dtype=np.dtype("float32"))
    found = solved("native", problem, lanes, tmp_path)
    assert found.values["z"][0, -1] == pytest.approx(np.cos(1), abs=1e-4)
