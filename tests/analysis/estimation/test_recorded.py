"""Estimation from DV of a data set of NONMEM's layout: against closed forms and differences."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import least_squares

import odeflow
from odeflow.analysis.estimation.multistart import fit
from odeflow.analysis.estimation.trust_region import Options
from odeflow.config.root import Config
from odeflow.importers.estimation import read_problem
from odeflow.workflow.estimation import fit_digest
from tests.analysis.estimation.test_gradients import central
from tests.ensemble.test_dosing_situations import study as linear_study
from tests.support.estimation_studies import objective

MODEL = """
def field(t, y, args):
    return {"x": -args.k * args.wt / 70 * y.x}


def observables(t, y, args):
    return {"c": y.x / 2}
"""
YAML = """
name: one
vector_field: models.py:field
observables: {function: "models.py:observables", variables: {c: {}}}
t1: 10
states: {x: {initial: 0}}
parameters: {k: {value: 0.3}, f1: {value: 1}, lag: {value: 0.5}, wt: {value: 70}}
compartments: {x: {bioavailability: f1, lag: lag}}
"""
EXPERIMENT = """
# @package _global_
defaults:
  - override /model: one
  - override /design: nonmem
  - override /analyse: estimate
  - override /solver: tsit5
name: fitted
design: {nonmem: {file: d.csv, covariates: {wt: WT}, observed: {1: x, 2: c}}}
solver: {rtol: 1e-10, atol: 1e-12}
analyse:
  estimate:
    parameters:
      k: {bounds: [0.01, 3]}
      f1: {bounds: [0.1, 1.5], scale: lin}
      lag: {bounds: [0.1, 0.9]}
      s: {bounds: [0.01, 1]}
      a: {bounds: [0.01, 1]}
    noise: {x: {proportional: s, additive: a}, c: 0.3}
    closed_form: false
