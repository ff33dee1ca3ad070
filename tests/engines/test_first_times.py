"""The metric that says when a threshold is first exceeded and a stop there: they agree."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.config.model import ModelConfig
from odeflow.problem.model import Model
from odeflow.problem.problem import Guard, Lanes
from odeflow.problem.reductions import Reducer, Reduction, nodes
from odeflow.problem.status import Status
from tests.engines.test_crossings import quartic_problem, quartics
from tests.engines.test_jumps import solve
from tests.support.problems import make_problem

END, LEVEL = 10.0, 0.5
METHODS = ("tsit5", "dopri5", "dopri8", "bosh3", "rodas5p")
CASES = [
    pytest.param(*case, marks=pytest.mark.slow)
    for engine, methods, tolerances in (
        ("native", METHODS, (1e-4, 1e-6, 1e-8)),
        ("diffrax", ("tsit5", "rodas5p"), (1e-6,)),
    )
    for method in methods
    for variable in ("x", "seen")
    for tolerance in tolerances
    for case in [(engine, method, variable, tolerance)]
]


def wave(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """The derivative of a sine of the time."""
    del y
    return {"x": args.size * args.rate * jnp.cos(args.rate * t + args.phase)}


def bent(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """An observable that is no polynomial where x is one, and 1/2 where x is."""
    del t, args
    return {"seen": jnp.exp(y.x - LEVEL) - 0.5}


def wave_model() -> Model:
    config = {
        "name": "wave",
        "vector_field": "tests:none",
        "t1": END,
        "states": {"x": {"initial": 0.0}},
        "parameters": {name: {"value": 1.0} for name in ("size", "rate", "phase")},
        "observables": "tests:none",
    }
    return Model(ModelConfig.model_validate(config).declaration(), wave, bent)


def waves(count: int) -> tuple[Lanes, np.ndarray, np.ndarray]:
    """Sines whose peaks exceed the level by 1e-5 to 1, so that many rise and fall again in one
    step; when they first do so, and how steeply.
    """
    rng = np.random.default_rng(12)
    size, rate = LEVEL + 10 ** rng.uniform(-5, 0, count), rng.uniform(0.3, 1.5, count)
    angle = np.arcsin(LEVEL / size)
    phase = rng.uniform(-np.pi, angle - 1e-3)
    start = (size * np.sin(phase))[None]
    slope = rate * np.sqrt(size**2 - LEVEL**2)
    return Lanes(start, np.stack([size, rate, phase])), (angle - phase) / rate, slope


def test_the_first_of_all_roots_in_a_step_counts():
    """Polynomials of degree six in one step: the first rising root, as numpy finds it."""
    rng = np.random.default_rng(5)
    roots = np.sort(rng.uniform(-0.5, 1.5, (1000, 6)), axis=1)
    apart = np.diff(roots, axis=1).min(axis=1) > 0.03
    value = lambda t: -np.prod(t - roots, axis=1)  # negative before all of them
    places = nodes("dopri8", False)
    reducer = Reducer({"": Reduction("x", "first_time_above", 0.0).measured})
    seen = [jnp.asarray(value(place)) for place in places]
    zero, one = jnp.zeros(1000), jnp.ones(1000)
    (told,) = reducer.update((jnp.full(1000, jnp.nan),), zero, one, seen)
    rising = np.where((roots > 0) & (roots < 1) & (np.arange(6) % 2 == 0), roots, np.inf)
    first = rising.min(axis=1)
    below = (value(0.0) < 0) & apart
    assert below.sum() > 100
    expected = np.where(np.isfinite(first), first, np.nan)
    np.testing.assert_allclose(np.asarray(told)[below], expected[below], atol=1e-10)


@pytest.mark.parametrize(("engine", "method", "variable", "tolerance"), CASES)
def test_a_metric_and_a_stop_find_the_same_first_time(
    engine: str, method: str, variable: str, tolerance: float, compiled: Path
):
    lanes, first, slope = waves(1000)
    known = {"method": method, "rtol": tolerance, "atol": tolerance, "max_steps": 100_000}
    problem = make_problem(wave_model(), np.linspace(0, END, 3), **known)
    metric = Reduction(variable, "first_time_above", LEVEL)
    level = Guard(lambda t, y, args: bent(t, y, args)["seen"] > LEVEL)
    if variable == "x":
        level = Guard(lambda t, y, args: y.x > LEVEL)
    times = solve(engine, compiled, replace(problem, reductions=(metric,)), lanes).reduced
    found = solve(engine, compiled, replace(problem, stops=(level,)), lanes)
    told = times[metric.name]
    stopped = found.status == Status.stopped_by_event
    # it is the same polynomial that they look at, of the same steps
    np.testing.assert_array_equal(np.isfinite(told), stopped)
    assert stopped.sum() > 850
    apart = slope * np.abs(told - found.time_reached)
    assert apart[stopped].max() < tolerance
    # how far both are from the wave itself is the method's error: of peaks well above the level
    sure = (slope > 0.3) & (first < END)
    assert sure.sum() > 200 and stopped[sure].all()
    np.testing.assert_allclose(told[sure], first[sure], atol=50 * tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["tsit5", "dopri8"])
def test_of_several_times_in_one_long_step_the_first_counts(method: str, compiled: Path):
    lanes, first = quartics(2000)
    problem = quartic_problem(method=method, dt0=0.7)
    metric = Reduction("x", "first_time_above", 0.0)
    problem = replace(problem, stops=(), reductions=(metric,))
    told = solve("native", compiled, problem, lanes).reduced[metric.name]
    below = (lanes.y0[0] < 0) & np.isfinite(first)
    off = ~(np.abs(told - first)[below] < 1e-4)
    assert below.sum() > 900 and off.sum() <= 2
