"""Data sets of NONMEM's layout: what is read of them, and what comes of that in results."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.config.root import Config
from odeflow.engines.choice import Resources
from odeflow.ensemble.assemble import assemble_in_memory
from odeflow.ensemble.at_once import AtOnce
from odeflow.ensemble.solve import solve_samples
from odeflow.files.errors import ConfigError
from odeflow.problem.status import Status
from odeflow.trust.verification.run import verify
from odeflow.workflow.chunks import chunks, solve_digest

MODEL = """
name: oral
vector_field: models.py:oral
observables: {function: "models.py:seen", variables: {concentration: {units: mg/L}}}
t1: 24
time_units: h
states:
  gut: {initial: 0, units: mg}
  central: {initial: 0, units: mg}
parameters:
  ka: {value: 1.5}
  cl: {value: 2.8}
  v: {value: 32}
  vmax: {value: 0}
  km: {value: 5}
  wt: {value: 70}
"""
FUNCTIONS = """
def oral(t, y, args):
    out = args.cl * args.wt / 70 / args.v * y.central
    out = out + args.vmax * y.central / (args.km + y.central)
    return {"gut": -args.ka * y.gut, "central": args.ka * y.gut - out}


def seen(t, y, args):
    return {"concentration": y.central / args.v}
"""
EXPERIMENT = """
# @package _global_
defaults:
  - override /model: oral
  - override /design: nonmem
  - override /solver: tsit5
