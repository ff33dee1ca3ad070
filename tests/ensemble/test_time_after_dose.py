"""The time after the last dose, as fields see it: closed forms, SciPy, refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import odeflow
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model
from odeflow.trust.verification import verify
from odeflow.trust.verification.trajectory import Trajectories
from odeflow.workflow.chunks import solve_digest

ENGINES = pytest.mark.parametrize(
    "engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)]
)
MODEL = """
name: transit
vector_field: models.py:field
observables: {function: "models.py:seen", variables: {after: {units: h}}}
t0: -1
t1: 12
time_units: h
time_after_dose: tad
states: {gut: {initial: 1, units: mg}, total: {initial: 0}}
parameters: {k: {value: 0.5}, later: {value: 3}}
"""
#: y' = -k tad y: exp(-k tad^2 / 2) between doses; total' = tad.
FUNCTIONS = """
def field(t, y, args):
    return {"gut": -args.k * args.tad * y.gut, "total": args.tad}


def seen(t, y, args):
    return {"after": args.tad}
"""
ANTIMONY = """
model transit
  var gut = 1, total = 0; k = 0.5; later = 3; tad = 0
  G: gut -> ; k*tad*gut
  T: -> total; tad
  observed := tad
end
"""
DOSES = "doses=[{state: gut, amount: 2, times: [1, later], every: 4, count: 2},"
DOSES += "{state: gut, amount: 3, duration: 0.5, time: 9}, {state: gut, amount: 0 * k, time: 4}]"


def composed(folder: Path, *overrides: str, model: str = MODEL, **files: str) -> Any:
    """An experiment of the model, its axis the time of a dose."""
    (folder / "config/model").mkdir(parents=True, exist_ok=True)
    (folder / "config/experiment").mkdir(exist_ok=True)
    (folder / "config/model/transit.yaml").write_text(model)
    (folder / "models.py").write_text(FUNCTIONS)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "config/experiment/transit.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /model: transit\n"
        "  - override /solver: tsit5\nname: transit\nsolver: {rtol: 1e-10, atol: 1e-11}\n"
    )
    return odeflow.compose("experiment=transit", *overrides, study=folder)


PLAIN = (DOSES, "design.axes={later: {values: [2.5, 3]}}", "saveat.ts={linspace: [-1, 12, 27]}")


def after(times: np.ndarray, doses: list[float]) -> np.ndarray:
    """The time since the last of doses."""
    return np.array([t - max(d for d in doses if d <= t) for t in times])


def course(t1: float, doses: dict[float, float], gut: float = 1.0) -> tuple[float, float]:
    """`gut` and `total` at the end, for boluses at times (the first is the start)."""
    total, times = 0.0, [*doses, t1]
    for a, b in zip(times, times[1:]):
        gut = (gut + doses[a]) * np.exp(-0.5 * (b - a) ** 2 / 2)
        total += (b - a) ** 2 / 2
    return gut, total


@ENGINES
def test_of_plain_doses_each_time_counts(engine: str, tmp_path: Path):
    config = composed(tmp_path, *PLAIN, f"runtime.engine={engine}", "verify.number=2")
    found = odeflow.run(config)
    assert "tad" not in found
    for later in (2.5, 3.0):
        one = found.sel(later=later)
        times = [-1.0, 1.0, later, 5.0, later + 4, 9.0]
        np.testing.assert_allclose(one["after"], after(one["time"].values, times), atol=1e-14)
        assert float(one["total"][-1]) == pytest.approx(course(12, dict.fromkeys(times, 0.0))[1])
        given = dict(zip(times[:5], [0.0, 2.0, 2.0, 2.0, 2.0]))
        assert float(one["gut"].sel(time=8.5)) == pytest.approx(course(8.5, given)[0], rel=1e-8)
    verdict = verify(config, tmp_path, found)
    assert verdict.attrs["verdict"] == "passed", verdict.attrs["verdict_reason"]


@pytest.mark.slow
def test_derivatives_along_the_time_of_a_dose(tmp_path: Path):
    more = ["saveat.sensitivities=[later, k]"]
    found = odeflow.run(composed(tmp_path, *PLAIN, *more)).sel(time=8.5, later=3)
    step = 1e-4
    axes = f"design.axes={{later: {{values: [{3 - step}, {3 + step}]}}}}"
    beside = odeflow.run(composed(tmp_path, *PLAIN, axes)).sel(time=8.5)
    for name in ("gut", "total"):
        slope = float(beside[name].diff("later")[0]) / (2 * step)
        assert float(found[f"d_{name}_d_later"]) == pytest.approx(slope, rel=1e-6)


RECORDS = """ID,TIME,AMT,EVID,II,ADDL,CMT
1,0,0,0,0,0,gut
1,1,2,1,3,2,gut
1,6,0,0,0,0,gut
1,6,4,1,0,0,gut
1,8,0,0,0,0,gut
2,2,0,0,0,0,gut
2,3,1,1,4,2,gut
2,5,0,3,0,0,gut
2,9,0,0,0,0,gut
"""


@ENGINES
def test_of_records(engine: str, tmp_path: Path):
    """A lag does not count; a subject starts at its first record, and again at a new start."""
    model = MODEL + "compartments: {gut: {lag: 0.5}}\n"
    more = ["design=nonmem", "design.nonmem=data.csv", "saveat.ts=[3, 4, 12]"]
    more += [f"runtime.engine={engine}", "verify.number=2"]
    config = composed(tmp_path, *more, model=model, data=RECORDS)
    found = odeflow.run(config)
    np.testing.assert_allclose(found["after_at_record"], [0, 2, 1, 0, 4], atol=1e-11)
    np.testing.assert_allclose(found["after"], [[2, 0, 5], [0, 1, 7]], atol=1e-11)
    verdict = verify(config, tmp_path, found)
    assert verdict.attrs["verdict"] == "passed", verdict.attrs["verdict_reason"]


@pytest.mark.slow
def test_in_antimony_it_takes_the_place_of_a_parameter(tmp_path: Path):
    model = "name: transit\nantimony: transit.ant\nt0: -1\nt1: 12\ntime_after_dose: tad\n"
    (tmp_path / "transit.ant").write_text(ANTIMONY)
    config = composed(tmp_path, *PLAIN, "verify.number=2", model=model)
    assert "tad" not in config.model.parameters
    found = odeflow.run(config)
    one = found.sel(later=2.5)
    times = [-1.0, 1.0, 2.5, 5.0, 6.5, 9.0]
    np.testing.assert_allclose(one["observed"], after(one["time"].values, times), atol=1e-14)
    trajectories = Trajectories(config, load_model(config.model, tmp_path), tmp_path)
    assert trajectories.functions.evaluator == "numpy"
    assert not trajectories.functions.is_autonomous
    verdict = verify(config, tmp_path, found)
    assert verdict.attrs["verdict"] == "passed", verdict.attrs["verdict_reason"]


@pytest.mark.slow
def test_a_field_may_compare_it(tmp_path: Path):
    """Where it compares, steps stop, two hours after each dose; a time may move with a switch."""
    functions = FUNCTIONS.replace('"total": args.tad', '"total": jnp.where(args.tad < 2, 1.0, 0.0)')
    config = composed(tmp_path, *PLAIN, "solver.rtol=1e-6", "verify.number=2")
    (tmp_path / "models.py").write_text("import jax.numpy as jnp\n" + functions)
    found = odeflow.run(config)
    moved = DOSES[:-1] + ", {parameter: later, value: 3.5, time: 2}]"
    both = composed(tmp_path, *PLAIN, moved, "solver.rtol=1e-6", "verify.number=2")
    (tmp_path / "models.py").write_text("import jax.numpy as jnp\n" + functions)
    again = odeflow.run(both)
    # of -1, 1, 2.5 (before it is switched, never) or 3.5, 5, 7.5 and 9
    assert float(again["total"].sel(later=3.0)[-1]) == pytest.approx(2 + 2 + 1.5 + 2 + 1.5 + 2)
    assert verify(both, tmp_path, again).attrs["verdict"] == "passed"
    # within two hours of -1, 1, 3, 5, 7 and 9
    assert float(found["total"].sel(later=3.0)[-1]) == pytest.approx(12, abs=1e-9)
    # of -1, 1, 2.5, 5, 6.5 and 9
    assert float(found["total"].sel(later=2.5)[-1]) == pytest.approx(2 + 1.5 + 2 + 1.5 + 2 + 2)
    assert verify(config, tmp_path, found).attrs["verdict"] == "passed"


def test_the_digest_and_refusals(tmp_path: Path):
    digest = lambda *more: solve_digest(composed(tmp_path, *PLAIN, *more), tmp_path)
    assert digest("model.time_after_dose=since") != digest()
    with pytest.raises(ConfigError, match=r"design.axes.tad"):
        composed(tmp_path, *PLAIN, "design.axes={tad: {values: [1, 2]}}")
    steady = RECORDS.replace("ADDL,CMT", "ADDL,CMT,SS").replace("\n", ",0\n").replace("SS,0", "SS")
    more = ["design=nonmem", "design.nonmem=data.csv"]
    steady = steady.replace("3,2,gut,0", "3,2,gut,1")
    with pytest.raises(ConfigError, match=r"SS: .* depends on time"):
        odeflow.run(composed(tmp_path, *more, data=steady))


@pytest.mark.slow
def test_a_steady_state_is_not_looked_for_where_it_moves_the_field(tmp_path: Path):
    config = composed(tmp_path, *PLAIN, "+stop={steady_state: {}}")
    with pytest.warns(UserWarning, match="steady"):
        found = odeflow.run(config)
    assert (found["status"] == 0).all()
