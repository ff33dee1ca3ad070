"""Crossings at which states are kept: closed forms, both engines, bounds of what is kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from odeflow.problem.problem import Guard, Lanes, Problem, SavedEvent, Solution
from tests.engines.test_jumps import solve
from tests.problem.test_reduction import OMEGA, PHASE, WAVES, wave
from tests.support.problems import make_problem

BOTH = pytest.mark.parametrize(
    "engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)]
)
UP = SavedEvent("up", "y", 0.2, 1, ("v", "square"), 9)
EACH = SavedEvent("each", "square", 0.25, 0, (), 2)


def watched(*events: SavedEvent, **settings: object) -> Problem:
    return replace(make_problem(wave(), rtol=1e-10, atol=1e-10, **settings), events=events)


def passages(level: float, omega: float, phase: float, both: bool) -> np.ndarray:
    """Times in (0.5, 2.5] at which sin(omega (t - 0.5) + phase) passes a level."""
    angles = [np.arcsin(level)] + ([np.pi - np.arcsin(level)] if both else [])
    turns = 2 * np.pi * np.arange(-2, 5)
    times = np.sort(0.5 + (np.concatenate([a + turns for a in angles]) - phase) / omega)
    return times[(times > 0.5) & (times <= 2.5)]


def kept(solution: Solution, event: SavedEvent, lane: int) -> np.ndarray:
    count = min(int(solution.event_counts[event.name][lane]), event.most)
    values = solution.events[event.name][lane]
    assert np.isnan(values[count:]).all()
    return values[:count]


@pytest.mark.slow
@BOTH
def test_a_wave_is_kept_where_it_rises(engine: str, compiled: Path):
    found = solve(engine, compiled, watched(UP, EACH), WAVES)
    for lane, (omega, phase) in enumerate(zip(OMEGA, PHASE)):
        times = passages(0.2, omega, phase, both=False)
        here = kept(found, UP, lane)
        np.testing.assert_allclose(here[:, 0], times, atol=1e-7)
        np.testing.assert_allclose(here[:, 1], np.sqrt(1 - 0.04), atol=1e-7)
        np.testing.assert_allclose(here[:, 2], 0.04, atol=1e-7)
        all_times = np.sort(
            np.concatenate([passages(x, omega, phase, both=True) for x in (0.5, -0.5)])
        )
        assert found.event_counts["each"][lane] == len(all_times)
        np.testing.assert_allclose(kept(found, EACH, lane)[:, 0], all_times[:2], atol=1e-6)
    # there are more than are kept of some
    assert found.event_counts["each"].max() > EACH.most


@pytest.mark.slow
@BOTH
def test_keeping_changes_nothing_else(engine: str, compiled: Path):
    ts = np.linspace(0.5, 2.5, 7)
    problem = make_problem(wave(), ts, rtol=1e-6, atol=1e-8)
    plain = solve(engine, compiled, problem, WAVES)
    found = solve(engine, compiled, replace(problem, events=(UP,)), WAVES)
    for name, values in plain.values.items():
        np.testing.assert_array_equal(found.values[name], values)
    np.testing.assert_array_equal(found.num_steps, plain.num_steps)


@pytest.mark.slow
def test_what_is_kept_does_not_depend_on_neighbours(compiled: Path):
    together = solve("native", compiled, watched(UP), WAVES)
    for lane in range(len(OMEGA)):
        alone = solve("native", compiled, watched(UP), WAVES.take(np.array([lane])))
        np.testing.assert_array_equal(alone.events["up"][0], together.events["up"][lane])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_nothing_is_kept_after_a_stop(engine: str, compiled: Path):
    # each wave stops where it first comes down to 0.9 after its crest
    stop = Guard(lambda t, y, args: (y.y < 0.9) & (y.v < 0))
    lanes = Lanes(WAVES.y0[:, [3]], WAVES.args[:, [3]])  # sin(3 (t - 0.5))
    top = SavedEvent("top", "y", 0.95, 0, ("y",), 9)
    found = solve(engine, compiled, replace(watched(top), stops=(stop,)), lanes)
    times = 0.5 + np.array([np.arcsin(0.95), np.pi - np.arcsin(0.95)]) / 3
    np.testing.assert_allclose(kept(found, top, 0)[:, 0], times, atol=1e-7)
