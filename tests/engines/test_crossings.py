"""First crossings inside of steps by both engines, against closed forms."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from odeflow.problem.lobatto import bernstein, lobatto
from odeflow.problem.model import Event
from odeflow.problem.problem import Guard, Lanes, Problem
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
        pytest.param("diffrax", "tsit5", marks=SLOW),
        pytest.param("diffrax", "dopri8", marks=SLOW),
        pytest.param("diffrax", "rodas5p", marks=SLOW),
    ],
)


def test_nodes_and_bernstein_coefficients():
    nodes = lobatto(5)
    np.testing.assert_allclose(
        nodes, 0.5 + 0.5 * np.array([-1, -np.sqrt(3 / 7), 0, np.sqrt(3 / 7), 1])
    )
    # x^2 in the basis of degree 4 has the coefficients i (i - 1) / 12
    np.testing.assert_allclose(bernstein(nodes) @ nodes**2, [0, 0, 1 / 6, 1 / 2, 1], atol=1e-14)


def quartic(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """The derivative of a polynomial of degree four of these coefficients."""
    del y
    return {"x": args.a + t * (2 * args.b + t * (3 * args.c + t * 4 * args.d))}


def quartics(size: int) -> tuple[Lanes, np.ndarray]:
    """Polynomials with roots near to and far from each other, and the first crossing from below
    after 0 and before 10, infinite where there is none.
    """
    rng = np.random.default_rng(7)
    roots = rng.uniform(-2, 12, (size, 4))
    close = rng.uniform(size=size) < 0.5
    gaps = 10 ** rng.uniform(-4, 0, size)
    roots[close, 1] = roots[close, 0] + gaps[close]
    sign = np.where(rng.uniform(size=size) < 0.5, 1.0, -1.0)
    coefficients = np.stack([s * np.poly(r) for s, r in zip(sign, roots)])[:, ::-1]
    first = np.full(size, np.inf)
    for i, row in enumerate(np.sort(roots, axis=1)):
        slope = sign[i] * np.array([np.prod(r - np.delete(row, k)) for k, r in enumerate(row)])
        rising = row[(slope > 0) & (row > 0) & (row < 10)]
        first[i] = rising.min(initial=np.inf)
    return Lanes(coefficients[:, 0][None].copy(), coefficients[:, 1:].T.copy()), first


def quartic_problem(**solver: Any) -> Problem:
    model = make_model(quartic, {"x": 0.0}, 10.0, a=0.0, b=0.0, c=0.0, d=0.0)
    problem = make_problem(model, np.linspace(0, 10, 41), **{"rtol": 1e-6, "atol": 1e-6} | solver)
    return replace(problem, stops=(Guard(lambda t, y, args: y.x > 0.0),))


@METHODS
def test_polynomials_stop_at_their_first_root(engine: str, method: str, tmp_path: Path):
    lanes, first = quartics(2000 if engine == "native" else 300)
    found = solve(engine, tmp_path, quartic_problem(method=method, dt0=0.7), lanes)
    np.testing.assert_array_equal(found.status == Status.stopped_by_event, np.isfinite(first))
    reached = np.isfinite(first)
    np.testing.assert_allclose(found.time_reached[reached], first[reached], rtol=1e-7, atol=1e-7)
    # steps are long: that many crossings are several in one
    assert np.median(found.num_steps[reached]) < 12
    # nothing beyond a stop is kept
    ts = np.linspace(0, 10, 41)
    late = ts > found.time_reached[:, None]
    np.testing.assert_array_equal(np.isnan(found.values["x"]), late)


def rising(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """A straight line: it crosses where it should, but for rounding."""
    del t, y
    return {"x": args.slope}


@pytest.mark.slow
@METHODS
def test_what_is_saved_at_a_crossing_does_not_hang_on_rounding(
    engine: str, method: str, tmp_path: Path
):
    """A stop's value is kept at its time, an event's is that after it, to the last few bits."""
    slopes = np.linspace(0.7, 1.3, 61)
    lanes = Lanes(np.zeros((1, 61)), slopes[None])
    ts = np.linspace(0, 2, 21)
    model = make_model(rising, {"x": 0.0}, 2.0, slope=1.0)
    for where in (0.3, 0.7, 1.1) if engine == "native" else (0.7,):
        # of each lane the crossing is at a saved time
        level = lambda t, y, args, where=where: y.x - where * args.slope > 0.0
        problem = make_problem(model, ts, method=method, dt0=0.17)
        stopped = solve(engine, tmp_path, replace(problem, stops=(Guard(level),)), lanes)
        np.testing.assert_array_equal(stopped.status, Status.stopped_by_event)
        kept = ts < where + 0.05
        assert np.isfinite(stopped.values["x"][:, kept]).all()
        assert np.isnan(stopped.values["x"][:, ~kept]).all()
        event = Event(level, lambda t, y, args: {"x": y.x + 10.0})
        jumped = replace(problem, model=replace(model, events=(event,)))
        found = solve(engine, tmp_path, jumped, lanes)
        expected = slopes[:, None] * ts + np.where(ts > where - 0.05, 10.0, 0.0)
        np.testing.assert_allclose(found.values["x"], expected, rtol=1e-12)
