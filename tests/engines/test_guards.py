"""Stops and events by both engines: bouncing balls, thresholds, resets, against closed forms."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.problem.model import Event
from odeflow.problem.problem import Guard, Lanes, Problem
from odeflow.problem.reductions import Reduction
from odeflow.problem.status import Status
from tests.engines.test_jumps import solve
from tests.support.problems import decay, make_model, make_problem

SLOW = pytest.mark.slow
ENGINES = pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=SLOW)])
RATES = np.linspace(0.5, 3.0, 9)
LANES = Lanes(np.full((1, 9), 3.0), RATES[None])


def below(threshold: float, initial: bool | None = None) -> Guard:
    return Guard(lambda t, y, args: y.y < threshold, initial)


def decaying(ts: Any, *stops: Guard, **solver: Any) -> Problem:
    model = make_model(decay, {"y": 3.0}, 2.0, k=1.0)
    return replace(make_problem(model, ts, **{"rtol": 1e-9, "atol": 1e-12} | solver), stops=stops)


@pytest.mark.parametrize(
    ("engine", "method"),
    [
        ("native", "tsit5"),
        pytest.param("native", "dopri8", marks=SLOW),
        pytest.param("native", "rodas5p", marks=SLOW),
        pytest.param("diffrax", "tsit5", marks=SLOW),
        pytest.param("diffrax", "kvaerno5", marks=SLOW),
    ],
)
def test_a_threshold_stops_where_it_is_crossed(engine: str, method: str, tmp_path: Path):
    found = solve(engine, tmp_path, decaying(None, below(1.0), method=method), LANES)
    crossing = np.log(3.0) / RATES
    stopped = crossing < 2.0
    assert 0 < stopped.sum() < 9
    np.testing.assert_array_equal(found.status == Status.stopped_by_event, stopped)
    np.testing.assert_array_equal(found.status == Status.success, ~stopped)
    np.testing.assert_allclose(found.time_reached, np.minimum(crossing, 2.0), rtol=1e-6)
    expected = np.where(stopped, 1.0, 3 * np.exp(-2 * RATES))
    np.testing.assert_allclose(found.values["y"][:, 0], expected, rtol=1e-6)
    # the condition holds where a trajectory ends
    assert (found.values["y"][stopped, 0] < 1.0).all()


@ENGINES
def test_values_after_a_stop_are_nan(engine: str, tmp_path: Path):
    ts = np.linspace(0, 2, 21)
    found = solve(engine, tmp_path, decaying(ts, below(1.0)), LANES)
    crossing = np.log(3.0) / RATES[:, None]
    expected = np.where(ts < crossing, 3 * np.exp(-RATES[:, None] * ts), np.nan)
    np.testing.assert_allclose(found.values["y"], expected, rtol=1e-6)


@ENGINES
def test_metrics_are_those_up_to_the_stop(engine: str, tmp_path: Path):
    reductions = tuple(Reduction("y", m) for m in ("integral", "min", "max"))
    problem = replace(decaying(None, below(1.0)), reductions=reductions)
    found = solve(engine, tmp_path, problem, LANES)
    last = np.maximum(1.0, 3 * np.exp(-2 * RATES))
    np.testing.assert_allclose(found.reduced["y_integral"], (3 - last) / RATES, rtol=1e-6)
    np.testing.assert_allclose(found.reduced["y_min"], last, rtol=1e-6)
    np.testing.assert_array_equal(found.reduced["y_max"], 3.0)


@ENGINES
def test_the_first_of_two_stops_counts(engine: str, tmp_path: Path):
    # both within one long step
    problem = decaying(None, below(0.5), below(1.5), dt0=1.9, rtol=1.0, atol=1.0)
    found = solve(engine, tmp_path, problem, Lanes(np.full((1, 1), 3.0), np.ones((1, 1))))
    assert found.status[0] == Status.stopped_by_event and found.num_steps[0] == 1
    assert found.values["y"][0, 0] == pytest.approx(1.5)


@pytest.mark.slow
@ENGINES
def test_what_holds_at_the_start(engine: str, tmp_path: Path):
    ts = np.array([0.0, 1.0])
    at_once = solve(engine, tmp_path, decaying(ts, below(5.0, initial=False)), LANES)
    assert (at_once.status == Status.stopped_by_event).all()
    np.testing.assert_array_equal(at_once.time_reached, 0.0)
    np.testing.assert_array_equal(at_once.num_steps, 0)
    np.testing.assert_array_equal(at_once.values["y"], [[3.0, np.nan]] * 9)
    never = solve(engine, tmp_path, decaying(ts, below(5.0)), LANES)
    assert (never.status == Status.success).all()


def ball(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """A falling ball."""
    del t
    return {"height": y.speed, "speed": -args.g + 0.0 * y.height}


BOUNCE = Event(
    lambda t, y, args: y.height <= 0.0,
    lambda t, y, args: {"height": 0.0, "speed": -args.e * y.speed},
)


def bouncing(ts: Any, **solver: Any) -> Problem:
    model = make_model(ball, {"height": 1.0, "speed": 0.0}, 3.0, g=2.0, e=0.8)
    model = replace(model, events=(BOUNCE,))
    return make_problem(model, ts, **{"rtol": 1e-9, "atol": 1e-9, "dt0": 0.05} | solver)


ELASTIC = np.linspace(0.6, 0.95, 7)
BALLS = Lanes(np.tile([[1.0], [0.0]], 7), np.stack([np.full(7, 2.0), ELASTIC]))


def bounces(t: np.ndarray) -> np.ndarray:
    """The height at these times: falls from 1 in 1, bounces with ever less speed."""
    height = np.zeros((7, len(t)))
    for i, e in enumerate(ELASTIC):
        start, speed = -1.0, 2.0  # as if thrown from the ground at -1
        for j, time in enumerate(t):
            while time > start + speed:  # a flight takes 2 speed / g
                start, speed = start + speed, speed * e
            height[i, j] = speed * (time - start) - (time - start) ** 2
    return height


@ENGINES
@pytest.mark.parametrize("method", ["tsit5", pytest.param("rodas5p", marks=SLOW)])
def test_a_ball_bounces(engine: str, method: str, tmp_path: Path):
    ts = np.linspace(0.05, 2.95, 30)
    found = solve(engine, tmp_path, bouncing(ts, method=method), BALLS)
    assert (found.status == Status.success).all()
    np.testing.assert_allclose(found.values["height"], bounces(ts), atol=1e-7)


CONTROLS = {"adaptive": {}, "constant": {"stepsize_controller": "constant", "dt0": 0.03}}


@pytest.mark.slow
@pytest.mark.parametrize("control", ["adaptive", pytest.param("constant", marks=SLOW)])
def test_both_engines_take_the_same_steps(control: str, tmp_path: Path):
    problem = bouncing(None, max_steps=95, **CONTROLS[control])
    native, reference = (
        solve(engine, tmp_path, problem, BALLS) for engine in ("native", "diffrax")
    )
    np.testing.assert_array_equal(native.status, reference.status)
    np.testing.assert_array_equal(native.num_steps, reference.num_steps)
    np.testing.assert_array_equal(native.num_accepted_steps, reference.num_accepted_steps)
    np.testing.assert_allclose(native.time_reached, reference.time_reached, rtol=1e-9)
    np.testing.assert_allclose(native.values["height"], reference.values["height"], atol=1e-8)
    if control == "constant":
        limited = native.status == Status.max_steps_reached
        assert limited.any() and (native.num_steps[limited] == 95).all()


def clock(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Counts nothing by itself."""
    return {"count": 0.0 * y.count, "seen": 0.0 * y.seen + 0.0 * args.k}


