"""Doses and stops of a config: what they mean, what is refused, and what ends in the dataset."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import odeflow
from odeflow.design import rows
from odeflow.ensemble import build
from odeflow.ensemble.build import make_lanes
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model
from odeflow.problem.status import Status
from odeflow.problem.transforms.doses import with_doses
from odeflow.workflow.chunks import solve_digest

EXPERIMENT = """# @package _global_
defaults:
  - override /model: pk_one_compartment
  - override /design: table
  - override /solver: tsit5
name: dosed
model: {states: {gut: {initial: 0.0}}}
design: {path: subjects.csv}
"""
ENGINES = pytest.mark.parametrize(
    "engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)]
)
INFUSED = "- {state: central, amount: infused, duration: 2.5, times: [0, 6], every: 24, count: 2}"


def study(folder: Path, doses: str, **columns: Any) -> Path:
    """A study of a table of subjects and their doses."""
    path = folder / "config" / "experiment" / "dosed.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(EXPERIMENT + "doses:\n" + "\n".join("  " + d for d in doses.splitlines()))
    table = np.stack(list(columns.values()), axis=1)
    np.savetxt(folder / "subjects.csv", table, "%.17g", ",", header=",".join(columns), comments="")
    return folder


def compose(folder: Path, *overrides: str) -> Any:
    return odeflow.compose("experiment=dosed", *overrides, study=folder)


def bateman(t: np.ndarray, ka: Any, ke: Any) -> tuple[np.ndarray, np.ndarray]:
    """Gut and central amount a time t after a unit dose into the gut; zero before it."""
    given, t = t >= 0, np.maximum(t, 0)
    gut = np.where(given, np.exp(-ka * t), 0.0)
    return gut, np.where(given, ka / (ka - ke) * (np.exp(-ke * t) - np.exp(-ka * t)), 0.0)


@pytest.mark.parametrize("overrides", [["solver.dtmax=0.5"], ["solver=rodas5p"]])
def test_ten_thousand_subjects_with_doses_and_times_from_a_table(
    overrides: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Multiple doses against the closed form, at every saved time, also right after each dose.

    The times of doses are among those to save, where the values are those after the dose. Without
    a longest step tsit5 is at the edge of its stability where next to nothing is left in the gut.
    """
    size, rng = 10_000, np.random.default_rng(0)
    columns = {
        "ka": rng.lognormal(0.0, 0.4, size),
        "cl": rng.lognormal(np.log(5), 0.3, size),
        "v": rng.lognormal(np.log(50), 0.2, size),
    }
    # the closed form divides by ka - cl / v
    columns["ka"] += np.where(np.abs(columns["ka"] - columns["cl"] / columns["v"]) < 0.05, 0.2, 0)
    doses = np.where(rng.uniform(size=(4, size)) < 0.2, 0.0, rng.uniform(20, 200, (4, size)))
    times = 12.0 * np.arange(4)[:, None] + 0.5 * rng.integers(0, 16, (4, size))
    for i in range(4):
        columns |= {f"dose_{i}": doses[i], f"time_{i}": times[i]}
    listed = "\n".join(f"- {{state: gut, amount: dose_{i}, time: time_{i}}}" for i in range(4))
    config = compose(
        study(tmp_path, listed, **columns), "saveat.ts={linspace: [0, 48, 97]}",
        *overrides, "solver.rtol=1e-6", "solver.atol=1e-6", "runtime.engine=native",
    )  # fmt: skip
    ensemble = odeflow.run(config)
    assert ensemble.attrs["odeflow_engine"] == "native"
    assert (ensemble.status == Status.success).all()
    t, ka = ensemble.time.values, columns["ka"][:, None]
    ke = (columns["cl"] / columns["v"])[:, None]
    gut = central = np.zeros((size, len(t)))
    right_after = np.zeros((size, len(t)), bool)
    for amount, time in zip(doses, times):
        one = bateman(t - time[:, None], ka, ke)
        gut, central = gut + amount[:, None] * one[0], central + amount[:, None] * one[1]
        right_after |= (t == time[:, None]) & (amount[:, None] > 0)
    assert right_after.sum() == (doses > 0).sum()
    worst = {}
    for name, expected in (("gut", gut), ("central", central)):
        error = np.abs(ensemble[name].values - expected) / (1e-6 + 1e-6 * np.abs(expected))
        worst[name] = (error.max(), error[right_after].max())
    with capsys.disabled():
        for name, (anywhere, after) in worst.items():
            print(f"\n{name}: worst error {anywhere:.3f} of the tolerance, {after:.3f} at doses")
    assert all(max(errors) <= 1 for errors in worst.values())
    assert ensemble.dose_1.attrs["units"] == "mg" and ensemble.time_1.attrs["units"] == "h"
    assert ensemble.dose_1.attrs["long_name"] == "amount of dose 2 (amount in the gut)"


