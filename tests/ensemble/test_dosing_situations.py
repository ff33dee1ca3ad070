"""Recorded doses against closed forms: forty situations, each a subject of one data set."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.config.root import Config
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
  - override /solver: dopri8
name: recorded
solver: {rtol: 1e-11, atol: 1e-11}
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
    config = composed(folder, "runtime.engine=native", "summary.metrics=[]")
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
