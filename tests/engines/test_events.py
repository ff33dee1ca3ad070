"""Delays, priorities and what waits: events by both engines, against closed forms."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.problem.model import Event
from odeflow.problem.problem import Lanes, Problem
from odeflow.problem.reductions import Reduction
from odeflow.problem.status import Status
from tests.engines.test_jumps import solve
from tests.support.problems import make_model, make_problem

SLOW = pytest.mark.slow
ENGINES = pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=SLOW)])


def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """A decay, a clock, and three numbers that events alone change."""
    del t
    still = dict.fromkeys(("count", "seen", "size"), 0.0)
    return {"y": -args.k * y.y, "clock": 1.0, **still}


START = {"y": 3.0, "clock": 0.0, "count": 0.0, "seen": 0.0, "size": 2.0}


def problem(events: tuple[Event, ...], t1: float, ts: Any = None, **solver: Any) -> Problem:
    model = replace(make_model(field, START, t1, k=1.0, delay=0.25), events=events)
    return make_problem(model, ts, **{"rtol": 1e-9, "atol": 1e-12} | solver)


def lanes(k: Any = (1.0,), delay: Any = 0.25) -> Lanes:
    k = np.asarray(k, float)
    y0 = np.tile(np.array(list(START.values()))[:, None], (1, k.size))
    return Lanes(y0, np.stack([k, np.broadcast_to(np.asarray(delay, float), k.shape)]))


RESET = Event(lambda t, y, args: y.clock >= 1.0, lambda t, y, args: {"clock": 0.0})
DOSE = Event(
    lambda t, y, args: y.y < 2.0,
    lambda t, y, args: {"y": 9.0, "seen": t},
    delay=lambda t, y, args: args.delay,
)


@pytest.mark.parametrize(
    ("engine", "method"),
    [
        ("native", "tsit5"),
        pytest.param("native", "rodas5p", marks=SLOW),
        pytest.param("diffrax", "tsit5", marks=SLOW),
        pytest.param("diffrax", "kvaerno5", marks=SLOW),
    ],
)
def test_a_dose_after_a_delay(engine: str, method: str, tmp_path: Path):
    ts = np.linspace(0, 1, 11)
    k, delay = np.array([0.5, 0.9, 1.0, 1.5]), np.array([0.25, 0.1, 0.0, 0.3])
    found = solve(engine, tmp_path, problem((DOSE,), 1.0, ts, method=method), lanes(k, delay))
    fired = np.log(1.5) / k
    given = (fired + delay)[:, None]
    expected = np.where(
        ts < given, 3 * np.exp(-k[:, None] * ts), 9 * np.exp(k[:, None] * (given - ts))
    )
    np.testing.assert_allclose(found.values["y"], expected, rtol=2e-6)
    # what is assigned is of the time when the event fired
    seen = np.where(given[:, 0] < 1, fired, 0.0)
    np.testing.assert_allclose(found.values["seen"][:, -1], seen, rtol=1e-6)


@ENGINES
def test_an_event_that_fires_again_before_its_delay_is_over(engine: str, tmp_path: Path):
    """The clock is set back at 1, 2, ...; each time is counted 2.5 later, exactly."""
    counted = Event(
        lambda t, y, args: y.clock < 0.5,
        lambda t, y, args: {"count": y.count + 1.0, "seen": t},
        delay=lambda t, y, args: 2.5,
    )
    later = replace(
        counted,
        assignments=lambda t, y, args: {"size": y.size + 1.0},
        uses_trigger_values=False,
    )
    ts = np.arange(0.25, 7, 0.5)
    found = solve(engine, tmp_path, problem((RESET, counted, later), 7.0, ts), lanes())
    number = np.where(ts >= 3.5, np.floor(ts - 2.5), 0.0)
    np.testing.assert_allclose(found.values["seen"][0], number, atol=1e-9)
    # three that wait have all seen the same count
    np.testing.assert_array_equal(found.values["count"][0], np.floor((number + 2) / 3))
    np.testing.assert_array_equal(found.values["size"][0], number + 2.0)


@ENGINES
def test_what_is_not_persistent_is_forgotten(engine: str, tmp_path: Path):
    """True from 0.5 for a while k, and due 0.25 later."""
    event = Event(
        lambda t, y, args: (t >= 0.5) & (t < 0.5 + args.k),
        lambda t, y, args: {"count": 1.0},
        delay=lambda t, y, args: args.delay,
        persistent=False,
    )
    watched = problem((event,), 1.0, dt0=0.05, dtmax=0.05)
    found = solve(engine, tmp_path, watched, lanes([0.1, 0.2, 0.3]))
    np.testing.assert_array_equal(found.values["count"][:, 0], [0, 0, 1])
    np.testing.assert_array_equal(found.status, Status.success)


def fair(number: int) -> tuple[Event, ...]:
    """Events of one priority, of which the first to happen keeps the others from it."""
    return tuple(
        Event(
            lambda t, y, args: y.clock >= 1.0,
            lambda t, y, args, i=i: {
                "clock": 0.0,
                ("count", "seen", "size")[i]: (y.count, y.seen, y.size)[i] + 1.0,
            },
            priority=lambda t, y, args: 1.0,
            persistent=False,
        )
        for i in range(number)
    )


@ENGINES
def test_equals_happen_in_an_order_that_is_drawn_and_the_same_everywhere(
    engine: str, tmp_path: Path
):
    """As by the generator of Wichmann and Hill in whole numbers, whatever else a lane does."""
    drawn = problem(fair(3), 300.5, rtol=1e-3, atol=1e-3)
    found = solve(engine, tmp_path, drawn, lanes([1.0, 2.0]))
    expected, draw = [0, 0, 2], 12345
    for _ in range(300):
        expected[3 * draw // 30269] += 1
        draw = 171 * draw % 30269
    for name, count in zip(("count", "seen", "size"), expected):
        assert abs(count - 100) < 20
        np.testing.assert_array_equal(found.values[name][:, 0], count)


@ENGINES
def test_priorities_are_those_of_when_events_happen(engine: str, tmp_path: Path):
    at_one = lambda t, y, args: t >= 1.0
    events = (
        Event(at_one, lambda t, y, args: {"seen": 10 * y.seen + 1}, uses_trigger_values=False,
              priority=lambda t, y, args: 1.0),
        Event(at_one, lambda t, y, args: {"seen": 10 * y.seen + 2}, uses_trigger_values=False,
              priority=lambda t, y, args: y.count),
        Event(at_one, lambda t, y, args: {"seen": 10 * y.seen + 3, "count": 5.0},
              uses_trigger_values=False, priority=lambda t, y, args: 2.0),
        Event(at_one, lambda t, y, args: {"seen": 10 * y.seen + 4}, uses_trigger_values=False),
    )  # fmt: skip
    found = solve(engine, tmp_path, problem(events, 2.0), lanes())
    assert found.values["seen"].item() == 3214


@ENGINES
def test_values_are_placed_when_the_event_happens(engine: str, tmp_path: Path):
    """A concentration of 3, times the size of when the dose is given, which a reset has changed."""

    def place(t: Any, y: Any, args: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        return {"y": values["concentration"] * y.size}

    events = (
        Event(lambda t, y, args: t >= 0.2, lambda t, y, args: {"size": 4.0}),
        Event(lambda t, y, args: t >= 0.1, lambda t, y, args: {"concentration": y.size + 1.0},
              delay=lambda t, y, args: args.delay, place=place),
    )  # fmt: skip
    found = solve(engine, tmp_path, problem(events, 0.35, np.array([0.3, 0.35])), lanes())
    np.testing.assert_allclose(found.values["y"][0], [3 * np.exp(-0.3), 12.0], rtol=1e-7)


@ENGINES
def test_what_cannot_wait_fails_and_disturbs_nobody(engine: str, tmp_path: Path):
    """A negative delay, one that is not a number, and more that wait than can be kept."""
    often = Event(
        lambda t, y, args: y.clock >= 0.01,
        lambda t, y, args: {"clock": 0.0},
    )
    waits = Event(
        lambda t, y, args: y.clock < 0.005,
        lambda t, y, args: {"count": y.count + 1.0},
        delay=lambda t, y, args: args.delay,
        uses_trigger_values=False,
    )
    watched = problem((often, waits), 0.508, dtmax=0.004)
    delays = [0.105, -1.0, np.nan, 1.0, np.inf]
    found = solve(engine, tmp_path, watched, lanes([1.0] * 5, delays))
    failed = [False, True, True, True, False]
    np.testing.assert_array_equal(found.status == Status.events_failed, failed)
    np.testing.assert_array_equal(found.status == Status.success, ~np.array(failed))
    assert found.values["count"][0, 0] == 40 and found.values["count"][4, 0] == 0
    assert np.isnan(found.values["y"][1:4]).all()
    np.testing.assert_allclose(found.time_reached, [0.508, 0.01, 0.01, 0.17, 0.508], rtol=1e-6)


@SLOW
def test_both_engines_take_the_same_steps_and_reduce_the_same(tmp_path: Path):
    events = (RESET, DOSE, *fair(2))
    watched = problem(events, 6.0)
    watched = replace(watched, reductions=(Reduction("y", "max"), Reduction("y", "integral")))
    some = lanes(np.linspace(0.5, 3, 7), np.linspace(0, 2, 7))
    native, reference = (solve(e, tmp_path, watched, some) for e in ("native", "diffrax"))
    np.testing.assert_array_equal(native.status, 0)
    np.testing.assert_array_equal(native.num_steps, reference.num_steps)
    np.testing.assert_array_equal(native.num_accepted_steps, reference.num_accepted_steps)
    for name, value in native.reduced.items():
        np.testing.assert_allclose(value, reference.reduced[name], rtol=1e-9)
    for name, value in native.values.items():
        np.testing.assert_allclose(value, reference.values[name], rtol=1e-7, atol=1e-12)


@pytest.mark.slow
@ENGINES
def test_a_time_of_an_event_is_that_time_exactly(engine: str, tmp_path: Path):
    """What is saved at that time is the value after the event; at one before, that before it.

    Times that a rounding parts are one.
    """
    times = np.array([0.1, 0.3, 0.7, 1.1, 1.9])
    events = tuple(
        Event(lambda t, y, args, at=at: t >= at, lambda t, y, args: {"count": y.count + 1.0})
        for at in times
    )
    for same in (times, np.nextafter(times, 0), np.nextafter(times, 9)):
        ts = np.sort(np.concatenate([same, times * (1 - 1e-13)]))
        found = solve(engine, tmp_path, problem(events, 3.0, ts, dt0=0.37), lanes([0.1, 0.2]))
        np.testing.assert_array_equal(found.values["count"], [[0, 1, 1, 2, 2, 3, 3, 4, 4, 5]] * 2)
        assert jnp.isfinite(found.values["y"]).all()


def falls(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """A ball under a gravity of 2."""
    del t
    return {"height": y.speed, "speed": -2.0 + 0.0 * args.e}


@ENGINES
@pytest.mark.parametrize("floor", [0.0, pytest.param(1.0, marks=SLOW)])
def test_a_ball_that_comes_to_rest_is_not_let_through_the_floor(
    engine: str, floor: float, tmp_path: Path
):
    """It falls from 1 in 1, then bounces for 2 (e + e^2 + ...): it rests at (1 + e) / (1 - e)."""
    bounce = Event(
        lambda t, y, args: y.height <= floor,
        lambda t, y, args: {"height": floor, "speed": -args.e * y.speed},
    )
    model = make_model(falls, {"height": floor + 1.0, "speed": 0.0}, 4.0, e=0.5)
    watched = make_problem(replace(model, events=(bounce,)), np.linspace(0, 4, 9), rtol=1e-9)
    e = np.array([0.1, 0.4, 0.5, 0.7])
    start = np.array([[floor + 1.0], [0.0]])
    found = solve(engine, tmp_path, watched, Lanes(np.tile(start, 4), e[None]))
    rest = (1 + e) / (1 - e)
    np.testing.assert_array_equal(found.status, [Status.events_failed] * 3 + [Status.success])
    np.testing.assert_allclose(found.time_reached[:3], rest[:3], rtol=1e-6)
    assert np.nanmin(found.values["height"]) > floor - 1e-6
    after = found.values["height"][:3][np.linspace(0, 4, 9) > rest[:3, None] + 1e-3]
    assert np.isnan(after).all()