def scheduled(config: Any) -> Any:
    axes = rows(config.design, 0, 2, config.study)
    model = with_doses(load_model(config.model, config.study), config.plain_doses)
    return build.scheduled(config, model, axes, make_lanes(config, model, axes)), model


def test_a_schedule(tmp_path: Path):
    doses = """- {state: gut, amount: 100, time: 0, every: 12, count: 3}
- {state: gut, amount: extra, time: 12}
- {parameter: ka, value: 0.5, time: switch}
- {state: central, amount: infused, duration: 6, times: [0, 4]}"""
    folder = study(tmp_path, doses, extra=[0, 7], switch=[0, 24], infused=[12, 0], ka=[1, 2])
    lanes, model = scheduled(compose(folder))
    assert list(model.declared.parameters) == ["ka", "cl", "v", "infusion_central"]
    # at t0 the first dose has been given, the first switch made, the first infusion begun
    np.testing.assert_array_equal(lanes.y0, [[100, 100], [0, 0]])
    np.testing.assert_array_equal(lanes.args[[0, 3]], [[0.5, 2], [2, 0]])
    inf, jumps = np.inf, lanes.jumps
    expected = [[4, 12], [6, 24], [10, inf], [12, inf], [24, inf]]
    np.testing.assert_array_equal(jumps.times[:5], expected)
    assert np.isinf(jumps.times[5:]).all()
    finite = np.isfinite(jumps.times)
    np.testing.assert_array_equal(jumps.amounts[:, 0][finite[:, 0], 0], [0, 0, 0, 100, 100])
    np.testing.assert_array_equal(jumps.amounts[:, 0][finite[:, 1], 1], [107, 100])
    ka, infusion = jumps.values[:, 0], jumps.values[:, 1]
    np.testing.assert_array_equal(ka[finite[:, 0], 0], 0.5)
    np.testing.assert_array_equal(ka[finite[:, 1], 1], [2, 0.5])
    np.testing.assert_array_equal(infusion[finite[:, 0], 0], [4, 2, 0, 0, 0])


