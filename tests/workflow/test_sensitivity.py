"""Sensitivity analysis as a stage: from one command to indices, figures and sentences."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from odeflow.config.validate import validate
from odeflow.workflow.experiment import Experiment
from odeflow.workflow.plan import plan
from tests.support.snakes import EXPERIMENT_YAML, make_study, planned, request, snakemake, whole

STUDY = (
    EXPERIMENT_YAML.replace("/design: grid", "/design: saltelli")
    .replace("  - override /design", "  - override /analyse: sensitivity\n  - override /design")
    .replace(
        "    k: {linspace: [0.5, 2.0, 4]}", "    k: {uniform: [0.5, 2]}\n    y: {uniform: [1, 3]}"
    )
    .replace("  axes:", "  size: 64\n  axes:")
    + "verify:\n  number: 2\n"
)
FIGURES = {"sensitivity_indices", "sensitivity_over_time", "sensitivity_convergence"}


def experiment(study: Path, *overrides: str) -> Experiment:
    settings = {"experiment": "decay", "overrides": list(overrides)}
    return plan(request(settings, study), study)["decay"]


def changed(base: Experiment, key: str, value: Any) -> Experiment:
    """The same with one key of the config changed, which costs no composing."""
    data = base.config.model_dump(mode="json")
    *groups, last = key.split(".")
    inner = data
    for group in groups:
        inner = inner[group]
    inner[last] = value
    return Experiment(validate(data).in_study(base.study), base.study)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return experiment(make_study(tmp_path_factory.mktemp("study"), STUDY))


@pytest.mark.parametrize(
    ("key", "value", "stages"),
    [
        ("analyse.sensitivity.resamples", 50, {"sensitivity"}),
        ("analyse.sensitivity.level", 0.9, {"sensitivity"}),
        ("analyse.sensitivity.seed", 1, {"sensitivity"}),
        ("analyse.sensitivity.halvings", 2, {"sensitivity"}),
        ("analyse.sensitivity.variables", ["y"], {"sensitivity"}),
        ("analyse.sensitivity.metrics", [], {"sensitivity"}),
        ("design.second_order", True, {"sensitivity", "assemble"}),
        ("design.groups", {"both": ["k"]}, {"sensitivity", "assemble"}),
        ("solver.rtol", 1e-8, {"sensitivity", "assemble"}),
        ("summary.first_time_below", {"y": 1.0}, {"sensitivity", "assemble"}),
        ("plot.dpi", 61, set()),
        ("verify.number", 3, set()),
        ("runtime.chunk_size", 10, {"assemble"}),
    ],
)
def test_what_changes_an_index_changes_its_digest(
    base: Experiment, key: str, value: Any, stages: set[str]
):
    other = changed(base, key, value)
    plans = lambda name: [one.stage(name).plan for one in (base, other)]
    assert {name for name in ("sensitivity", "assemble") if len({*plans(name)}) > 1} == stages


def test_the_analysis_changes_no_trajectory(base: Experiment):
    chunks = base.chunk_files
    assert changed(base, "analyse.sensitivity.resamples", 7).chunk_files == chunks
    assert changed(base, "analyse.sensitivity", None).chunk_files == chunks
    small = changed(base, "runtime.chunk_size", 128)
    assert set(small.chunk_files) < set(changed(small, "design.size", 128).chunk_files)


def test_without_an_analysis_there_is_no_file_of_it(base: Experiment):
    plain = changed(base, "analyse.sensitivity", None)
    assert plain.indices is None and not [f for f in plain.targets if "sensitiv" in f]
    kinds = {Path(file).stem for file in base.targets if "figures" in file}
    assert kinds >= FIGURES and "morris_plane" not in kinds
    assert "morris_plane" in changed(base, "design.kind", "morris").figures


@pytest.mark.slow
def test_one_command_gives_indices_figures_and_sentences(tmp_path: Path):
    study = make_study(tmp_path, STUDY)
    snakemake(study)
    results = study / "results/decay"
    page = (results / "overview.html").read_text()
    answers = page.partition('<ul class="answers">')[2].partition("</ul>")[0]
    assert "explains" in answers and "of the variance of" in answers
    assert "<h2>Sensitivity</h2>" in page
    assert {file.stem for file in (results / "figures").glob("sensitivity*.png")} == FIGURES
    with xr.open_dataset(results / "indices.nc", decode_times=False) as found:
        before = found.load()
    assert before["y_first_order"].dims == ("parameter", "time")
    assert before.attrs["Conventions"] == "CF-1.11"

    # other intervals: nothing is solved, and what shows them is made again
    due = planned(study, "experiment=decay analyse__sensitivity__level=0.5")
    assert due == dict.fromkeys(("sensitivity", "plot", "overview", "verdict"), 1)

    # more base points: the blocks that are there stay, to the bit
    kept = whole(study)
    snakemake(study, config="experiment=decay design__size=128")
    assert kept.items() <= whole(study).items()
    logs = "".join(file.read_text() for file in (study / "results/chunks").rglob("*.log"))
    assert "256 of 512 rows are in" in logs
    with xr.open_dataset(results / "indices.nc", decode_times=False) as found:
        place = found["prefix"].values.tolist().index(64)
        at = found["y_first_order_convergence"][place].values
        np.testing.assert_allclose(at, before["y_first_order"].values, rtol=1e-9, atol=1e-12)

    # without the analysis its section goes
    snakemake(study, config="experiment=decay design__size=128 analyse=none")
    assert "explains" not in (results / "overview.html").read_text()
