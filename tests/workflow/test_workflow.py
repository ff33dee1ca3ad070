"""The whole workflow: real Snakemake runs in temporary folders."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.support.snakes import EXPERIMENT_YAML, MODELS, copy_of, make_study, planned, snakemake

EVERYTHING = {
    "design": 1, "solve": 1, "assemble": 1, "summarise": 1, "verify": 1, "plot": 3,
    "diagnose": 1, "overview": 1, "verdict": 1,
}  # fmt: skip

SOBOL = EXPERIMENT_YAML.replace("/design: grid", "/design: sobol").replace(
    "design:\n  axes:\n    k: {linspace: [0.5, 2.0, 4]}",
    "design:\n  size: 16\n  axes:\n    k: {uniform: [0.5, 2.0]}\nruntime:\n  chunk_size: 8",
)


def modified(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.nc")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that has run once; copied by the tests that change it."""
    study = make_study(tmp_path_factory.mktemp("study"))
    assert planned(study) == EVERYTHING
    snakemake(study)
    return study


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished study, Snakemake's records included."""
    return copy_of(finished, tmp_path)


def test_results_are_labelled(finished: Path):
    with xr.open_dataset(finished / "results/decay/ensemble.nc", decode_times=False) as ensemble:
        assert dict(ensemble.sizes) == {"k": 4, "time": 5}
        assert ensemble.y.attrs == {"units": "mg", "long_name": "amount"}
        assert ensemble.k.attrs == {"units": "1/h", "long_name": "rate constant"}
        assert ensemble.attrs["Conventions"].startswith("CF-")
        assert "success" in ensemble.status.attrs["flag_meanings"]
        exact = 3.0 * np.exp(-ensemble.k * ensemble.time)
        np.testing.assert_allclose(ensemble.y, exact.transpose("k", "time"), rtol=1e-5)
        np.testing.assert_allclose(
            ensemble.y.sel(k=2, method="nearest").isel(time=-1), 3 * np.exp(-4), rtol=1e-4
        )
    assert sorted((finished / "results/decay/figures").glob("*.png"))


def test_a_second_run_does_nothing(finished: Path):
    assert planned(finished) == {}


@pytest.mark.slow
def test_touching_files_does_nothing(study: Path):
    for path in (study / "models.py", *study.rglob("*.yaml")):
        path.touch()
    assert planned(study) == {}


@pytest.mark.slow
def test_a_plot_setting_redraws_only(study: Path):
    assert planned(study, "experiment=decay plot__dpi=60") == {
        "plot": 3, "overview": 1, "verdict": 1,
    }  # fmt: skip


@pytest.mark.slow
def test_a_changed_vector_field_solves_again(study: Path):
    (study / "models.py").write_text(MODELS.replace("-args.k", "-2 * args.k"))
    assert planned(study)["solve"] == 1
    snakemake(study)
    with xr.open_dataset(study / "results/decay/ensemble.nc", decode_times=False) as ensemble:
        np.testing.assert_allclose(ensemble.y[-1, -1], 3 * np.exp(-8), rtol=1e-3)


@pytest.mark.slow
def test_solver_a_b_a_solves_twice(study: Path):
    b = "experiment=decay solver=dopri5"
    first = modified(study / "results/chunks")
    assert planned(study, b)["solve"] == 1
    snakemake(study, config=b)
    again = planned(study)
    assert "solve" not in again and again["assemble"] == 1
    snakemake(study)
    now = modified(study / "results/chunks")
    assert len(now) == 2 and first.items() <= now.items()


@pytest.mark.slow
def test_a_longer_sobol_run_solves_only_what_is_new(tmp_path: Path):
    study = make_study(tmp_path, SOBOL)
    assert planned(study)["solve"] == 2
    snakemake(study)
    longer = "experiment=decay design__size=32"
    assert planned(study, longer)["solve"] == 2
    before = modified(study / "results/chunks")
    snakemake(study, config=longer)
    now = modified(study / "results/chunks")
    assert len(now) == 4 and before.items() <= now.items()
    with xr.open_dataset(study / "results/decay/ensemble.nc", decode_times=False) as ensemble:
        assert dict(ensemble.sizes) == {"sample": 32, "time": 5}
        exact = 3.0 * np.exp(-ensemble.k * ensemble.time)
        np.testing.assert_allclose(ensemble.y, exact, rtol=1e-5)


@pytest.mark.slow
def test_a_fresh_clone_with_kept_chunks_does_not_solve(finished: Path, tmp_path: Path):
    study = make_study(tmp_path)
    shutil.copytree(finished / "results/chunks", study / "results/chunks")
    jobs = planned(study)
    assert "solve" not in jobs and jobs["assemble"] == 1


@pytest.mark.slow
def test_two_experiments_share_chunks(study: Path):
    same = EXPERIMENT_YAML.replace("name: decay", "name: twin")
    (study / "config/experiment/twin.yaml").write_text(same)
    jobs = planned(study, "experiment=decay,twin")
    assert "solve" not in jobs and jobs["assemble"] == 1


@pytest.mark.slow
def test_three_experiments_in_one_run_solve_a_shared_chunk_once(tmp_path: Path):
    study = make_study(tmp_path, SOBOL)
    longer = SOBOL.replace("size: 16", "size: 24")
    for name, text in {"longer": longer, "coarser": SOBOL.replace("dpi: 50", "dpi: 40")}.items():
        text = text.replace("name: decay", f"name: {name}")
        (study / "config/experiment" / f"{name}.yaml").write_text(text)
    all_three = "experiment=decay,longer,coarser"
    jobs = planned(study, all_three)
    assert jobs["solve"] == 3 and jobs["assemble"] == 3
    snakemake(study, config=all_three)
    assert len(modified(study / "results/chunks")) == 3
    assert planned(study, all_three) == {}
    for name in ("decay", "longer", "coarser"):
        # each verdict waits for all experiments of its run, so it is given again
        assert planned(study, f"experiment={name}") == {"verdict": 1}


def test_a_mistake_is_one_line_and_nothing_is_written(tmp_path: Path):
    study = make_study(tmp_path)
    done = snakemake(study, config="experiment=decay solver__rtoll=1e-3", check=False)
    assert done.returncode != 0
    assert "solver.rtoll: no such key; did you mean rtol?" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (study / "results").exists()


@pytest.mark.slow
def test_a_mistake_in_the_model_names_the_state(tmp_path: Path):
    study = make_study(tmp_path)
    (study / "models.py").write_text(MODELS.replace('"y"', '"x"'))
    done = snakemake(study, check=False)
    assert done.returncode != 0
    assert "no derivative for the state 'y' and 'x' is not a state" in done.stdout
    assert "Traceback" not in done.stdout