@ENGINES
def test_repeated_infusions_follow_the_closed_form(engine: str, tmp_path: Path):
    folder = study(tmp_path, INFUSED, infused=[50.0, 0.0, 80.0], cl=[4.0, 5.0, 6.0])
    config = compose(
        folder, "saveat.ts={linspace: [0, 48, 33]}", f"runtime.engine={engine}",
        "saveat.variables=[central, concentration]", "solver.rtol=1e-8",
    )  # fmt: skip
    ensemble = odeflow.run(config)
    t, rate = ensemble.time.values, ensemble.infused.values[:, None] / 2.5
    ke, expected = ensemble.cl.values[:, None] / 50, 0.0
    for start in (0, 6, 24, 30):
        on = np.clip(t - start, 0, 2.5)
        expected += rate / ke * -np.expm1(-ke * on) * np.exp(-ke * np.maximum(t - start - on, 0))
    np.testing.assert_allclose(ensemble.central, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(ensemble.concentration, expected / 50, rtol=1e-6, atol=1e-7)


def test_sensitivities_of_a_dosed_model(tmp_path: Path):
    folder = study(tmp_path, "- {state: central, amount: 50, times: [0, 12]}", cl=[4.0, 5.0])
    config = compose(folder, "saveat.sensitivities=[cl]", "saveat.ts=[0,12,18,24]")
    ensemble = odeflow.run(config)
    t, ke = ensemble.time.values, ensemble.cl.values[:, None] / 50
    past = [np.maximum(t - start, 0) for start in (0, 12)]
    expected = sum(-s / 50 * 50 * np.exp(-ke * s) for s in past)
    np.testing.assert_allclose(ensemble.d_central_d_cl, expected, rtol=1e-4, atol=1e-6)


def test_a_stop_is_in_the_dataset(tmp_path: Path):
    folder = study(tmp_path, "- {state: central, amount: 50, time: 6}", cl=[5.0, 0.5])
    stop = "stop={below: {concentration: 0.5}}"
    ensemble = odeflow.run(compose(folder, stop))
    assert ensemble.status.values.tolist() == [Status.stopped_by_event, Status.success]
    assert "stopped_by_event" in ensemble.status.attrs["flag_meanings"]
    # it falls below the threshold after the dose, not while there is none yet
    np.testing.assert_allclose(ensemble.time_reached, [6 + 10 * np.log(2), 48], rtol=1e-5)
    np.testing.assert_allclose(ensemble.concentration[0, 0], 0.5, rtol=1e-5)
    assert (
        "below" in ensemble.attrs["odeflow_config"] and "doses" in ensemble.attrs["odeflow_config"]
    )


@ENGINES
def test_a_steady_state_stops(engine: str, tmp_path: Path):
    config = odeflow.compose(
        "model=pk_one_compartment", "~experiment", "name=steady", "saveat.ts=null", "model.t1=500",
        "model.states.gut.initial=0",
        "doses=[{state: central, amount: 10000, duration: 1000, time: 0}]",
        "stop={steady_state: {rtol: 1e-3, atol: 1e-6}}", f"runtime.engine={engine}",
        "design.axes={cl: {values: [5, 10, 20]}}", study=tmp_path,
    )  # fmt: skip
    ensemble = odeflow.run(config)
    assert (ensemble.status == Status.stopped_by_event).all()
    # what flows in flows out: cl * concentration = 10 mg / h
    np.testing.assert_allclose(ensemble.central[:, 0], 10 / (ensemble.cl / 50), rtol=0.02)
    assert (ensemble.time_reached.diff("cl") < 0).all() and float(ensemble.time_reached[0]) < 150


def test_doses_and_stops_decide_on_the_chunks(tmp_path: Path):
    folder = study(tmp_path, INFUSED, infused=[50.0])
    digest = lambda *overrides: solve_digest(compose(folder, *overrides), folder)
    assert digest() == digest("plot.dpi=77")
    assert digest() != digest("doses=[]", "design.kind=grid", "~design.path")
    assert digest() != digest("stop={above: {gut: 5}}")


MISTAKES = {
    "- {state: gutt, amount: 10, time: 0}": r"doses\.0\.state: 'gutt' is not a state; did you",
    "- {state: gut, amount: doze, time: 0}": r"doses\.0\.amount: 'doze' is not an axis or a param",
    "- {parameter: kb, value: 10, time: 0}": r"doses\.0\.parameter: 'kb' is not a parameter",
    "- {state: gut, amount: 10, time: -1}": r"doses\.0: a time -1 is before model\.t0, 0",
    "- {state: gut, amount: 10, times: [0, nope]}": r"doses\.0\.times\.1: 'nope' is not an axis",
    "- {state: gut, amount: 10, index: [0], time: 0}": r"doses\.0\.index: \[0\] does not fit",
    "- {state: gut, time: 0}": r"doses\.0: amount is needed: the amount that gut receives",
    "- {state: gut, parameter: ka, time: 0}": r"doses\.0: a dose names either the state",
    "- {parameter: ka, value: 1, duration: 3, time: 0}": r"doses\.0: duration is only for a state",
    "- {state: gut, amount: 10}": r"doses\.0: either time or times is needed",
    "- {state: gut, amount: 10, time: 0, every: 12}": r"doses\.0: every and count \(2 or more\)",
    "- {state: gut, amount: 1, duration: 3, rate: 2, time: 0}": r"doses\.0: an infusion has either",
    "- {state: gut, amunt: 1, time: 0}": r"doses\.0\.amunt: no such key; did you mean amount",
}


@pytest.mark.parametrize("dose", MISTAKES)
def test_a_mistake_in_a_dose_is_one_line(dose: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=MISTAKES[dose]) as error:
        compose(study(tmp_path, dose, cl=[1.0]))
    assert "\n" not in str(error.value)


def test_mistakes_in_values_are_found_before_anything_is_solved(tmp_path: Path):
    folder = study(tmp_path, "- {state: gut, amount: 1, time: when}", when=[0.0, -2.0])
    with pytest.raises(ConfigError, match=r"doses\.0: a time -2 is before model\.t0, 0"):
        odeflow.run(compose(folder))
    doses = "- {state: gut, amount: 1, duration: span, time: 0}"
    folder = study(tmp_path, doses, span=[1.0, 0.0])
    with pytest.raises(ConfigError, match=r"doses\.0\.duration: 0 is not greater than 0"):
        odeflow.run(compose(folder))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stop={above: {gutt: 1}}", r"stop\.above: 'gutt' is not a scalar state or an observable"),
        ("stop={}", r"stop: no condition; give above, below or steady_state"),
    ],
)
def test_what_does_not_go_together(override: str, message: str, tmp_path: Path):
    folder = study(tmp_path, "- {parameter: ka, value: v, time: 3}", cl=[1.0])
    with pytest.raises(ConfigError, match=message):
        compose(folder, override)


def test_the_name_of_a_rate_may_be_taken(tmp_path: Path):
    config = compose(study(tmp_path, INFUSED, infused=[1.0]))
    model = load_model(config.model)
    once = with_doses(model, config.plain_doses)
    twice = with_doses(replace(model, declared=once.declared), config.plain_doses)
    assert list(twice.declared.parameters)[-2:] == ["infusion_central", "infusion_central_"]
