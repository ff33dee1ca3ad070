"""Training sets as a stage: what makes one stale, and one command from a study to shards."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from odeflow.workflow.experiment import Experiment
from odeflow.workflow.plan import plan
from tests.support.snakes import make_study, planned, request, snakemake, whole
from tests.support.training_studies import STUDY
from tests.workflow.test_sensitivity import changed

STAGE, KEY = "simulate_for_inference", "analyse.simulate_for_inference"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    study = make_study(tmp_path_factory.mktemp("study"), STUDY)
    return plan(request({"experiment": "decay"}, study), study)["decay"]


@pytest.mark.parametrize(
    ("key", "value", "stages"),
    [
        (f"{KEY}.seed", 1, {STAGE}),
        (f"{KEY}.metrics", ["y_mean"], {STAGE}),
        (f"{KEY}.noise", {"y": {"normal": 1.0}}, {STAGE}),
        (f"{KEY}.parameters", {"sigma": {"uniform": [1, 2]}}, {STAGE}),
        (f"{KEY}.shard_size", 2048, {STAGE}),
        ("summary.metrics", ["final"], {STAGE, "summarise", "assemble"}),
        ("design.size", 40, {STAGE, "summarise", "assemble"}),
        ("analyse.sensitivity", {}, set()),
        ("plot.dpi", 61, set()),
        ("verify.number", 3, set()),
    ],
)
def test_what_changes_a_row_changes_its_digest(
    base: Experiment, key: str, value: Any, stages: set[str]
):
    other = changed(base, key, value)
    plans = lambda name: {one.stage(name).plan for one in (base, other)}
    assert {name for name in (STAGE, "summarise", "assemble") if len(plans(name)) > 1} == stages


def test_the_training_set_changes_no_trajectory(base: Experiment):
    assert changed(base, f"{KEY}.seed", 7).chunk_files == base.chunk_files
    assert changed(base, KEY, None).chunk_files == base.chunk_files


def test_each_format_has_a_rule_and_a_folder(base: Experiment):
    assert base.training == "results/decay/training" and base.rule_of(STAGE) == STAGE
    zarr = changed(base, f"{KEY}.format", "zarr")
    assert zarr.training == "results/decay/training.zarr"
    assert zarr.rule_of(STAGE) == f"{STAGE}_zarr" and zarr.training in zarr.targets
    none = changed(base, KEY, None)
    assert none.training is None and not [file for file in none.targets if "training" in file]


@pytest.mark.slow
def test_one_command_gives_shards_a_figure_and_a_sentence(tmp_path: Path):
    study = make_study(tmp_path, STUDY)
    snakemake(study)
    results = study / "results/decay"
    page = (results / "overview.html").read_text()
    answers = page.partition('<ul class="answers">')[2].partition("</ul>")[0]
    assert "3,000 of 3,000 simulations can be learned from" in answers
    assert (results / "figures/training_set.png").stat().st_size > 1000
    read = lambda: [xr.load_dataset(file) for file in sorted((results / "training").glob("*.nc"))]
    before = read()
    assert [shard.sizes["sample"] for shard in before] == [1024, 1024, 952]

    # other noise: nothing is solved
    due = planned(study, f"experiment=decay analyse__{STAGE}__seed=1")
    assert due == dict.fromkeys(("simulate", "plot", "overview", "verdict"), 1)

    # more samples: the trajectories that are there stay, and so do the rows, to the bit
    kept = whole(study)
    snakemake(study, config="experiment=decay design__size=4000")
    assert kept.items() <= whole(study).items()
    after = read()
    for one, other in zip(before[:2], after[:2], strict=True):
        for name in ("theta", "x", "valid"):
            np.testing.assert_array_equal(one[name].values, other[name].values)
    part = after[2].isel(sample=slice(952))
    np.testing.assert_array_equal(part["x"].values, before[2]["x"].values)

    # what was edited is noticed by what reads it
    (results / "training/00001.nc").write_bytes(b"edited")
    (results / "figures/training_set.png").unlink()
    done = snakemake(study, config="experiment=decay design__size=4000", check=False)
    assert done.returncode and "is not what was written" in done.stdout

    # a store in its place, without the folder's rows being drawn again
    (results / "training/00001.nc").unlink()
    settings = f"experiment=decay design__size=4000 analyse__{STAGE}__format=zarr"
    snakemake(study, config=settings)
    with xr.open_zarr(results / "training.zarr", chunks=None) as store:
        np.testing.assert_array_equal(store["x"].values[:1024], before[0]["x"].values)
        assert store.sizes["sample"] == 4000