name: oral
solver: {rtol: 1e-10, atol: 1e-11}
saveat: {ts: null}
summary: {metrics: []}
"""


def config_of(folder: Path, data: str, design: str = "{file: data.csv}", *more: str) -> Config:
    """The experiment of a data set."""
    (folder / "config" / "model").mkdir(parents=True, exist_ok=True)
    (folder / "config" / "experiment").mkdir(exist_ok=True)
    (folder / "config/model/oral.yaml").write_text(MODEL)
    (folder / "config/experiment/oral.yaml").write_text(EXPERIMENT)
    (folder / "models.py").write_text(FUNCTIONS)
    (folder / "data.csv").write_text(data)
    return odeflow.compose("experiment=oral", f"design.nonmem={design}", *more, study=folder)


def bateman(dose: float, t: np.ndarray, wt: float = 70.0) -> np.ndarray:
    """The amount in the centre after a dose by mouth at 0."""
    ka, ke = 1.5, 2.8 * wt / 70 / 32
    after = np.maximum(t, 0)
    course = ka / (ka - ke) * (np.exp(-ke * after) - np.exp(-ka * after))
    return dose * np.where(t >= 0, course, 0.0)


def rows_of(ds: xr.Dataset) -> list[slice]:
    """Where the records of each sample are."""
    ends = np.cumsum(ds["row_size"].values)
    return [slice(end - size, end) for end, size in zip(ends, ds["row_size"].values)]


def theophylline() -> str:
    """Twelve subjects, a dose each and eleven samples at times of their own."""
    lines = ["Subject,Wt,Dose,Time,conc,EVID,AMT"]
    random = np.random.default_rng(1)
    for subject in range(1, 13):
        weight, dose = 55 + 3 * subject, 250 + 7 * subject
        lines.append(f"{subject},{weight},{dose},0,.,1,{dose}")
        for time in np.sort(random.uniform(0, 25, 11)).round(2):
            lines.append(f"{subject},{weight},{dose},{time},{random.uniform(1, 9):.2f},0,.")
    return "\n".join(lines) + "\n"


def warfarin() -> str:
    """32 subjects with the columns of that data set: two kinds of observations, text among them."""
    lines = ["ID,time,amt,dv,dvid,wt,age,sex"]
    for subject in range(1, 33):
        facts = f"{50 + subject},{20 + subject},{'male' if subject % 2 else 'female'}"
        lines.append(f"{subject},0,{1.5 * (50 + subject)},.,1,{facts}")
        for time in (0.5, 1, 3, 6, 24, 36, 72, 120)[: 4 + subject % 5]:
            lines.append(f"{subject},{time},.,{time / 10},{1 + subject % 2},{facts}")
    return "\n".join(lines) + "\n"


def test_theophylline(tmp_path: Path) -> None:
    design = "{file: data.csv, columns: {ID: Subject, TIME: Time, DV: conc}, covariates: {wt: Wt}}"
    ds = odeflow.run(config_of(tmp_path, theophylline(), design))
    assert ds["subject"].values.tolist() == list(range(1, 13))
    assert ds["row_size"].values.tolist() == [11] * 12
    assert ds["row_size"].attrs["sample_dimension"] == "record"
    for subject, here in enumerate(rows_of(ds), start=1):
        times = ds["record_time"].values[here]
        assert (np.diff(times) >= 0).all()
        expected = bateman(250 + 7 * subject, times, 55 + 3 * subject)
        np.testing.assert_allclose(ds["central_at_record"].values[here], expected, rtol=1e-8)
        concentration = ds["concentration_at_record"].values[here]
        np.testing.assert_allclose(concentration, expected / 32, rtol=1e-8)
        assert (ds["record_dose"].values[here] == 250 + 7 * subject).all()
    assert ds["record_dv"].values.min() >= 1


def test_warfarin(tmp_path: Path) -> None:
    """Without EVID and CMT; the span is widened; columns of text are flags."""
    config = config_of(tmp_path, warfarin())
    assert config.model.t1 == 120
    ds = odeflow.run(config)
    assert ds.sizes["sample"] == 32
    assert ds["row_size"].values.tolist() == [4 + s % 5 for s in range(1, 33)]
    for subject, here in enumerate(rows_of(ds), start=1):
        times = ds["record_time"].values[here]
        expected = bateman(1.5 * (50 + subject), times)
        np.testing.assert_allclose(ds["central_at_record"].values[here], expected, rtol=1e-8)
        np.testing.assert_array_equal(ds["record_dv"].values[here], times / 10)
        words = ds["record_sex"].attrs["flag_meanings"].split()
        assert words[ds["record_sex"].values[here][0] + 1] == ("male" if subject % 2 else "female")


def test_chunks_make_the_same_ensemble(tmp_path: Path) -> None:
    """Ragged arrays do not depend on how samples were solved."""
    config = config_of(tmp_path, warfarin())
    whole = odeflow.run(config)
    parts = [
        solve_samples(config, tmp_path, a, b, Resources()) for a, b in ((0, 5), (5, 6), (6, 32))
    ]
    xr.testing.assert_identical(assemble_in_memory(config, 32, parts), whole)


NEXT = """ID,TIME,EVID,AMT,WT
C,this line is a comment,,,
1,0,1,100,70
1,4,0,.,70
1,8,2,.,140
1,12,0,.,35
"""


@pytest.mark.parametrize(
    ("rule", "pieces"),
    [("previous", [(8, 70), (4, 140)]), ("next", [(4, 70), (4, 140), (4, 35)])],
)
def test_covariates_between_records(
    tmp_path: Path, rule: str, pieces: list[tuple[float, float]]
) -> None:
    """LOCF and NOCB, by exact pieces of a bolus into the centre."""
    design = f"{{file: data.csv, covariates: {{wt: WT}}, interpolation: {rule}}}"
    data = NEXT.replace("WT\n", "WT,CMT\n").replace("70\n", "70,2\n")
    data = data.replace("140\n", "140,2\n").replace("35\n", "35,2\n").replace(",,,\n", ",,,,\n")
    ds = odeflow.run(config_of(tmp_path, data, design))
    left = sum(hours * 2.8 * weight / 70 / 32 for hours, weight in pieces)
    assert ds["central_at_record"].values[-1] == pytest.approx(100 * np.exp(-left), rel=1e-8)


def test_steady_state_of_a_nonlinear_model(tmp_path: Path) -> None:
    """With saturated elimination, against sixty doses one by one."""
    saturated = ("model.parameters.vmax.value=12", "model.parameters.cl.value=0.4")
    head = "ID,TIME,EVID,AMT,II,ADDL,SS\n"
    found = odeflow.run(
        config_of(tmp_path, head + "1,0,1,100,12,0,1\n1,12,0,0,0,0,0\n", *_DESIGN, *saturated)
    )
    long = odeflow.run(
        config_of(tmp_path, head + "1,0,1,100,12,60,0\n1,720,0,0,0,0,0\n", *_DESIGN, *saturated)
    )
    # before the next dose: it is at 720, where the value is the one after it
    trough = long["central_at_record"].values[0]
    assert found["central_at_record"].values[0] == pytest.approx(trough, rel=1e-7)


_DESIGN = ("{file: data.csv}",)


@pytest.mark.slow
def test_without_a_steady_state_a_subject_fails_and_no_other(tmp_path: Path) -> None:
    """More is given than saturated elimination takes away."""
    data = (
        "ID,TIME,EVID,AMT,II,ADDL,SS\n1,0,1,100,12,0,1\n1,12,0,0,0,0,0\n"
        "2,0,1,100,0,0,0\n2,12,0,0,0,0,0\n"
    )
    saturated = ("model.parameters.vmax.value=4", "model.parameters.cl.value=0")
    ds = odeflow.run(config_of(tmp_path, data, *_DESIGN, *saturated, "runtime.retry=[]"))
    assert ds["status"].values.tolist() == [Status.non_finite, Status.success]
    assert np.isnan(ds["central_at_record"].values[0])
    assert np.isfinite(ds["central_at_record"].values[1])


def test_what_changes_which_digest(tmp_path: Path) -> None:
    """Times and doses are solved for, measurements are not."""
    data = "ID,TIME,EVID,AMT,DV\n1,0,1,100,.\n1,4,0,.,3\n"
    files = lambda data: [x.file for x in chunks(config_of(tmp_path, data), tmp_path)]
    before = files(data)
    assert files(data.replace("0,.,3", "0,.,5")) == before
    assert files(data.replace("1,4,", "1,5,")) != before
    assert files(data.replace("100", "110")) != before


def test_subjects_under_conditions_and_with_random_effects(tmp_path: Path) -> None:
    data = "ID,TIME,EVID,AMT,CMT\n7,0,1,100,2\n7,4,0,.,2\n9,0,1,50,2\n9,2,0,.,2\n9,4,0,.,2\n"
    more = (
        "+design.conditions={light: {wt: 35}, heavy: {wt: 140}}",
        "+design.random_effects={of: {cl: exp}, omega: [[0.1]], subjects: 3}",
    )
    ds = odeflow.run(config_of(tmp_path, data, *_DESIGN, *more))
    assert ds["subject"].values.tolist() == [7, 7, 9, 9] * 3
    assert ds["row_size"].values.tolist() == [1, 1, 2, 2] * 3
    clearances = ds["cl"].values
    assert len(set(clearances)) == 6 and (clearances[::2] == clearances[1::2]).all()
    rate = clearances * ds["wt"].values / 70 / 32
    dose = np.where(ds["subject"].values == 7, 100, 50)
    last = np.cumsum(ds["row_size"].values) - 1
    expected = dose * np.exp(-rate * 4)
    np.testing.assert_allclose(ds["central_at_record"].values[last], expected, rtol=1e-8)


def test_a_result_is_reproduced_without_the_data_set(tmp_path: Path) -> None:
    """The config in the file has the records."""
    ds = odeflow.run(config_of(tmp_path, warfarin()))
    ds.to_netcdf(tmp_path / "ensemble.nc")
    (tmp_path / "data.csv").unlink()
    made = odeflow.reproduce(tmp_path / "ensemble.nc", tmp_path)
    assert made.check(number=3).endswith("the same bit for bit")
    made.write(tmp_path / "again")
    again = odeflow.compose("experiment=oral", study=tmp_path / "again")
    xr.testing.assert_identical(
        odeflow.run(again).drop_attrs(deep=False), ds.drop_attrs(deep=False)
    )


@pytest.mark.slow
def test_one_more_trajectory_is_that_of_a_subject(tmp_path: Path) -> None:
    config = config_of(tmp_path, warfarin())
    once = AtOnce(config, tmp_path, ())
    first, third = once({}), once({"subject": 3.0})
    np.testing.assert_allclose(first.values["central"], bateman(1.5 * 51, first.times), rtol=1e-7)
    np.testing.assert_allclose(third.values["central"], bateman(1.5 * 53, third.times), rtol=1e-7)


DOSED = """ID,TIME,AMT,EVID,II,ADDL,SS,DV,ARM
1,1,100,1,0,0,0,.,a
1,3,.,0,0,0,0,5.5,a
1,5,50,1,0,0,0,.,a
1,5,50,1,0,0,0,.,a
1,8,80,4,0,0,0,.,a
2,0,100,1,12,1,1,.,b
2,20,.,0,0,0,0,4.5,b
"""


@pytest.mark.parametrize("engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)])
def test_values_right_before_and_after_doses(engine: str, tmp_path: Path):
    asked = "{file: data.csv, at_doses: true, observed: concentration}"
    more = (f"runtime.engine={engine}", "verify.number=2")
    config = config_of(tmp_path, DOSED, asked, *more)
    found = odeflow.run(config)
    first, second = rows_of(found)
    side = found["record_dose_side"].values[first]
    np.testing.assert_array_equal(side, [0, 1, -1, 0, 1, 0, 1, 0, 1])
    assert found["record_dose_side"].attrs["flag_meanings"] == "missing before after"
    np.testing.assert_allclose(found["record_time"][first], [1, 1, 3, 5, 5, 5, 5, 8, 8])
    gut = lambda t: 100 * np.exp(-1.5 * (t - 1))
    twice = gut(8) + 100 * np.exp(-1.5 * 3)
    expected = [0, 100, gut(3), gut(5), gut(5) + 50, gut(5) + 50, gut(5) + 100, twice, 80]
    np.testing.assert_allclose(found["gut_at_record"][first], expected, rtol=1e-8, atol=1e-9)
    centre = [bateman(100, np.array(t - 1.0)) for t in (3, 5)]
    central = found["central_at_record"].values[first]
    np.testing.assert_allclose(central[[2, 3, 4, 5, 6]], [centre[0], *[centre[1]] * 4], rtol=1e-8)
    assert central[-2] > 0 and central[-1] == 0  # a new start
    # the state before a steady dose is that at which its subject begins
    steady = 100 / (1 - np.exp(-1.5 * 12))
    np.testing.assert_allclose(found["gut_at_record"][second][:2], [0, steady], rtol=1e-8)
    dv = found["record_dv"].values
    assert np.isnan(dv[found["record_dose_side"].values >= 0]).all() and np.nansum(dv) == 10
    assert (found["record_observed"].values >= 0).sum() == 2
    verdict = verify(config, tmp_path, found)
    assert verdict.attrs["verdict"] == "passed", verdict.attrs["verdict_reason"]
    plain = config_of(tmp_path, DOSED, asked.replace("true", "false"), *more)
    assert solve_digest(plain, tmp_path) != solve_digest(config, tmp_path)


def test_sides_of_doses_need_their_name(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"design.nonmem.at_doses: the data set has a column"):
        config_of(tmp_path, DOSED.replace("ARM", "dose_side"), "{file: data.csv, at_doses: true}")
