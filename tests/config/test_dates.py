"""Dates in a config are times in the model's units, and are dates again in the dataset."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.config.dates import reference_date, with_dates
from odeflow.config.saved_times import save_times
from odeflow.files.errors import ConfigError


def compose(study: Path, *overrides: str) -> odeflow.Config:
    (study / "config/experiment").mkdir(parents=True, exist_ok=True)
    (study / "config/experiment/algae.yaml").write_text(
        "# @package _global_\n"
        "defaults: [override /model: michaelis_menten, override /design: grid]\n"
        "name: algae\n"
        "model: {time_units: days since 2026-01-01, t0: 2026-03-01, t1: '2026-03-05T12:00'}\n"
        "design: {axes: {t1: {values: [2026-03-04, 2026-03-05]}}}\n"
        "doses: [{state: substrate, amount: 3, times: [2026-03-02, 2026-03-03T06:00]}]\n"
        "saveat: {ts: {linspace: [2026-03-01, 2026-03-05, 17]}}\n"
        "summary: {metrics: [integral, time_of_max], first_time_above: {substrate: 10.5}}\n"
    )
    return odeflow.compose("experiment=algae", *overrides, study=study)


def test_every_point_in_time_may_be_a_date(tmp_path: Path):
    config = compose(tmp_path)
    assert (config.model.t0, config.model.t1) == (59.0, 63.5)
    assert np.array_equal(save_times(config), np.linspace(59, 63, 17))
    assert config.design.axes["t1"].values == [62.0, 63.0]
    assert config.doses[0].times == [60.0, 61.25]
    assert compose(tmp_path, "saveat.ts=[2026-03-01,60.5]").saveat.ts == [59.0, 60.5]


def test_the_dataset_has_dates_and_durations_apart(tmp_path: Path):
    found = odeflow.run(compose(tmp_path))
    decoded = xr.decode_cf(found)
    assert decoded["time"].values[[0, -1]].astype("datetime64[D]").astype(str).tolist() == [
        "2026-03-01", "2026-03-05",
    ]  # fmt: skip
    first = decoded["substrate_first_time_above"].values  # the second dose
    assert first.astype("datetime64[m]").astype(str).tolist() == ["2026-03-02T00:00"] * 2
    assert found["substrate_integral"].attrs["units"].endswith(" days")
    assert np.issubdtype(decoded["substrate_integral"].dtype, np.floating)


@pytest.mark.parametrize(
    "units, seconds",
    [("days", 86_400), ("day", 86_400), ("Hours", 3_600), ("seconds", 1), ("milliseconds", 1e-3)],
)
def test_units(units: str, seconds: float):
    known = reference_date(f"{units} since 2026-01-01T12:00")
    assert known is not None and known[0] == seconds
    found = with_dates(
        {"model": {"time_units": f"{units} since 2026-01-01T12:00", "t0": "2026-01-02"}}
    )
    assert found["model"]["t0"] * seconds == 12 * 3_600


@pytest.mark.parametrize(
    "override, message",
    [
        ("model.t0=2026-13-01", "model.t0: '2026-13-01' is not a date; write 2026-03-01"),
        ("model.t1=2026-03-05T00:00Z", "model.t1: .*without a time zone"),
        ("doses.0.times=[2026-02-30]", "doses.0.times.0: '2026-02-30' is not a date"),
        ("model.time_units=days", "model.t0: '2026-03-01' is a date; for dates write `model.time"),
        ("model.time_units=months since 2026-01-01", "model.time_units: 'months' since a date"),
        ("model.time_units=days since yesterday", "model.time_units: 'yesterday' is not a date"),
        ("model.t1=2026-02-01", "t1 .* must be greater than t0"),
    ],
)
def test_what_is_no_date_is_said_in_one_line(tmp_path: Path, override: str, message: str):
    with pytest.raises(ConfigError, match=message) as error:
        compose(tmp_path, override)
    assert "\n" not in str(error.value)
