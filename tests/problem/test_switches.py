"""Times at which comparisons of time switch something: found, and made stops of both engines."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.files.errors import ConfigError
from odeflow.problem.conditions.compared import Kind, kinds
from odeflow.problem.conditions.switch_times import Switches
from odeflow.problem.model import Event
from odeflow.problem.problem import Guard, Jumps, JumpTargets, Lanes, Solution
from odeflow.problem.status import Status
from odeflow.problem.transforms.switching import with_switching
from tests.support.problems import make_model, make_problem

KNOTS = np.array([0.0, 1.0, 4.0, 9.0, 16.0])
TABLE = KNOTS**2
PERIOD = 2 * np.pi / 7


def on(condition: Any) -> Any:
    return jnp.where(condition, 1.0, 0.0)


#: A function of (t, y, args), and the times from 0 to 20 at which it changes its form.
FOUND: dict[str, tuple[Callable[..., Any], list[float]]] = {
    "pulse": (lambda t, y, p: on((t >= p[0]) & (t < p[0] + p[1])) * y[0], [3.5, 5.75]),
    "scaled": (lambda t, y, p: on(2 * t - p[0] > 7), [5.25]),
    "equal": (lambda t, y, p: on(t == 5.0), [5.0]),
    "period": (lambda t, y, p: on(jnp.mod(t - 1, 8) < 0.01), [1, 1.01, 9, 9.01, 17, 17.01]),
    "floor": (lambda t, y, p: jnp.floor(t / 8), [0, 8, 16]),
    "round": (lambda t, y, p: jnp.round(t / 10), [5, 15]),
    "index": (lambda t, y, p: jnp.asarray(TABLE)[(t / 6).astype(int)], [0, 6, 12, 18]),
    "wave": (lambda t, y, p: on(jnp.cos(PERIOD * t) < -1 + 1e-3), []),
    "ramp": (lambda t, y, p: jnp.maximum(0.0, 1 - jnp.abs(t - 17.25) / 0.5), [16.75, 17.25, 17.75]),
    "table": (lambda t, y, p: jnp.interp(t, jnp.asarray(KNOTS), jnp.asarray(TABLE)), list(KNOTS)),
    "diffrax": (
        lambda t, y, p: diffrax.LinearInterpolation(
            jnp.asarray(KNOTS), jnp.asarray(TABLE)
        ).evaluate(t),
        list(KNOTS),
    ),
    "pieces": (lambda t, y, p: jnp.piecewise(t, [t < 1, t < 2], [1.0, 2.0, lambda t: t]), [1, 2]),
    "branch": (lambda t, y, p: jax.lax.cond(t < 3, lambda: 1.0, lambda: on(t < 4)), [3, 4]),
    "loop": (
        lambda t, y, p: jax.lax.fori_loop(0, 3, lambda i, s: s + on(t >= 1.0 + i), 0.0),
        [1, 2, 3],
    ),
    "nearest": (
        lambda t, y, p: jnp.argmin(jnp.abs(jnp.asarray(KNOTS) - t)) * 1.0,
        sorted([*KNOTS, *(0.5 * (KNOTS[1:] + KNOTS[:-1]))]),
    ),
    "nested": (lambda t, y, p: on(jnp.floor(t / 8) * 8 + 2 < t), [0, 2, 8, 10, 16, 18]),
    "derivative": (lambda t, y, p: jax.jvp(lambda q: on(t > q) * q, (p[0],), (1.0,))[1], [3.5]),
    "state": (lambda t, y, p: on(y[0] < p[0]), []),
    "smooth": (lambda t, y, p: jnp.sin(t) + t ** p[0], []),
}  # fmt: skip
#: The wave is at its lowest in the middle of each period of seven.
WIDTH = np.arccos(1 - 1e-3) / PERIOD
FOUND["wave"][1].extend([t for low in (3.5, 10.5, 17.5) for t in (low - WIDTH, low + WIDTH)])


@pytest.mark.parametrize("name", list(FOUND))
def test_times_are_found(name: str) -> None:
    function, expected = FOUND[name]
    switches = Switches((function,), 1, 2)
    assert bool(switches) == bool(expected)
    if expected:
        times = switches.times(0.0, 20.0, np.array([[3.5], [2.25]]))
        np.testing.assert_allclose(times[:, 0], expected, rtol=1e-15)
        assert not switches.unknown


def test_each_lane_has_its_own_times() -> None:
    rng = np.random.default_rng(0)
    args = rng.uniform(0, 10, (2, 1000))
    times = Switches((FOUND["pulse"][0],), 1, 2).times(0.0, 30.0, args)
    np.testing.assert_array_equal(times, [args[0], args[0] + args[1]])


def test_what_cannot_be_solved_is_named() -> None:
    def count(t: Any, y: Any, p: Any) -> Any:
        return jax.lax.while_loop(lambda s: s < t, lambda s: s + 1.0, 0.0)

    switches = Switches((count,), 1, 0)
    assert switches.unknown == [f"test_switches.py:{count.__code__.co_firstlineno + 1} in count"]


def solve(engine: str, problem: Any, lanes: Lanes, tmp_path: Any) -> Solution:
    found = with_switching(problem)
    lanes, problem = found.scheduled(lanes), found.problem
    if engine == "diffrax":
        return diffrax_engine.solve(problem, lanes)
    return native_engine.solve(problem, lanes, threads=2, cache_dir=tmp_path)


def pulsed(t: Any, y: Any, args: Any) -> dict[str, Any]:
    inside = (t >= args.start) & (t < args.start + args.width)
    return {"y": jnp.where(inside, 1.0 / args.width, 0.0) - 0.1 * y.y}


def pulse_response(t: Any, start: Any, width: Any) -> Any:
    rise = lambda s: np.where(s > 0, 1 - np.exp(-0.1 * np.maximum(s, 0)), 0.0)
    return 10 / width * (rise(t - start) - rise(t - start - width))


@pytest.mark.parametrize(
    ("engine", "method"),
    [
        ("native", "tsit5"),
        ("native", "rodas5p"),
        pytest.param("diffrax", "tsit5", marks=pytest.mark.slow),
        pytest.param("diffrax", "rodas5p", marks=pytest.mark.slow),
        pytest.param("native", "dopri8", marks=pytest.mark.slow),
        pytest.param("diffrax", "kvaerno5", marks=pytest.mark.slow),
    ],
)
def test_no_pulse_is_lost(engine: str, method: str, tmp_path: Any) -> None:
    """Of a thousandth at random times in a thousand, where steps are hundreds long."""
    size, rng = 1000 if engine == "native" else 64, np.random.default_rng(1)
    model = make_model(pulsed, {"y": 0.0}, 1000.0, start=0.0, width=1e-3)
    problem = make_problem(model, np.linspace(0, 1000, 41), method=method)
    starts = rng.uniform(0, 999, size)
    starts[:2] = 0.0, 975.0  # at t0, and at a time to save
    args = np.stack([starts, np.full(size, 1e-3)])
    solution = solve(engine, problem, Lanes(np.zeros((1, size)), args), tmp_path)
    exact = pulse_response(problem.times, starts[:, None], 1e-3)
    allowed = problem.solver.tolerances
    tolerance = allowed.atol["y"] + allowed.rtol * np.abs(exact)
    assert (solution.status == Status.success).all()
    # the values inside of its steps are of order 3 only
    most = 30 if method == "kvaerno5" else 10
    assert np.max(np.abs(solution.values["y"] - exact) / tolerance) < most


@pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_a_switching_time_that_a_dose_moves(engine: str, tmp_path: Any) -> None:
    """`start` is 50 until t = 20, when it becomes 30."""
    model = make_model(pulsed, {"y": 0.0}, 100.0, start=50.0, width=0.5)
    problem = make_problem(model, np.linspace(0, 100, 11), method="tsit5")
    problem = replace(problem, jumps=JumpTargets((0,), (0,)))
    jumps = Jumps(np.array([[20.0]]), np.zeros((1, 1, 1)), np.full((1, 1, 1), 30.0))
    lanes = Lanes(np.zeros((1, 1)), np.array([[50.0], [0.5]]), None, jumps)
    solution = solve(engine, problem, lanes, tmp_path)
    np.testing.assert_allclose(
        solution.values["y"][0], pulse_response(problem.times, 30.0, 0.5), atol=1e-5
    )


@pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_a_condition_that_holds_at_one_time_only_is_met(engine: str, tmp_path: Any) -> None:
    model = make_model(lambda t, y, args: {"y": -0.01 * y.y}, {"y": 1.0}, 1000.0, at=0.0)
    problem = make_problem(model, None, method="tsit5")
    guard = Guard(lambda t, y, args: t == args.at)
    problem = replace(problem, stops=(guard,))
    at = np.array([[5.0, 123.456, 0.1 + 0.2]])
    solution = solve(engine, problem, Lanes(np.ones((1, 3)), at), tmp_path)
    np.testing.assert_array_equal(solution.status, Status.stopped_by_event)
    np.testing.assert_array_equal(solution.time_reached, at[0])


def test_what_does_not_compare_time_is_left_as_it_is() -> None:
    model = make_model(
        lambda t, y, args: {"y": jnp.where(y.y > 0, jnp.sin(t), 1.0)}, {"y": 1.0}, 1.0
    )
    problem = make_problem(model)
    found = with_switching(problem)
    assert found.problem is problem and found.comment == ""


def test_an_unknown_time_bounds_the_steps() -> None:
    def counted(t: Any, y: Any, args: Any) -> dict[str, Any]:
        return {"y": jax.lax.while_loop(lambda s: s < t, lambda s: s + 1.0, 0.0)}

    found = with_switching(make_problem(make_model(counted, {"y": 0.0}, 50.0)))
    assert found.problem.solver.dtmax == 0.05
    assert "steps of at most 0.001 of the time span" in found.comment
    assert "in counted" in found.comment


def test_random_numbers_of_a_fixed_key_are_compared_as_others_are() -> None:
    noise = lambda: jax.random.normal(jax.random.key(3), ())
    assert kinds(lambda y: y > noise(), (1.0,), ()) == [Kind(1, smooth=True, equal=False)]


def test_too_many_are_refused() -> None:
    fast = make_model(lambda t, y, args: {"y": jnp.floor(t * 1e6)}, {"y": 0.0}, 50.0)
    with pytest.raises(ConfigError, match=r"more than 10,000 times"):
        with_switching(make_problem(fast)).scheduled(Lanes(np.zeros((1, 1)), np.zeros((0, 1))))


@pytest.mark.parametrize(
    ("engine", "method"),
    [
        ("native", "tsit5"),
        pytest.param("native", "rodas5p", marks=pytest.mark.slow),
        pytest.param("diffrax", "tsit5", marks=pytest.mark.slow),
    ],
)
def test_a_pulse_whose_time_an_event_sets(engine: str, method: str, tmp_path: Any) -> None:
    """From 300 to 300.01 after the time that an event has put into a state."""

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        inside = (t >= y.last + 300) & (t < y.last + 300.01)
        return {"y": jnp.where(inside, 100.0, 0.0) - 0.1 * y.y, "last": 0.0}

    model = make_model(field, {"y": 0.0, "last": -1e4}, 1000.0, at=0.0)
    event = Event(lambda t, y, args: t >= args.at, lambda t, y, args: {"last": t})
    problem = make_problem(replace(model, events=(event,)), np.linspace(0, 1000, 21), method=method)
    at = np.array([123.4, 50.0, 600.0])
    y0 = np.stack([np.zeros(3), np.full(3, -1e4)])
    solution = solve(engine, problem, Lanes(y0, at[None]), tmp_path)
    exact = pulse_response(problem.times, at[:, None] + 300, 0.01)
    np.testing.assert_allclose(solution.values["y"], exact, atol=1e-5)
    found = with_switching(problem)
    assert found.comment.count("in field") == 1
