"""Sensitivities where something switches at a time that depends on what is varied.

Against closed forms where there is one, and against central differences of solutions at tight
tolerances, which know nothing of derivatives.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import odeflow
from odeflow.config.validate import validate
from odeflow.files.errors import ConfigError
from odeflow.problem.model import Event
from odeflow.problem.status import has_failed
from tests.support.switching_cases import Case, by_each_engine, differences


def charge(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {
        "by_time": jnp.where(t < args.switch, args.fast, args.slow),
        "by_state": jnp.where(y.by_state < args.level, args.fast, args.slow),
    }


def charged(p: Any, t: Any) -> dict[str, Any]:
    full = p["level"] / p["fast"]
    piece = lambda tau: jnp.where(t < tau, p["fast"] * t, p["fast"] * tau + p["slow"] * (t - tau))
    return {"by_time": piece(p["switch"]), "by_state": piece(full)}


def pulses(t: Any, y: Any, args: Any) -> dict[str, Any]:
    on = (jnp.mod(t - args.lag, args.period) < args.width) & (t > args.lag)
    return {"x": jnp.where(on, args.high, 0.0) - 0.7 * y.x * (1 + 0.1 * y.x)}


def thermostat(t: Any, y: Any, args: Any) -> dict[str, Any]:
    cold = y.room < args.low + 0.5 * jnp.sin(t)
    heat = jnp.where((t > args.wake) & cold, args.power, 0.6 * args.power)
    return {"room": heat - args.loss * y.room, "used": heat * y.room}


def steps_of_state(t: Any, y: Any, args: Any) -> dict[str, Any]:
    table = jnp.array([0.0, 1.0, 2.5, 2.0])
    knots = jnp.array([0.0, 0.6, 1.1, 3.0])
    return {
        "x": args.k * (3 - y.x) + 0.1 * jnp.floor(args.a * y.x),
        "z": table[jnp.searchsorted(knots, y.x)] + jnp.interp(y.x, knots, table) - args.k * y.z,
    }


def array_state(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {"u": jnp.where(y.u < args.level, args.k, 0.3 * args.k) * jnp.array([1.0, 2.0, 3.1])}


def kinks(t: Any, y: Any, args: Any) -> dict[str, Any]:
    drive = jnp.maximum(t - args.a, 0.0) * jnp.where(t < args.a, 2.0, 1.0)
    return {"x": drive - jnp.abs(y.x - args.b) + jnp.where(y.x > args.b, y.x - args.b, 0.0)}


def compartments(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {"gut": -args.ka * y.gut, "blood": args.ka * y.gut - args.ke * y.blood**1.5}


def clearance(t: Any, y: Any, args: Any) -> dict[str, Any]:
    rate = jnp.where(y.x > args.limit, args.fast, args.slow)
    return {"x": -rate * y.x}


def fall(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {"h": y.v, "v": -args.g + 0.0 * y.h}


BOUNCE = Event(
    lambda t, y, args: y.h <= 0.0,
    lambda t, y, args: {"h": 0.0 * y.h, "v": -args.e * y.v},
)


def bounced(p: Any, t: Any) -> dict[str, Any]:
    """One that falls from h0 = 1 and has bounced once."""
    tau = jnp.sqrt(2 * 1.0 / p["g"])
    up = p["e"] * p["g"] * tau
    later = t - tau
    first = {"h": 1.0 - 0.5 * p["g"] * t**2, "v": -p["g"] * t}
    second = {"h": up * later - 0.5 * p["g"] * later**2, "v": up - p["g"] * later}
    return {name: jnp.where(t < tau, first[name], second[name]) for name in first}


def growth(t: Any, y: Any, args: Any) -> dict[str, Any]:
    rate = jnp.where(y.harvests > 1.5, 0.5, 1.0)
    return {"n": args.r * rate * y.n * (1 - y.n / 10), "harvests": 0.0 * y.n, "late": -0.3 * y.late}


HARVEST = Event(
    lambda t, y, args: y.n > args.limit,
    lambda t, y, args: {"n": args.kept * y.n, "harvests": y.harvests + 1},
)
LATE = Event(
    lambda t, y, args: (y.harvests >= 2) & (t > 0.1),
    lambda t, y, args: {"late": y.n + t * args.r},
    delay=lambda t, y, args: args.wait + 0.05 * y.n,
    uses_trigger_values=True,
)
LATER = replace(LATE, uses_trigger_values=False)
ALARM = Event(
    lambda t, y, args: t >= args.alarm,
    lambda t, y, args: {"x": y.x + args.k * t},
    priority=lambda t, y, args: 1.0 + 0.0 * t,
)


CASES = {
    "time and state apart": Case(
        charge, {"by_time": 0.0, "by_state": 0.0},
        {"switch": 2.0, "level": 4.0, "fast": 3.0, "slow": 1.0}, (1.0, 3.0, 5.0), exact=charged,
    ),
    "periodic pulses": Case(
        pulses, {"x": 0.2}, {"lag": 0.3, "period": 1.7, "width": 0.45, "high": 2.0},
        (0.5, 1.9, 3.0, 6.0),
    ),
    "time and state at once": Case(
        thermostat, {"room": 2.0, "used": 0.0},
        {"low": 3.0, "wake": 0.4, "power": 4.0, "loss": 0.3}, (0.3, 1.3, 4.0, 9.0),
        # without sensitivities, steps go over where a state is compared, with errors of 1e-9
        steps=dict.fromkeys(("low", "wake", "power", "loss"), 2e-3),
    ),
    "steps and tables": Case(
        steps_of_state, {"x": 0.1, "z": 0.0}, {"k": 0.8, "a": 2.0}, (0.2, 0.8, 2.0),
        axes=("k", "a", "x"),
    ),
    "an array": Case(
        array_state, {"u": {"initial": [0.2, 0.2, 0.2], "dims": ["cell"]}},
        {"level": 1.5, "k": 1.0}, (0.4, 1.2, 2.5),
    ),
    "kinks": Case(kinks, {"x": 0.5}, {"a": 0.9, "b": 0.7}, (0.5, 1.4, 2.0)),
    "doses at given times": Case(
        compartments, {"gut": 0.0, "blood": 0.1}, {"ka": 1.2, "ke": 0.4, "dose": 2.0, "lag": 0.7},
        (0.5, 1.0, 2.2, 4.0),
        doses=(
            {"state": "gut", "amount": "dose", "time": "lag"},
            {"state": "gut", "amount": 1.0, "time": "lag", "every": 1.1, "count": 3},
        ),
    ),
    "a dose at the start": Case(
        compartments, {"gut": 0.0, "blood": 0.1}, {"ka": 1.2, "ke": 0.4, "dose": 2.0, "every": 1.3},
        (0.5, 1.0, 2.2, 4.0),
        doses=({"state": "blood", "amount": "dose", "time": 0, "every": "every", "count": 3},),
    ),
    "infusions": Case(
        compartments, {"gut": 0.0, "blood": 0.1},
        {"ka": 1.2, "ke": 0.4, "dose": 2.0, "begin": 0.2, "lasts": 0.9, "rate": 1.5},
        (0.1, 0.6, 1.0, 2.2, 4.0),
        doses=(
            {"state": "gut", "amount": "dose", "time": "begin", "duration": "lasts"},
            {"state": "blood", "amount": "dose", "time": 1.0, "rate": "rate"},
        ),
    ),
    "a parameter that is set": Case(
        compartments, {"gut": 1.0, "blood": 0.1}, {"ka": 1.2, "ke": 0.4, "when": 0.8, "new": 0.3},
        (0.5, 1.0, 2.2),
        doses=({"parameter": "ka", "value": "new", "time": "when"},
               {"parameter": "ke", "value": 0.1, "time": 1.5}),
    ),
    "a dose across a level": Case(
        clearance, {"x": 0.5}, {"limit": 1.0, "fast": 1.5, "slow": 0.2, "dose": 1.0, "when": 0.6},
        (0.5, 0.8, 1.5, 3.0), doses=({"state": "x", "amount": "dose", "time": "when"},),
    ),
    "a bounce": Case(
        fall, {"h": 1.0, "v": 0.0}, {"g": 9.81, "e": 0.8}, (0.2, 0.6, 1.0), events=(BOUNCE,),
        exact=bounced,
    ),
    "harvests": Case(
        growth, {"n": 1.0, "harvests": 0.0, "late": 1.0},
        {"r": 1.1, "limit": 4.0, "kept": 0.5, "wait": 0.6}, (1.0, 2.2, 3.0, 4.5, 6.0),
        events=(HARVEST, LATE), axes=("r", "limit", "kept", "wait", "n"),
    ),
    "harvests, values of when it happens": Case(
        growth, {"n": 1.0, "harvests": 0.0, "late": 1.0},
        {"r": 1.1, "limit": 4.0, "kept": 0.5, "wait": 0.6}, (2.2, 4.5, 6.0),
        events=(HARVEST, LATER), axes=("r", "limit", "kept", "wait", "n"),
    ),
    "an event by time": Case(
        lambda t, y, args: {"x": jnp.where(t < args.alarm, 1.0, -1.0) * y.x * args.k},
        {"x": 1.0}, {"alarm": 0.75, "k": 0.4}, (0.5, 1.0, 2.0), events=(ALARM,),
    ),
    "an event and a dose": Case(
        clearance, {"x": 1.5}, {"limit": 1.0, "fast": 1.5, "slow": 0.2, "dose": 1.0, "when": 0.6},
        (0.5, 0.8, 1.5, 3.0), doses=({"state": "x", "amount": "dose", "time": "when"},),
        events=(Event(lambda t, y, args: y.x > 1.8, lambda t, y, args: {"x": y.x - args.slow}),),
    ),
}  # fmt: skip
#: What every run of the tests solves.
OFTEN = {("time and state apart", "native", "tsit5")}


@pytest.mark.parametrize(("name", "engine", "method"), by_each_engine(CASES, OFTEN))
def test_sensitivities(name: str, engine: str, method: str, compiled: Path):
    case = CASES[name]
    axes = list(case.axes or case.parameters)
    at = {axes[0]: np.array([case.parameters[axes[0]]])}
    solution = case.solve(engine, axes, at, compiled, method=method)
    assert not has_failed(solution.status).any()
    for axis in axes:
        if case.exact is not None:
            point = {name: jnp.asarray(x, float) for name, x in case.parameters.items()}
            expected = jax.jacfwd(case.exact)(point, jnp.asarray(case.ts))
            expected = {state: by_axis[axis] for state, by_axis in expected.items()}
        else:
            expected, _ = differences(case, axis, compiled)
        for state, derivative in expected.items():
            label = case.label(axis)
            got = solution.values[f"d_{state}_d_{label}"][0]
            np.testing.assert_allclose(got, derivative, rtol=1e-6, atol=1e-6, err_msg=label)


ANTIMONY = """
x' = piecewise(a, x < low, b) * x - 0.1 * x^2; y' = piecewise(1, time < on, 0) - y * b
grown: at (x > top): x = kept * x + shift, y = y + x
late: at 0.3 + wait after (time > on): y = 2 * y + a
x = 1; y = 0; a = 1.2; b = 0.8; low = 1.7; top = 3; kept = 0.6; shift = 0.1; on = 0.9; wait = 0.2
"""


@pytest.mark.slow
@pytest.mark.parametrize("axis", ["top", "a", "low", "kept", "on", "wait", "x"])
def test_an_imported_model(axis: str):
    """SBML's piecewise and events, whose assignments and delays depend on parameters."""
    pytest.importorskip("antimony")
    from odeflow.importers.sbml.config import imported_model

    nominal = {"top": 3.0, "a": 1.2, "low": 1.7, "kept": 0.6, "on": 0.9, "wait": 0.2, "x": 1.0}
    shifts = np.array([-2, -1, 0, 1, 2]) * 2e-4
    data = {
        "name": "test",
        "model": imported_model({"antimony": ANTIMONY, "t1": 4.0}, Path()),
        "design": {"kind": "grid", "axes": {axis: {"values": (nominal[axis] + shifts).tolist()}}},
        "saveat": {"ts": [0.5, 1.0, 1.5, 2.5, 4.0], "sensitivities": [axis]},
        "solver": {"method": "dopri8", "rtol": 1e-12, "atol": 1e-13, "max_steps": 100_000},
    }
    result = odeflow.run(validate(data).in_study(Path()))
    label = "initial_x" if axis == "x" else axis
    for state in ("x", "y"):
        values = result[state].transpose(label, "time").values
        expected = np.tensordot(np.array([1, -8, 0, 8, -1]) / (12 * 2e-4), values, 1)
        got = result[f"d_{state}_d_{label}"].transpose(label, "time").values[2]
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "decides",
    [
        lambda y: jnp.sort(y)[0] + jnp.argsort(y)[0],
        lambda y: y[jnp.argmax(y)],
    ],
)
def test_what_cannot_be_followed_is_refused(decides: Callable[..., Any], compiled: Path):
    states = {"u": {"initial": [1.0, 2.0], "dims": ["cell"]}}
    case = Case(lambda t, y, args: {"u": -args.k * decides(y.u) * y.u}, states, {"k": 1.0}, (1.0,))
    with pytest.raises(ConfigError, match=r"test_sensitivity_switches.py:\d+ .* decides by compar"):
        case.solve("native", ["k"], {"k": np.ones(1)}, compiled)


def test_many_comparisons_are_refused(compiled: Path):
    states = {"u": {"initial": [0.1] * 300, "dims": ["cell"]}}
    field = lambda t, y, args: {"u": jnp.where(y.u > args.k, 0.0, 1.0)}
    case = Case(field, states, {"k": 1.0}, (1.0,))
    with pytest.raises(ConfigError, match="makes 300 comparisons"):
        case.solve("native", ["k"], {"k": np.ones(1)}, compiled)


def test_a_trigger_by_equality_is_refused(compiled: Path):
    event = Event(lambda t, y, args: y.x == args.k, lambda t, y, args: {"x": 0 * y.x})
    case = Case(lambda t, y, args: {"x": args.k}, {"x": 0.0}, {"k": 1.0}, (1.0,), events=(event,))
    with pytest.raises(ConfigError, match="tests whether numbers are equal"):
        case.solve("native", ["k"], {"k": np.ones(1)}, compiled)
