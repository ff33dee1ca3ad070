"""Steady states: not before all that is to come has come, and not where time moves the field."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.config.root import Config
from odeflow.problem.model import Event
from odeflow.problem.problem import Guard, Jumps, JumpTargets, Lanes
from odeflow.problem.status import Status
from odeflow.problem.transforms.stops import moves_with_time
from tests.engines.test_jumps import solve
from tests.support.problems import decay, make_model, make_problem

SLOW = pytest.mark.slow
ENGINES = pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=SLOW)])
SMALL = Guard(lambda t, y, args: abs(y.y) < 1e-3, initial=False, inside=False, after_all=True)


@pytest.mark.slow
@ENGINES
def test_no_rest_before_the_last_jump(engine: str, tmp_path: Path):
    model = make_model(decay, {"y": 0.0}, 30.0, k=1.0)
    ts = np.array([0.0, 2.0, 5.0, 30.0])
    problem = make_problem(model, ts, rtol=1e-9, atol=1e-12)
    problem = replace(problem, stops=(SMALL,), jumps=JumpTargets((0,), ()))
    times = np.array([[2.0, 2.0, 31.0, np.inf], [5.0, np.inf, np.inf, np.inf]])
    amounts = np.array([[1.0, 1.0, 1.0, 0.0], [2.0, 0.0, 0.0, 0.0]])[:, None]
    jumps = Jumps(times, amounts, np.zeros((2, 0, 4)))
    found = solve(engine, tmp_path, problem, Lanes(np.zeros((1, 4)), np.ones((1, 4)), None, jumps))
    # the first has both of its doses, the third's would be after the end: it rests at t0
    reached = [5 + np.log(1e3 * (2 + np.exp(-3))), 2 + np.log(1e3), 0.0, 0.0]
    np.testing.assert_allclose(found.time_reached, reached, rtol=1e-6)
    np.testing.assert_array_equal(found.status, Status.stopped_by_event)
    np.testing.assert_allclose(found.values["y"][0, :3], [0, 1, 2 + np.exp(-3)], rtol=1e-7)


@ENGINES
def test_no_rest_before_an_event_that_waits(engine: str, tmp_path: Path):
    model = make_model(decay, {"y": 0.5}, 30.0, k=1.0)
    event = Event(
        lambda t, y, args: y.y < 0.25, lambda t, y, args: {"y": 0.125}, delay=lambda *_: 20.0
    )
    problem = make_problem(replace(model, events=(event,)), None, rtol=1e-9, atol=1e-12)
    lanes = Lanes(np.full((1, 1), 0.5), np.ones((1, 1)))
    found = solve(engine, tmp_path, replace(problem, stops=(SMALL,)), lanes)
    given = np.log(2) + 20
    np.testing.assert_allclose(found.time_reached, given + np.log(125), rtol=1e-7)


@pytest.mark.parametrize(
    ("derivative", "moves"),
    [
        (lambda t, y, args: {"x": args.k * t - y.x}, True),
        (lambda t, y, args: {"x": jnp.exp(-((t - 5) ** 2)) - y.x}, True),
        (lambda t, y, args: {"x": jnp.where(t < args.k, 1.0, 0.0) - y.x}, False),
        (lambda t, y, args: {"x": jnp.where(t < y.x, 1.0, 0.0) - y.x}, True),
        (lambda t, y, args: {"x": args.k - y.x}, False),
    ],
)
def test_fields_that_move_with_time(derivative: Any, moves: bool):
    assert moves_with_time(make_model(derivative, {"x": 1.0}, 2.0, k=1.0)) == moves


def test_a_field_that_moves_goes_on_and_says_so(tmp_path: Path):
    """X' = k t - x rests at t0, and only there: x(t) = k (t - 1 + exp(-t))."""
    import odeflow

    (tmp_path / "config" / "model").mkdir(parents=True)
    (tmp_path / "models.py").write_text(
        "def ramp(t, y, args):\n    return {'x': args.k * t - y.x}\n"
    )
    (tmp_path / "config" / "model" / "ramp.yaml").write_text(
        "name: ramp\nvector_field: models.py:ramp\nt1: 2\nstates: {x: {initial: 0}}\n"
        "parameters: {k: {value: 3}}\n"
    )
    settings = "~experiment", "model=ramp", "stop={steady_state:{atol:1e-6}}"
    config: Config = odeflow.compose(*settings, study=tmp_path)
    with pytest.warns(UserWarning, match="depends on time"):
        found = odeflow.run(config)
    assert int(found["status"]) == Status.success
    assert "steady_state is not looked for" in found.attrs["odeflow_time_switches"]
    assert float(found["x"][-1]) == pytest.approx(3 * (1 + np.exp(-2)), rel=1e-4)
