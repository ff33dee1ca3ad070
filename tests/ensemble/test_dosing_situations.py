"""Recorded doses against closed forms: forty situations, each a subject of one data set."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.config.root import Config
from odeflow.trust.verification.run import verify
from tests.support.dosing_situations import MODEL, PARAMETERS, SITUATIONS, STATES, data_set

_YAML = """
name: pk
vector_field: models.py:vector_field
observables: {{function: "models.py:observables", variables: {{concentration: {{units: mg/L}}}}}}
t1: 48
time_units: h
states:
  gut: {{initial: 0, units: mg}}
  central: {{initial: 3, units: mg}}
  peripheral: {{initial: 0, units: mg}}
parameters: {{{parameters}}}
compartments:
  gut: {{bioavailability: f1, lag: tlag, duration: d1, rate: r1}}
  central: {{bioavailability: "f1 * 1", lag: "2 * tlag / 2", duration: d1, rate: r1}}
"""


_EXPERIMENT = """
# @package _global_
defaults:
  - override /model: pk
  - override /design: nonmem
  - override /solver: tsit5
name: recorded
solver: {rtol: 1e-10, atol: 1e-10}
saveat: {ts: [0, 5, 24, 48]}
"""


def study(folder: Path, data: str) -> Path:
    """A study with the linear model and a data set."""
    (folder / "config" / "model").mkdir(parents=True)
    parameters = ", ".join(f"{name}: {{value: {value}}}" for name, value in PARAMETERS.items())
    text = _YAML.format(parameters=parameters)
    (folder / "config" / "model" / "pk.yaml").write_text(text)
    (folder / "config" / "experiment").mkdir()
    (folder / "config" / "experiment" / "recorded.yaml").write_text(_EXPERIMENT)
    (folder / "models.py").write_text(MODEL)
    (folder / "data.csv").write_text(data)
    return folder


def composed(folder: Path, *more: str) -> Config:
    """The experiment of the data set, at tight tolerances."""
    columns = ", ".join(f"{name}: {name}" for name in PARAMETERS)
    return odeflow.compose(
        "experiment=recorded",
        f"design.nonmem={{file: data.csv, covariates: {{{columns}}}}}",
        *more,
        study=folder,
    )


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, xr.Dataset]:
    folder = study(tmp_path_factory.mktemp("situations"), data_set())
    more = ("runtime.engine=native", "summary.metrics=[]", "verify.number=12")
    config = composed(folder, *more)
    return config, odeflow.run(config)


def _at_records(ds: xr.Dataset, number: int) -> np.ndarray:
    sizes = ds["row_size"].values
    first = int(sizes[:number].sum())
    own = slice(first, first + int(sizes[number]))
    return np.stack([ds[f"{name}_at_record"].values[own] for name in STATES], axis=1)


@pytest.mark.parametrize("number", range(len(SITUATIONS)), ids=[x.name for x in SITUATIONS])
def test_every_situation_is_its_closed_form(solved: tuple[Config, xr.Dataset], number: int) -> None:
    _, ds = solved
    expected = SITUATIONS[number].expected()
    found = _at_records(ds, number)
    assert ds["status"].values[number] == 0
    assert found.shape == expected.shape
    scale = np.abs(expected).max()
    assert np.abs(found - expected).max() < 1e-8 * scale


def test_there_are_forty() -> None:
    assert len(SITUATIONS) >= 40


def test_values_at_saved_times_are_those_of_the_closed_form(
    solved: tuple[Config, xr.Dataset],
) -> None:
    """`saveat.ts` has values for all subjects, beside those at their own times."""
    _, ds = solved
    for number, one in enumerate(SITUATIONS):
        later = replace(one, times=(24.0, 48.0), before=(), records=one.records)
        if one.first == later.first:
            saved = [ds[name].sel(time=[24.0, 48.0]).values[number] for name in STATES]
            assert np.abs(np.transpose(saved) - later.expected()).max() < 1e-7


def test_verification_finds_the_same(solved: tuple[Config, xr.Dataset]) -> None:
    """Twelve situations by an expansion and a search for steady states of its own."""
    config, ds = solved
    found = verify(config, config.study, ds)
    assert found.attrs["verdict"] == "passed" and found.attrs["number_verified"] == 12
    assert found["relative_error"].values.max() < 1e-8


@pytest.mark.slow
def test_verification_sees_a_dose_that_is_not_given(solved: tuple[Config, xr.Dataset]) -> None:
    config, ds = solved
    wrong = ds.copy(deep=True)
    for name in ds.data_vars:
        if str(name).endswith("_at_record"):
            wrong[name] = ds[name] * 1.05
    assert verify(config, config.study, wrong).attrs["verdict"] == "failed"


@pytest.mark.slow
def test_diffrax_gives_the_same(tmp_path: Path) -> None:
    config = composed(study(tmp_path, data_set()), "runtime.engine=diffrax", "summary.metrics=[]")
    ds = odeflow.run(config)
    for number, one in enumerate(SITUATIONS):
        expected = one.expected()
        error = np.abs(_at_records(ds, number) - expected).max()
        assert error < 1e-8 * np.abs(expected).max(), one.name
