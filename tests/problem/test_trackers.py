"""Measures that follow a variable between its saved times: closed forms, NumPy, both engines."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.problem.measures import (
    CountedCrossings,
    CountedPeaks,
    LogSlope,
    Measure,
    MeasuredPart,
    TimeBeyond,
    ValueAt,
    WindowIntegral,
)
from odeflow.problem.problem import Lanes, Problem, Solution
from odeflow.problem.reductions import Reducer, Reduction, nodes
from odeflow.problem.status import Status
from tests.engines.test_jumps import solve
from tests.problem.test_reduction import OMEGA, PHASE, WAVES, wave
from tests.support.problems import make_model, make_problem

#: Every measure of a wave of [0.5, 2.5], with the outputs that are looked at.
MEASURES: dict[Measure, tuple[str, ...]] = {
    CountedCrossings(0.2, 1, 2): ("number", "first", "last", "interval", "time_2"),
    CountedCrossings(-0.1, 0, 0, 0.7, 2.4): ("number", "first", "last", "frequency"),
    CountedPeaks(0.05, 0.0, 2): ("number", "time_1", "height_1", "interval"),
    TimeBeyond(0.3, 1): ("duration",),
    TimeBeyond(0.3, -1, 0.9, 2.0): ("duration",),
    WindowIntegral(0.8, 2.0): ("integral",),
    ValueAt(1.7): ("value",),
    ValueAt(2.5): ("value",),
}


def reductions(variable: str, measures: dict[Measure, tuple[str, ...]]) -> tuple[Reduction, ...]:
    """All outputs of measures, under numbered names."""
    return tuple(
        Reduction(variable, f"{number}_{output}", None, MeasuredPart(measure, output))
        for number, (measure, outputs) in enumerate(measures.items())
        for output in outputs
    )


def tracked(
    curve: Callable[[Any], Any], ends: np.ndarray, measure: Measure, method: str = "tsit5"
) -> dict[str, np.ndarray]:
    """The outputs of a measure of a function of time, seen at the nodes of steps."""
    names = {
        CountedCrossings: ("number", "first", "last", "interval", "frequency", "time_1"),
        CountedPeaks: ("number", "time_1", "height_1", "interval", "frequency"),
        TimeBeyond: ("duration",),
        WindowIntegral: ("integral",),
        ValueAt: ("value",),
        LogSlope: ("slope", "half_life"),
    }[type(measure)]
    reducer = Reducer({name: MeasuredPart(measure, name) for name in names})
    kept = reducer.start(jnp.asarray(ends[0]), jnp.asarray(curve(ends[0])))
    update = jax.jit(reducer.update)
    for t, h in zip(ends, np.diff(ends)):
        values = [jnp.asarray(curve(t + h * node)) for node in nodes(method, False)]
        kept = update(kept, jnp.asarray(t), jnp.asarray(h), values)
    return reducer.finish([np.asarray(x) for x in kept], ends[-1] - ends[0])


@pytest.mark.slow
@pytest.mark.parametrize("direction", [1, -1, 0])
def test_all_roots_of_a_polynomial_in_one_step_count(direction: int):
    rng = np.random.default_rng(5)
    roots = np.sort(rng.uniform(-0.5, 1.5, (2000, 6)), axis=1)
    apart = np.diff(roots, axis=1).min(axis=1) > 0.03
    value = lambda t: -np.prod(t - roots, axis=1)  # negative before all of them
    inside = (roots > 0) & (roots < 1)
    even = np.arange(6) % 2 == 0
    wanted = inside & {1: even, -1: ~even, 0: even | ~even}[direction]
    found = tracked(value, np.array([0.0, 1.0]), CountedCrossings(0.0, direction), "dopri8")
    np.testing.assert_array_equal(found["number"][apart], wanted.sum(axis=1)[apart])
    first = np.where(wanted, roots, np.inf).min(axis=1)
    last = np.where(wanted, roots, -np.inf).max(axis=1)
    some = apart & wanted.any(axis=1)
    assert some.sum() > 300
    np.testing.assert_allclose(found["first"][some], first[some], atol=1e-9)
    np.testing.assert_allclose(found["last"][some], last[some], atol=1e-9)
    assert np.isnan(found["first"][apart & ~wanted.any(axis=1)]).all()


@pytest.mark.slow
def test_a_crossing_at_the_end_of_a_step_counts_once():
    ends = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    found = tracked(lambda t: np.asarray(1.0 - np.abs(t - 2.0)), ends, CountedCrossings(0.0, 0))
    # above from 1 to 3, where it is zero at ends of steps
    assert (found["number"], found["first"], found["last"]) == (2.0, 1.0, 3.0)
    flat = tracked(lambda t: np.asarray(0.0 * t), ends, CountedCrossings(0.0, 0))
    assert flat["number"] == 0 and np.isnan(flat["interval"])


@pytest.mark.slow
def test_a_peak_needs_its_prominence():
    # a wave of 0.1 on one of 1: the small peaks count only where less is asked for
    curve = lambda t: np.asarray(np.sin(t) + 0.1 * np.sin(9 * t))
    ends = np.linspace(0.0, 12.0, 400)
    grid = np.linspace(0.0, 12.0, 200_001)
    seen = curve(grid)
    inner = (seen[1:-1] > seen[:-2]) & (seen[1:-1] > seen[2:])
    all_of_them = tracked(curve, ends, CountedPeaks(1e-9))
    assert all_of_them["number"] == inner.sum() > 8
    large = tracked(curve, ends, CountedPeaks(0.5))
    assert large["number"] == 2
    top = np.argmax(np.where(grid < 5, seen, -9))
    np.testing.assert_allclose(large["time_1"], grid[top], atol=1e-4)
    np.testing.assert_allclose(large["height_1"], seen[top], atol=1e-6)
    noise = lambda t: np.asarray(1.0 + 1e-9 * np.sin(1e4 * t))
    assert tracked(noise, ends, CountedPeaks(1e-8))["number"] == 0


def test_windows_of_an_exponential():
    ends = np.array([0.0, 0.3, 0.7, 1.2, 1.8, 2.5])
    curve = lambda t: np.asarray(3 * np.exp(-0.7 * t))
    window = tracked(curve, ends, WindowIntegral(0.5, 2.0))
    exact = 3 / 0.7 * (np.exp(-0.35) - np.exp(-1.4))
    np.testing.assert_allclose(window["integral"], exact, rtol=1e-6)
    slope = tracked(curve, ends, LogSlope(0.5, 2.0))
    np.testing.assert_allclose(slope["slope"], -0.7, rtol=1e-5)
    np.testing.assert_allclose(slope["half_life"], np.log(2) / 0.7, rtol=1e-5)
    value = tracked(curve, ends, ValueAt(0.7))
    np.testing.assert_allclose(value["value"], curve(0.7), rtol=1e-12)
    negative = tracked(lambda t: np.asarray(-1.0 + 0 * t), ends, LogSlope(0.5))
    assert np.isnan(negative["slope"]) and np.isnan(negative["half_life"])


def plain_peaks(t: np.ndarray, y: np.ndarray, prominence: float) -> np.ndarray:
    """Times of what rises by more than the prominence, and falls by it."""
    found, rises, extreme = [], False, 0
    for i in range(len(y)):
        further = y[i] > y[extreme] if rises else y[i] < y[extreme]
        back = (y[extreme] - y[i] if rises else y[i] - y[extreme]) > prominence
        if back and rises:
            found.append(t[extreme])
        rises, extreme = rises != back, i if further or back else extreme
    return np.array(found)


def expected_of_waves() -> dict[str, np.ndarray]:
    """The outputs of `MEASURES` of sin(omega (t - 0.5) + phase), on a fine grid."""
    t = np.linspace(0.5, 2.5, 400_001)
    y = np.sin(OMEGA[:, None] * (t - 0.5) + PHASE[:, None])
    found: dict[str, np.ndarray] = {}

    def put(place: int, **values: Any) -> None:
        found.update({f"y_{place}_{name}": np.array(x, float) for name, x in values.items()})

    def crossings(level: float, both: bool, low: float = -9, high: float = 9) -> list[np.ndarray]:
        above = y > level
        change = above[:, 1:] != above[:, :-1] if both else above[:, 1:] & ~above[:, :-1]
        times = [t[1:][row] for row in change]
        return [x[(x >= low) & (x <= high)] for x in times]

    nth = lambda lists, k: [x[k] if -len(x) <= k < len(x) else np.nan for x in lists]
    spacing = lambda lists: [np.diff(x).mean() if len(x) > 1 else np.nan for x in lists]
    up = crossings(0.2, False)
    put(0, number=[*map(len, up)], first=nth(up, 0), last=nth(up, -1), interval=spacing(up),
        time_2=nth(up, 1))  # fmt: skip
    both = crossings(-0.1, True, 0.7, 2.4)
    put(1, number=[*map(len, both)], first=nth(both, 0), last=nth(both, -1),
        frequency=1 / np.array(spacing(both)))  # fmt: skip
    peaks = [plain_peaks(t[::20], row[::20], 0.05) for row in y]
    first = np.array(nth(peaks, 0))
    put(2, number=[*map(len, peaks)], time_1=first, height_1=np.where(np.isnan(first), np.nan, 1),
        interval=spacing(peaks))  # fmt: skip
    put(3, duration=2.0 * (y > 0.3).mean(axis=1))
    inside = (t > 0.9) & (t < 2.0)
    put(4, duration=1.1 * (y[:, inside] < 0.3).mean(axis=1))
    angle = lambda t: OMEGA * (t - 0.5) + PHASE
    put(5, integral=(np.cos(angle(0.8)) - np.cos(angle(2.0))) / OMEGA)
    put(6, value=np.sin(angle(1.7)))
    put(7, value=np.sin(angle(2.5)))
    return found


def compare(solution: Solution, expected: dict[str, np.ndarray], atol: float) -> None:
    assert solution.reduced.keys() == expected.keys()
    for name, value in expected.items():
        tight = 0 if name.endswith("number") else atol
        np.testing.assert_allclose(solution.reduced[name], value, atol=tight, err_msg=name)


@pytest.mark.parametrize(
    ("engine", "method"),
    [
        ("native", "tsit5"),
        pytest.param("native", "dopri8", marks=pytest.mark.slow),
        pytest.param("native", "rodas5p", marks=pytest.mark.slow),
        pytest.param("diffrax", "tsit5", marks=pytest.mark.slow),
        pytest.param("diffrax", "kvaerno5", marks=pytest.mark.slow),
    ],
)
def test_a_wave(engine: str, method: str, compiled: Path):
    problem = make_problem(wave(), method=method, rtol=1e-9, atol=1e-9)
    problem = replace(problem, reductions=reductions("y", MEASURES))
    # the grid of what is expected is as fine as this
    compare(solve(engine, compiled, problem, WAVES), expected_of_waves(), 1e-4)


@pytest.mark.slow
def test_both_engines_say_the_same_of_states_and_observables(compiled: Path):
    for variable in ("y", "square"):
        problem: Problem = replace(
            make_problem(wave(), rtol=1e-9, atol=1e-9), reductions=reductions(variable, MEASURES)
        )
        native, reference = (solve(e, compiled, problem, WAVES) for e in ("native", "diffrax"))
        for name, values in native.reduced.items():
            np.testing.assert_allclose(
                values, reference.reduced[name], rtol=1e-7, atol=1e-8, err_msg=name
            )


@pytest.mark.slow
def test_metrics_do_not_depend_on_neighbours(compiled: Path):
    problem = replace(
        make_problem(wave(), rtol=1e-6, atol=1e-8), reductions=reductions("y", MEASURES)
    )
    together = solve("native", compiled, problem, WAVES)
    for i in range(len(OMEGA)):
        alone = solve("native", compiled, problem, WAVES.take(np.array([i])))
        for name, values in together.reduced.items():
            np.testing.assert_array_equal(alone.reduced[name][0], values[i], err_msg=name)


def blow_up(t: Any, y: Any, args: Any) -> dict[str, Any]:
    del t
    return {"y": args.k * y.y**2}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_a_lane_that_fails_has_none(engine: str, compiled: Path):
    measures: dict[Measure, tuple[str, ...]] = {
        CountedCrossings(1.1, 1): ("number", "first"),
        TimeBeyond(1.1, 1): ("duration",),
    }
    problem = replace(
        make_problem(make_model(blow_up, {"y": 1.0}, 2.0, k=0.1), rtol=1e-8, atol=1e-8),
        reductions=reductions("y", measures),
    )
    k = np.array([0.1, 1.0, 0.2])
    solution = solve(engine, compiled, problem, Lanes(np.ones((1, 3)), k[None]))
    assert (solution.status == Status.success).tolist() == [True, False, True]
    first = (1 - 1 / 1.1) / k[::2]  # y = 1 / (1 - k t)
    for name, value in (("0_number", 1.0), ("0_first", first), ("1_duration", 2 - first)):
        np.testing.assert_allclose(solution.reduced[f"y_{name}"][::2], value, rtol=1e-6)
        assert np.isnan(solution.reduced[f"y_{name}"][1])
