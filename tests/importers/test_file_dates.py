"""Dates as the times of inputs: in CSV, Parquet and NetCDF files, and in the config."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.files.errors import ConfigError
from odeflow.importers.inputs import read_inputs
from tests.support.snakes import EXPERIMENT_YAML, MODEL_YAML, make_study

COURSE = "{file: u.csv, time: day, value: celsius}"
CSV = "day,celsius\n2026-03-01,20\n2026-03-02T12:00,25\n2026-03-03 06:00,22\n"
HOURS = [0.0, 36.0, 54.0]
DATES = np.array(["2026-03-01", "2026-03-02T12:00", "2026-03-03T06:00"], "datetime64[ns]")


def study_with(folder: Path, course: str = COURSE, units: str = "hours since 2026-03-01") -> Path:
    study = make_study(folder)
    (study / "config/model/decay.yaml").write_text(
        MODEL_YAML.replace("t1: 2.0", "t1: 50").replace("time_units: h", f"time_units: {units}")
        + f"inputs: {{u: {course}}}\n"
    )
    (study / "config/experiment/decay.yaml").write_text(
        EXPERIMENT_YAML.replace("[0.0, 0.5, 1.0, 1.5, 2.0]", "[0, 50]")
    )
    (study / "u.csv").write_text(CSV)
    return study


def knots(study: Path) -> list[float]:
    model = odeflow.compose("experiment=decay", "saveat.ts=[0,50]", study=study).model
    return read_inputs(model, study)["u"].knots.tolist()


def test_dates_of_a_csv_file_are_times_of_the_model(tmp_path: Path):
    study = study_with(tmp_path)
    assert knots(study) == HOURS
    for units, start in (("days since 2026-03-01", 1.5), ("hours since 2026-03-01T12:00", 24.0)):
        text = (study / "config/model/decay.yaml").read_text()
        made = text.replace("hours since 2026-03-01", units).replace("t1: 50", "t1: 2")
        made = made.replace("value: celsius", "value: celsius, outside: hold")
        (study / "config/model/decay.yaml").write_text(made)
        model = odeflow.compose("experiment=decay", "saveat.ts=[0,2]", study=study).model
        assert read_inputs(model, study)["u"].knots[1] == start
        (study / "config/model/decay.yaml").write_text(text)


def test_dates_of_other_files_and_of_the_config(tmp_path: Path):
    file = "{file: u.nc, time: time, value: celsius}"
    study = study_with(tmp_path, file)
    course = xr.Dataset({"celsius": ("time", [20.0, 25, 22])}, {"time": DATES})
    course.time.encoding["units"] = "minutes since 2026-02-28"
    course.to_netcdf(study / "u.nc")
    np.testing.assert_allclose(knots(study), HOURS, rtol=1e-15)
    study_with(tmp_path, "{time: [2026-03-01, '2026-03-02T12:00', 54], value: [1, 2, 3]}")
    assert knots(study) == HOURS


@pytest.mark.slow
def test_timestamps_of_parquet(tmp_path: Path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    study = study_with(tmp_path, COURSE.replace("u.csv", "u.parquet"))
    table = pa.table({"day": DATES.astype("datetime64[us]"), "celsius": [20.0, 25, 22]})
    parquet.write_table(table, study / "u.parquet")
    assert knots(study) == HOURS


@pytest.mark.parametrize(
    "cell, message",
    [
        ("2026-03-02T12:00+01:00", "line 3: column 'day': .* without a time zone"),
        ("2026-13-02", "line 3: column 'day': .*is not a date; write 2026-03-01"),
        ("36", "line 3: column 'day': 36 is a number, but the first time is a date"),
        ("2026-02-02", "line 3: 'day' must increase"),
    ],
)
def test_what_is_no_date_is_named_with_its_line(cell: str, message: str, tmp_path: Path):
    study = study_with(tmp_path)
    (study / "u.csv").write_text(CSV.replace("2026-03-02T12:00", cell))
    with pytest.raises(ConfigError, match=f"model.inputs.u: u.csv: {message}"):
        knots(study)
