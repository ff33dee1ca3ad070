"""Sensitivities where a stop ends a trajectory: of its end value, and of the time of that.

Against closed forms, and against central differences of the ends of other trajectories.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.problem.model import Event
from odeflow.problem.status import Status
from tests.support.switching_cases import Case, by_each_engine, differences

ENGINES = ["native", pytest.param("diffrax", marks=pytest.mark.slow)]


def growth(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {"x": args.k * y.x, "area": y.x}


def rotation(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {"x": args.w * y.y, "y": -args.w * y.x - args.drag * y.y}


def swept(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {"seen": y.x * jnp.cos(args.w * t) + args.gain * y.y**2 + 0.1 * t}


def switched(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {"seen": jnp.where(t < args.switch, 0.2, 1.0) * y.x}


def filling(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {"x": jnp.where(y.x < args.level, args.fast, args.slow) - 0.1 * y.x, "z": y.x - y.z}


def elimination(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {"x": -args.k * y.x, "area": y.x, "count": 0.0 * y.x}


COUNT = Event(lambda t, y, args: y.x < args.low, lambda t, y, args: {"count": y.count + args.k})
REFILL = Event(
    lambda t, y, args: y.x < args.low,
    lambda t, y, args: {"x": y.x + args.refill},
    delay=lambda t, y, args: args.wait + 0.1 * y.x,
    uses_trigger_values=False,
)
DOSE = {"state": "x", "amount": "dose", "time": "when"}
FIXED = {"state": "x", "amount": "dose", "time": 1.5}
FILLING = {"level": 1.0, "fast": 2.0, "slow": 0.7}

CASES = {
    "growth": Case(growth, {"x": 1.0, "area": 0.0}, {"k": 0.7}, (9.0,), stop={"above": {"x": 2.0}},
                   axes=("k", "x")),
    "an observable": Case(
        rotation, {"x": 0.0, "y": 1.0}, {"w": 1.3, "drag": 0.1, "gain": 0.4}, (9.0,),
        stop={"above": {"seen": 0.85}}, observables=swept, axes=("w", "drag", "gain", "x", "y"),
    ),
    "the earliest of three": Case(
        rotation, {"x": 0.0, "y": 1.0}, {"w": 1.3, "drag": 0.1}, (9.0,),
        stop={"above": {"x": 0.95, "y": 0.5}, "below": {"y": -0.2}},
    ),
    "an observable that switches": Case(
        growth, {"x": 1.0, "area": 0.0}, {"k": 0.3, "switch": 3.1}, (9.0,),
        stop={"above": {"seen": 1.2}}, observables=switched,
    ),
    "the level of a switch": Case(
        # for the level itself there is one derivative on each side
        filling, {"x": 0.0, "z": 0.0}, FILLING, (9.0,), stop={"above": {"x": 1.0}},
        axes=("fast", "slow"),
    ),
    "after a switch": Case(
        filling, {"x": 0.0, "z": 0.0}, FILLING, (9.0,), stop={"above": {"z": 1.1}}
    ),
    "a dose": Case(
        elimination, {"x": 1.0, "area": 0.0, "count": 0.0},
        {"k": 0.5, "dose": 2.0, "when": 1.5, "low": 0.6}, (9.0,), stop={"above": {"x": 2.0}},
        doses=(DOSE,), events=(COUNT,),
    ),
    "a dose at a fixed time": Case(
        elimination, {"x": 1.0, "area": 0.0, "count": 0.0}, {"k": 0.5, "dose": 2.0, "low": 0.6},
        (9.0,), stop={"above": {"x": 2.0}}, doses=(FIXED,), events=(COUNT,), axes=("k", "low"),
    ),
    "an infusion": Case(
        elimination, {"x": 1.0, "area": 0.0, "count": 0.0},
        {"k": 0.5, "amount": 3.0, "when": 0.4, "lasts": 1.1}, (9.0,), stop={"above": {"x": 1.6}},
        doses=({"state": "x", "amount": "amount", "time": "when", "duration": "lasts"},),
    ),
    "an event": Case(
        elimination, {"x": 1.0, "area": 0.0, "count": 0.0},
        {"k": 0.5, "low": 0.6, "wait": 0.7, "refill": 2.0}, (9.0,), stop={"above": {"x": 1.5}},
        events=(REFILL,),
    ),
    "an array": Case(
        lambda t, y, args: {"u": args.k * jnp.array([1.0, 2.0, 0.5]) * y.u, "x": jnp.sum(y.u)},
        {"u": {"initial": [1.0, 0.5, 2.0], "dims": ["cell"]}, "x": 0.0}, {"k": 0.4}, (9.0,),
        stop={"above": {"x": 3.0}},
    ),
    "none in time": Case(
        growth, {"x": 1.0, "area": 0.0}, {"k": 0.1}, (3.0,), stop={"above": {"x": 2.0}}
    ),
}  # fmt: skip


OFTEN = {("growth", "native", "tsit5")}


@pytest.mark.parametrize(("name", "engine", "method"), by_each_engine(CASES, OFTEN))
def test_ends(name: str, engine: str, method: str, compiled: Path):
    case = CASES[name]
    axes = list(case.axes or case.parameters)
    at = {axes[0]: case.nominal(axes[0])[..., None]}
    solution = case.solve(engine, axes, at, compiled, ends=True, method=method)
    stopped = Status.success if name == "none in time" else Status.stopped_by_event
    assert solution.status.tolist() == [stopped]
    for axis in axes:
        expected, of_time = differences(case, axis, compiled, ends=True)
        label = case.label(axis)
        got = solution.time_derivatives[f"d_time_reached_d_{label}"][0]
        np.testing.assert_allclose(got, of_time, rtol=1e-6, atol=1e-6, err_msg=label)
        for variable, derivative in expected.items():
            got = solution.values[f"d_{variable}_d_{label}"][0]
            np.testing.assert_allclose(got, derivative, rtol=1e-6, atol=1e-6, err_msg=label)


class Traced(Exception):
    """A program is traced: to compile it takes several times as long."""


@pytest.mark.slow
def test_diffrax_can_trace_stops_beside_derivatives(
    compiled: Path, monkeypatch: pytest.MonkeyPatch
):
    trace = diffrax_engine._compile

    def traced(*given: Any) -> None:
        trace(*given)
        raise Traced

    monkeypatch.setattr(diffrax_engine, "_compile", traced)
    line = lambda t, y, args: {"x": args.k + 0.0 * y.x}
    case = replace(CASES["growth"], field=line, states={"x": 0.0}, parameters={"k": 0.7})
    with pytest.raises(Traced):
        case.solve("diffrax", ["k"], {"k": np.array([0.7])}, compiled, ends=True, method="heun")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_growth_by_its_closed_form(engine: str, compiled: Path):
    """Growth: x = exp(k t) is 2 at log(2) / k, which the slowest do not reach."""
    ks, ts = np.array([0.05, 0.4, 0.7]), np.array([0.5, 1.5, 2.5])
    case = replace(CASES["growth"], ts=(*ts, 9.0))
    summary = {"metrics": ["final", "max", "min"]}
    found = case.solve(engine, ["k"], {"k": ks}, compiled, summary=summary | {
        "variables": ["x", "area", "d_x_d_k", "d_area_d_k"]})  # fmt: skip
    stops = np.log(2) / ks < 9
    end = np.where(stops, np.log(2) / ks, 9.0)
    grown = np.exp(9 * ks)
    np.testing.assert_allclose(found.time_reached, end, rtol=1e-9)
    moved = np.where(stops, -np.log(2) / ks**2, 0.0)
    np.testing.assert_allclose(found.time_derivatives["d_time_reached_d_k"], moved, rtol=1e-8)
    at_end = {
        "x": np.where(stops, 0.0, 9 * grown),
        "area": np.where(stops, -1 / ks**2, (9 * ks * grown - grown + 1) / ks**2),
    }
    for name, expected in at_end.items():
        final = found.reduced[f"d_{name}_d_k_final"]
        np.testing.assert_allclose(final, expected, rtol=1e-8, atol=1e-8)
    # the derivative at a given time, and nothing after the stop
    ordinary = np.where(ts < end[:, None], ts * np.exp(np.outer(ks, ts)), np.nan)
    np.testing.assert_allclose(found.values["d_x_d_k"][:, :-1], ordinary, rtol=1e-8)
    # extremes are those of derivatives at given times
    greatest = np.where(stops, 2 * end, 9 * grown)
    np.testing.assert_allclose(found.reduced["d_x_d_k_max"], greatest, rtol=1e-8)
    np.testing.assert_allclose(found.reduced["d_x_d_k_min"], 0.0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_what_touches_its_threshold_has_no_derivative(engine: str, compiled: Path):
    """A parabola: x = 2 t - p t^2 is 1 / p at most."""
    field = lambda t, y, args: {"x": 2 - 2 * args.p * t}
    case = Case(field, {"x": 0.0}, {"p": 1.0}, (3.0,), stop={"above": {"x": 1.0}})
    ps = np.array([1 - 1e-11, 0.9])
    found = case.solve(engine, ["p"], {"p": ps}, compiled, ends=True, rtol=1e-9, atol=1e-9)
    assert (found.status == Status.stopped_by_event).all()
    moved = found.time_derivatives["d_time_reached_d_p"]
    assert np.isnan(moved[0]) and np.isnan(found.values["d_x_d_p"][0])
    # t = (1 - sqrt(1 - p)) / p
    root = np.sqrt(1 - ps[1])
    expected = 1 / (2 * root * ps[1]) - (1 - root) / ps[1] ** 2
    np.testing.assert_allclose(moved[1], expected, rtol=1e-7)
    np.testing.assert_allclose(found.values["d_x_d_p"][1], 0.0, atol=1e-7)


@pytest.mark.parametrize("engine", ENGINES)
def test_rest_has_no_time_of_its_own(engine: str, compiled: Path):
    """Relaxation: x = c + (x0 - c) exp(-k t): at rest dx/dc is 1, whatever step has noticed it."""
    field = lambda t, y, args: {"x": args.k * (args.c - y.x)}
    stop = {"steady_state": {"atol": 1e-9, "rtol": 1e-9}, "above": {"x": 3.0}}
    case = Case(field, {"x": 0.0}, {"k": 1.0, "c": 2.0}, (99.0,), stop=stop)
    cs = np.array([2.0, 4.0])
    found = case.solve(engine, ["c"], {"c": cs}, compiled, ends=True)
    assert (found.status == Status.stopped_by_event).all()
    moved = found.time_derivatives["d_time_reached_d_c"]
    assert np.isnan(moved[0])
    np.testing.assert_allclose(moved[1], 1 / 4 - 1 / (4 - 3), rtol=1e-8)
    np.testing.assert_allclose(found.values["d_x_d_c"][:, 0], [1.0, 0.0], atol=1e-7)
