"""Estimation as stages: starts by jobs that extend and go on, whole runs, what makes what stale."""

import io
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.config.analyse import AnalyseConfig, SensitivityConfig
from odeflow.engines.choice import Resources
from odeflow.files.netcdf import read_dataset
from odeflow.workflow.estimation import fit_digest, start_chunks
from odeflow.workflow.pruning import prune
from odeflow.workflow.specs import stage_spec
from odeflow.workflow.stages.fit import fit_starts, keep_starts
from tests.support.estimation_studies import linear_study
from tests.support.snakes import planned, snakemake, start_snakemake

ONE = Resources(threads=1)


def fitted(config, path: Path, first: int, last: int) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return fit_starts(config, config.study, first, last, path, ONE)


def test_more_starts_keep_those_that_are_there(tmp_path):
    config = linear_study(tmp_path)
    folder = tmp_path / "0123456789abcdef"
    assert fitted(config, folder / "000000-000004.nc", 0, 4) == 4
    assert fitted(config, folder / "000002-000008.nc", 2, 8) == 4
    assert fitted(config, tmp_path / "other" / "000002-000008.nc", 2, 8) == 6
    xr.testing.assert_identical(
        read_dataset(folder / "000002-000008.nc").drop_attrs(),
        read_dataset(tmp_path / "other" / "000002-000008.nc").drop_attrs(),
    )


def test_a_file_that_is_damaged_or_of_other_settings_is_made_again(tmp_path):
    config = linear_study(tmp_path)
    path = tmp_path / "0123456789abcdef" / "000000-000003.nc"
    fitted(config, path, 0, 3)
    whole = path.read_bytes()
    assert keep_starts(path, 0, 3)
    assert not keep_starts(path, 0, 4)
    moved = tmp_path / "fedcba9876543210" / path.name
    moved.parent.mkdir()
    shutil.copy(path, moved)
    assert not keep_starts(moved, 0, 3)
    path.write_bytes(whole[: len(whole) // 2])
    assert not keep_starts(path, 0, 3)
    assert fitted(config, path, 0, 3) == 3
    assert path.read_bytes() == whole


def digest_with(tmp_path, *overrides: str) -> str:
    config = linear_study(tmp_path, *overrides)
    return fit_digest(config, tmp_path)


def test_what_cannot_change_a_start_does_not_change_its_folder(tmp_path):
    known = digest_with(tmp_path)
    for same in (
        "analyse.estimate.starts=1000",
        "analyse.estimate.starts_per_job=7",
        "analyse.estimate.level=0.9",
        "analyse.estimate.profiles=[]",
        "analyse.estimate.posterior={draws: 10}",
        "saveat.ts=[1, 2]",
        "runtime.threads=2",
        "name=another",
    ):
        assert digest_with(tmp_path, same) == known, same


def test_what_can_change_a_start_changes_its_folder(tmp_path):
    known = digest_with(tmp_path)
    for other in (
        "analyse.estimate.seed=1",
        "analyse.estimate.max_steps=20",
        "analyse.estimate.parameters.a.bounds=[-9, 10]",
        "analyse.estimate.closed_form=false",
        "solver.rtol=1e-9",
        "model.parameters.b.value=2",
    ):
        assert digest_with(tmp_path, other) != known, other
    linear_study(tmp_path)
    data = tmp_path / "data.csv"
    text = data.read_text()
    data.write_text(text + "6.0,x,1.0,0.3\n")
    config = odeflow.compose("experiment=linear", study=tmp_path)
    assert fit_digest(config, tmp_path) != known
    data.write_text("# the same, with a comment\n" + text)
    assert fit_digest(config, tmp_path) == known


@pytest.mark.parametrize("stage", ["estimate", "sensitivity", "plot_sensitivity"])
def test_an_analysis_is_nothing_to_the_other(stage: str, tmp_path: Path):
    config = linear_study(tmp_path)
    estimate, sensitivity = config.analyse.estimate, SensitivityConfig.model_validate({})
    both = AnalyseConfig(estimate=estimate, sensitivity=sensitivity)
    own = {"estimate": estimate} if stage == "estimate" else {"sensitivity": sensitivity}
    specs = [
        stage_spec(config.model_copy(update={"analyse": asked}), tmp_path, stage)
        for asked in (both, AnalyseConfig(**own), AnalyseConfig())
    ]
    assert specs[0] == specs[1] != specs[2]


def test_jobs_are_ranges_of_starts(tmp_path):
    config = linear_study(
        tmp_path, "analyse.estimate.starts=10", "analyse.estimate.starts_per_job=4"
    )
    found = start_chunks(config, tmp_path)
    assert [(one.first, one.last) for one in found] == [(0, 4), (4, 8), (8, 10)]
    assert all(one.file.startswith("results/linear/starts/") for one in found)


ASKED = (
    "experiment=linear analyse__estimate__starts=12 analyse__estimate__starts_per_job=4 "
    "verify=skip plot__formats=[png]"
)


def test_starts_that_nothing_asks_for_are_pruned(tmp_path):
    config = linear_study(tmp_path, "analyse.estimate.starts=3")
    (kept,) = start_chunks(config, tmp_path)
    other = tmp_path / "results/linear/starts/0123456789abcdef/000000-000003.nc"
    for file in (tmp_path / kept.file, other, other.with_suffix(".log"), other.parent / "mine.nc"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    removed = prune(tmp_path, [kept.file], io.StringIO())
    assert removed == [other] and (tmp_path / kept.file).exists()
    assert not other.with_suffix(".log").exists() and (other.parent / "mine.nc").exists()


@pytest.mark.slow
def test_a_run_that_is_killed_ends_with_the_same_bytes_when_it_is_run_again(tmp_path):
    """Killed once the first job of starts is done, the others at work or not begun."""
    one, two = tmp_path / "one", tmp_path / "two"
    for study in (one, two):
        linear_study(study)
    snakemake(one, config=ASKED)
    process = start_snakemake(two, config=ASKED, start_new_session=True)
    until = time.monotonic() + 300
    while not list(two.glob("results/linear/starts/*/*.nc")) and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (two / "results/linear/estimates.nc").exists()
    kept = {x: x.read_bytes() for x in two.glob("results/linear/starts/*/*.nc")}
    snakemake(two, "--unlock", config=ASKED)
    snakemake(two, "--rerun-incomplete", config=ASKED)
    for file, content in kept.items():
        assert file.read_bytes() == content
    folder = one / "results/linear"
    made = ["estimates.nc", *(f"figures/{x}.png" for x in ("waterfall", "estimates", "profiles"))]
    for file in (*made, *(x.relative_to(folder) for x in folder.glob("starts/*/*.nc"))):
        assert (folder / file).read_bytes() == (two / "results/linear" / file).read_bytes(), file
    with xr.open_dataset(folder / "estimates.nc") as found:
        np.testing.assert_array_equal(found["start"], np.arange(12))
        assert (found["identifiability"] == 0).all()
    assert "identified: the interval has both limits" in (folder / "overview.html").read_text()
    assert planned(one, config=ASKED) == {}
    assert planned(one, config=ASKED + " analyse__estimate__starts=20")["fit"] == 2
