"""Triggers that ask whether numbers are equal: they are so where one passes the other."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from odeflow.problem.model import Event
from odeflow.problem.problem import Lanes
from odeflow.problem.status import Status
from tests.engines.test_jumps import solve
from tests.support.problems import make_model, make_problem

SLOW = pytest.mark.slow
METHODS = pytest.mark.parametrize(
    ("engine", "method"),
    [
        ("native", "tsit5"),
        pytest.param("native", "dopri8", marks=SLOW),
        pytest.param("native", "rodas5p", marks=SLOW),
        *(
            pytest.param("diffrax", method, marks=SLOW)
            for method in ("tsit5", "dopri5", "dopri8", "kvaerno5", "rodas5p")
        ),
    ],
)


def moves(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {"x": args.rate, "u": y.v, "v": -y.u, "teeth": 0.0 * t, "met": 0.0 * t, "left": 0.0 * t}


#: x falls back to 0 where it is 3, u = sin(t) is counted at one half, both ways.
TEETH = Event(lambda t, y, args: y.x == 3, lambda t, y, args: {"x": 0 * y.x, "teeth": y.teeth + 1})
MET = Event(lambda t, y, args: (y.u == 0.5) & (t > 1), lambda t, y, args: {"met": y.met + 1})
LEFT = Event(lambda t, y, args: y.u != 0.5, lambda t, y, args: {"left": y.left + 1})


@pytest.mark.slow
@METHODS
def test_they_fire_where_one_passes_the_other(engine: str, method: str, compiled: Path):
    states = {"x": 0.0, "u": 0.0, "v": 1.0, "teeth": 0.0, "met": 0.0, "left": 0.0}
    model = replace(make_model(moves, states, 20.0, rate=1.0), events=(TEETH, MET, LEFT))
    ts = np.linspace(0, 20, 41)
    problem = make_problem(model, ts, method=method, rtol=1e-9, atol=1e-9)
    rates = 0.7 + 0.0503 * np.arange(25)
    y0 = np.repeat(np.array([[0.0], [0.0], [1.0], [0.0], [0.0], [0.0]]), 25, axis=1)
    found = solve(engine, compiled, problem, Lanes(y0, rates[None]))
    np.testing.assert_array_equal(found.status, Status.success)
    np.testing.assert_array_equal(found.values["teeth"][:, -1], np.floor(20 * rates / 3))
    np.testing.assert_allclose(found.values["x"], (ts * rates[:, None]) % 3, atol=1e-6)
    times = np.arcsin(0.5) + 2 * np.pi * np.arange(4)
    times = np.sort(np.concatenate([times, np.pi - 2 * np.arcsin(0.5) + times]))
    passed = (ts[:, None] >= times[None]).sum(axis=1)
    np.testing.assert_array_equal(found.values["left"], np.tile(passed, (25, 1)))
    np.testing.assert_array_equal(found.values["met"], np.tile(np.maximum(passed - 1, 0), (25, 1)))