"""
#: Subjects: weight, and time and amount of their doses.
SUBJECTS = [(60.0, [(0.0, 10.0)]), (80.0, [(0.0, 5.0), (4.0, 8.0)]), (95.0, [(1.0, 12.0)])]
TIMES = (1.7, 3.1, 5.3, 9.6)


def curve(subject: int, t: np.ndarray, k: float, f1: float, lag: float) -> np.ndarray:
    """The amount in the compartment by its closed form."""
    weight, doses = SUBJECTS[subject]
    given = ((t - time - lag, amount) for time, amount in doses)
    return sum(np.where(u >= 0, f1 * a * np.exp(-k * weight / 70 * u), 0.0) for u, a in given)


def study(folder: Path) -> Path:
    """Three subjects, of which both the amount and the concentration are measured."""
    rng = np.random.default_rng(3)
    lines = ["ID,TIME,EVID,AMT,DVID,MDV,DV,WT"]
    for number, (weight, doses) in enumerate(SUBJECTS):
        x = curve(number, np.array(TIMES), 0.3, 0.8, 0.5)
        rows = [(time, f"1,{amount},.,1,.") for time, amount in doses]
        rows += [(t, f"0,.,1,0,{v + 0.1 * rng.normal()}") for t, v in zip(TIMES, x)]
        rows += [(t, f"0,.,2,0,{v / 2 + 0.1 * rng.normal()}") for t, v in zip(TIMES, x)]
        rows += [(9.9, "0,.,1,1,77"), (9.95, "2,.,1,0,88")]
        lines += [f"{number + 4},{time},{rest},{weight}" for time, rest in sorted(rows)]
    for name, text in {
        "models.py": MODEL, "config/model/one.yaml": YAML, "d.csv": "\n".join(lines),
        "config/experiment/fitted.yaml": EXPERIMENT,
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def composed(folder: Path, *more: str) -> Config:
    return odeflow.compose("experiment=fitted", *more, study=folder)


def residuals(config: Config, theta: np.ndarray) -> np.ndarray:
    """By the closed form: what the objective is the half sum of squares of, but for a constant."""
    k, f1, lag, s, a = 10 ** theta[0], theta[1], *(10 ** theta[2:])
    _, measured = read_problem(config, config.study)
    found = []
    for group in measured.groups:
        x = curve(group.condition, group.times, k, f1, lag)
        value, noise = (x, np.hypot(a, s * x)) if group.variable == "x" else (x / 2, 0.3)
        noise = np.broadcast_to(noise, value.shape)
        found += [(group.values - value) / noise, np.sqrt(2 * np.log(noise / 0.005))]
    return np.concatenate(found)


THETA = np.array([np.log10(0.25), 0.7, np.log10(0.45), np.log10(0.15), np.log10(0.2)])


@pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_the_gradient_is_that_of_the_closed_form(tmp_path: Path, engine: str) -> None:
    """Of clearance by weight, bioavailability, lag and two parts of the noise."""
    config = composed(study(tmp_path), f"runtime.engine={engine}")
    _, measured = read_problem(config, tmp_path)
    assert measured.number == 24 and measured.conditions == ["ID_4", "ID_5", "ID_6"]
    found = objective(config).slopes(THETA[None]).gradient[0]
    half = lambda theta: 0.5 * (residuals(config, theta) ** 2).sum()
    step = 1e-4 * np.eye(5)
    slope = lambda h: np.array([half(THETA + h * e) - half(THETA - h * e) for e in step])
    expected = (8 * slope(1.0) - slope(2.0)) / (12 * 1e-4)
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_digests_know_what_is_fitted(tmp_path: Path) -> None:
    """A changed DV fits again, and a column that nothing reads does not."""
    first = fit_digest(composed(study(tmp_path)), tmp_path)
    text = (tmp_path / "d.csv").read_text()
    lines = text.splitlines()
    (tmp_path / "d.csv").write_text("\n".join([lines[0] + ",AGE", *(f"{x},4" for x in lines[1:])]))
    assert fit_digest(composed(tmp_path), tmp_path) == first
    (tmp_path / "d.csv").write_text(text.replace(",77,", ",78,"))  # MDV takes it out
    assert fit_digest(composed(tmp_path), tmp_path) == first
    values = [line.split(",") for line in lines]
    row = next(i for i, cells in enumerate(values) if cells[2] == "0")
    values[row][6] = "1.25"
    (tmp_path / "d.csv").write_text("\n".join(map(",".join, values)))
    assert fit_digest(composed(tmp_path), tmp_path) != first


@pytest.mark.slow
def test_no_fit_is_worse_than_scipy_s(tmp_path: Path) -> None:
    config = composed(study(tmp_path))
    batch = objective(config)
    found = fit(batch, 0, range(4), Options())
    bounds = (batch.parameters.lower, batch.parameters.upper)
    scipy = least_squares(lambda x: residuals(config, x), THETA, bounds=bounds, xtol=1e-12)
    constant = batch.measured.size * np.log(0.005 * np.sqrt(2 * np.pi))
    assert found["objective"].values.min() == pytest.approx(scipy.cost + constant, abs=1e-6)


@pytest.mark.slow
def test_gradients_with_steady_states_and_additional_doses(tmp_path: Path) -> None:
    folder, rng = linear_study(tmp_path, "x"), np.random.default_rng(0)
    lines = ["ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,SS,DV"]
    for one in range(1, 5):
        rate = -2 if one == 2 else 0
        lines.append(f"{one},0,1,{50 + 10 * one},1,{rate},12,2,{one % 2},.")
        lines += [f"{one},{t},0,.,2,.,.,.,.,{1 + rng.random()}" for t in (0.3, 1.1, 2.7, 9.4, 14.6)]
    (folder / "data.csv").write_text("\n".join(lines))
    names = ("cl", "v", "ka", "f1", "tlag", "d1", "s")
    known = ", ".join(f"{name}: {{bounds: [0.01, 100]}}" for name in names)
    config = odeflow.compose(
        "experiment=recorded", "analyse=estimate", "design=nonmem",
        "design.nonmem={file: data.csv, observed: concentration}",
        f"analyse.estimate.parameters={{{known}}}",
        "analyse.estimate.noise={concentration: {proportional: s, additive: 0.2}}", study=folder,
    )  # fmt: skip
    batch = objective(config)
    theta = np.log10([[3.3, 25, 1.4, 0.8, 0.4, 2.1, 0.3]])
    found = batch.slopes(theta).gradient[0]
    np.testing.assert_allclose(found, central(batch, theta, 1e-3), rtol=1e-6, atol=1e-6)
