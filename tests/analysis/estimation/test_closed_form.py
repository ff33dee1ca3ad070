"""Scaling factors, offsets and noise that are solved for: the least objective, and its slopes."""

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import minimize

import odeflow
from odeflow.analysis.estimation.multistart import fit
from odeflow.analysis.estimation.objective import Objective
from odeflow.analysis.estimation.trust_region import Options
from tests.support.estimation_studies import objective
from tests.support.petab_text import make_problem

PARAMETERS = """
    parameterId | parameterScale | lowerBound | upperBound | nominalValue | estimate
    k           | log10          | 0.1        | 10         | 0.7          | 1
    start       | lin            | 1          | 4          | 2.5          | 1
    scale       | log10          | 0.01       | {high}     | 2            | 1
    offset      | lin            | -5         | 5          | 0.2          | 1
    gain        | lin            | 0          | 100        | 1            | 1
    sd          | log10          | 0.001      | 10         | 0.2          | 1
"""
OBSERVABLES = """
    observableId | observableFormula  | noiseFormula | noiseDistribution
    a            | scale * A + offset | {noise}      |
    b            | gain * (A + k)     | 0.3          |
"""
ROWS = [("a", "low", t) for t in (0.2, 0.7, 1.5, 3)] + [("a", "high", t) for t in (0, 0.5, 1, 2.5)]
ROWS += [("b", "high", t) for t in (0.1, 0.9, 2)]


def measured() -> str:
    rng = np.random.default_rng(0)
    lines = ["observableId | simulationConditionId | measurement | time"]
    for name, condition, t in ROWS:
        a = (1.5 if condition == "low" else 2.2) * np.exp(-0.6 * t)
        value = 3.0 * a + 0.4 if name == "a" else 1.7 * (a + 0.6)
        lines.append(f"{name} | {condition} | {value + 0.1 * rng.standard_normal()} | {t}")
    return "\n".join(lines)


def batches(folder, noise="sd", high="100") -> tuple[Objective, Objective]:
    """The objective with closed forms, and without."""
    table = PARAMETERS.format(high=high)
    if noise != "sd":
        table = "\n".join(line for line in table.splitlines() if " sd " not in line)
    make_problem(
        folder,
        parameters=table,
        observables=OBSERVABLES.format(noise=noise),
        measurements=measured(),
    )
    tight = ("solver.rtol=1e-11", "solver.atol=1e-13", "analyse=estimate")
    config = odeflow.compose("experiment=mine", *tight, study=folder)
    closed = objective(config)
    return closed, Objective(closed.simulation, closed_form=False)


def names(batch: Objective) -> list[str]:
    return sorted(batch.parameters.names[p] for p in batch.solved)


def theta(batch: Objective, **values: float) -> np.ndarray:
    known = {"k": -0.2, "start": 2.1, "scale": 0.0, "offset": 0.0, "gain": 1.0, "sd": -0.5}
    return np.array([[(known | values)[name] for name in batch.parameters.names]])


@pytest.mark.parametrize("noise, high", [("sd", "100"), ("0.2", "100"), ("sd", "1.5")])
def test_nothing_is_less_than_what_is_solved_for(tmp_path, noise, high):
    """With noise that is estimated, with noise that is known, and where a bound is in the way."""
    closed, whole = batches(tmp_path, noise, high)
    expected = ["gain", "offset", "scale", *(["sd"] if noise == "sd" else [])]
    assert names(closed) == expected
    start = theta(closed)
    found, settled = closed.settled(start)
    assert -whole.log_likelihood(settled)[0] == pytest.approx(found[0], rel=1e-10)
    free = closed.solved
    bounds = [(closed.parameters.lower[p], closed.parameters.upper[p]) for p in free]

    def at(x):
        point = start.copy()
        point[0, free] = x
        return -whole.log_likelihood(point)[0]

    other = minimize(at, settled[0, free] * 0.9, bounds=bounds, tol=1e-13)
    assert found[0] <= other.fun + 1e-7
    assert found[0] == pytest.approx(other.fun, abs=1e-4)


def test_slopes_are_those_of_the_least_objective(tmp_path):
    closed, _ = batches(tmp_path)
    start = theta(closed)
    _, settled = closed.settled(start)
    slopes = closed.slopes(settled)
    searched, h = np.flatnonzero(closed.searched), 1e-4
    steps = h * np.eye(len(start[0]))[searched]
    ends = closed.settled(np.concatenate([start + steps, start - steps]))[0]
    central = (ends[: len(steps)] - ends[len(steps) :]) / (2 * h)
    np.testing.assert_allclose(slopes.gradient[0, searched], central, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(slopes.gradient[0, closed.solved], 0.0, atol=1e-6)


def test_the_information_is_that_of_the_least_objective(tmp_path):
    """At a perfect fit the Hessian of the reduced objective is Schur's complement."""
    closed, whole = batches(tmp_path, noise="0.2")
    point = theta(closed, k=np.log10(0.6), start=2.2, scale=0.2, offset=0.3, gain=1.2)
    closed._measured[:] = whole._measured[:] = closed.simulation(point).values[0]
    for group in closed._groups:  # densities are of these
        group.values[:] = closed._measured[group.rows]
    fisher = closed.slopes(point).fisher[0]
    searched, h = [0, 1], 1e-3
    value = lambda d: closed.settled(point + d[None])[0][0]
    unit = np.eye(closed.parameters.size) * h
    for i in searched:
        for j in searched:
            a, b = unit[i], unit[j]
            second = (value(a + b) - value(a - b) - value(b - a) + value(-a - b)) / (4 * h**2)
            assert second == pytest.approx(fisher[i, j], rel=1e-3, abs=1e-3)


def test_fits_with_and_without_end_at_the_same_objective(tmp_path):
    closed, whole = batches(tmp_path)
    tight = Options(ftol=1e-12, gtol=1e-8)
    ends = [fit(one, 0, range(12), tight)["objective"].values.min() for one in (closed, whole)]
    assert ends[0] == pytest.approx(ends[1], abs=1e-6)


def test_starts_are_the_same_to_the_bit_in_any_company(tmp_path):
    for batch in batches(tmp_path):
        whole = fit(batch, 0, range(7), Options(max_iterations=30))
        for numbers in ([2], [6, 3], [1, 2, 3, 4]):
            part = fit(batch, 0, numbers, Options(max_iterations=30))
            xr.testing.assert_identical(part, whole.isel(start=numbers))


def test_a_factor_of_a_sum_and_what_is_in_the_sum_are_not_both_linear(tmp_path):
    text = "a | scale * (A + offset) | 0.2 |"
    make_problem(
        tmp_path,
        parameters=PARAMETERS.format(high="100"),
        observables=OBSERVABLES.replace("a            | scale * A + offset | {noise}      |", text)
        + "c | sd * A | 0.2 |\n",
        measurements=measured(),
    )
    config = odeflow.compose("experiment=mine", "analyse=estimate", study=tmp_path)
    assert names(objective(config)) == ["gain", "scale"]