@ENGINES
def test_events_at_a_time_and_those_they_set_off(engine: str, tmp_path: Path):
    """At t = 1 the count grows, which lets a second event fire at once: both are exact."""
    events = (
        Event(lambda t, y, args: t >= 1.0, lambda t, y, args: {"count": y.count + args.k}),
        Event(lambda t, y, args: y.count > 1.5, lambda t, y, args: {"seen": t}),
        Event(lambda t, y, args: t >= 0.0, lambda t, y, args: {"count": y.count + 0.25}, False),
    )
    model = make_model(clock, {"count": 0.0, "seen": -1.0}, 2.0, k=1.0)
    problem = make_problem(replace(model, events=events), [0.0, 0.5, 1.0, 2.0])
    lanes = Lanes(np.tile([[0.0], [-1.0]], 2), np.array([[1.0, 2.0]]))
    found = solve(engine, tmp_path, problem, lanes)
    # the value at the time of an event is that after it
    expected = [[0.25, 0.25, 1.25, 1.25], [0.25, 0.25, 2.25, 2.25]]
    np.testing.assert_array_equal(found.values["count"], expected)
    np.testing.assert_array_equal(found.values["seen"], [[-1.0] * 4, [-1.0, -1.0, 1.0, 1.0]])


@ENGINES
def test_events_that_set_each_other_off_without_end(engine: str, tmp_path: Path):
    events = (
        Event(lambda t, y, args: (t >= 1.0) & (y.count < 1), lambda t, y, args: {"count": 2.0}),
        Event(lambda t, y, args: (t >= 1.0) & (y.count > 1), lambda t, y, args: {"count": 0.0}),
    )
    model = make_model(clock, {"count": 0.0, "seen": -1.0}, 2.0, k=1.0)
    problem = make_problem(replace(model, events=events), None)
    lanes = Lanes(np.array([[0.0], [-1.0]]), np.array([[1.0]]))
    found = solve(engine, tmp_path, problem, lanes)
    assert found.status[0] == Status.events_failed
    assert found.time_reached[0] == 1.0 and jnp.isnan(found.values["count"][0, 0])


@ENGINES
def test_events_at_one_time_act_in_their_order(engine: str, tmp_path: Path):
    at_one = lambda t, y, args: t >= 1.0
    events = (
        Event(at_one, lambda t, y, args: {"count": y.count + 1.0, "seen": 5.0}),
        Event(at_one, lambda t, y, args: {"count": y.count + 10.0}),
        Event(at_one, lambda t, y, args: {"seen": y.seen + y.count}, uses_trigger_values=False),
    )
    model = make_model(clock, {"count": 0.5, "seen": -1.0}, 2.0, k=1.0)
    problem = make_problem(replace(model, events=events), None)
    lanes = Lanes(np.array([[0.5], [-1.0]]), np.array([[1.0]]))
    found = solve(engine, tmp_path, problem, lanes)
    # the second overrides the first, the third sees both
    assert found.values["count"].item() == 10.5 and found.values["seen"].item() == 15.5


@ENGINES
def test_a_guard_that_is_not_located_fires_at_the_end_of_a_step(engine: str, compiled: Path):
    """The first multiple of the step's length at which it holds."""
    guard = replace(below(1.0), inside=False, located=False)
    problem = decaying(None, guard, stepsize_controller="constant", dt0=0.25)
    found = solve(engine, compiled, problem, LANES)
    crossed = np.log(3.0) / RATES
    ends = np.ceil(crossed / 0.25) * 0.25
    np.testing.assert_allclose(found.time_reached, np.minimum(ends, 2.0))
    assert ((found.status == Status.stopped_by_event) == (ends <= 2.0)).all()
