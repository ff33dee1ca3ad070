"""`odeflow explore` without its page: what it opens, what solves, and what it says in one line."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.files.errors import ConfigError
from odeflow.report.live.quantities import quantities
from odeflow.workflow.commands.explore import explored
from tests.support.explored import write_results
from tests.support.snakes import make_study


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_study(tmp_path / "study")


@pytest.fixture
def results(study: Path) -> Path:
    return write_results(odeflow.compose("experiment=decay", study=study))


def test_a_folder_of_results_is_opened_in_its_study(results: Path):
    with explored(results) as found:
        assert found.notes == [] and found.title == "decay: decay"
        assert found.solving == "Each move solves a new trajectory, by the native engine."
        assert found.solve is not None
        solved = found.solve({"k": 0.7}, None)
        np.testing.assert_allclose(solved.values["y"], 3 * np.exp(-0.7 * solved.times), rtol=1e-4)
        assert [one.name for one in quantities(found.stored)] == ["k", "y"]


def test_the_results_alone_solve_only_by_what_they_hold_and_when_asked(
    results: Path, tmp_path: Path
):
    alone = tmp_path / "elsewhere" / "decay"
    shutil.copytree(results, alone)
    with explored(alone) as found:
        assert found.solve is None
        assert "models.py" in found.solving and "--run-stored-source" in found.solving
    with explored(alone, run_stored_source=True) as found:
        assert found.solve is not None
        solved = found.solve({"k": 1.0}, None)
        np.testing.assert_array_equal(
            solved.values["y"], found.stored.ensemble["y"].sel(k=1.0).values
        )


@pytest.mark.slow
def test_a_changed_model_does_not_solve(results: Path, study: Path):
    (study / "models.py").write_text("def decay(t, y, args):\n    return {'y': args.k * y.y}\n")
    with explored(results) as found:
        assert found.solve is None and "models.py" in found.solving


@pytest.mark.slow
def test_other_settings_of_the_study_are_said(results: Path, study: Path):
    experiment = study / "config/experiment/decay.yaml"
    experiment.write_text(experiment.read_text() + "solver: {rtol: 1e-9}\n")
    with explored(results) as found:
        (note,) = found.notes
    assert "solver.rtol" in note and "odeflow run experiment=decay" in note


@pytest.mark.slow
def test_a_missing_summary_is_said(results: Path):
    (results / "summary.nc").unlink()
    with explored(results) as found:
        (note,) = found.notes
        assert found.stored.metrics == []
    assert note == "There is no summary.nc here, so there are no metrics: run odeflow run " \
        "experiment=decay"  # fmt: skip


@pytest.mark.slow
def test_a_summary_of_another_ensemble_is_said(results: Path):
    (results / "records").mkdir()
    text = '{"plan": "", "inputs": {%s}, "outputs": {%s}}'
    file = '"results/decay/ensemble.nc": "%s"'
    (results / "records/assemble.json").write_text(text % ("", file % "new"))
    (results / "records/summarise.json").write_text(text % (file % "old", ""))
    with explored(results) as found:
        (note,) = found.notes
    assert note.startswith("summary.nc was made of another ensemble.nc than is here: run odeflow")


@pytest.mark.parametrize("name", ["results/none", "nowhere"])
def test_a_folder_without_results_is_one_line(name: str, study: Path, results: Path, monkeypatch):
    monkeypatch.chdir(study)
    with pytest.raises(ConfigError, match=r"has no ensemble\.nc .* or name one of results/decay"):
        explored(Path(name)).__enter__()


def test_nothing_to_explore_is_one_line(study: Path):
    alone = odeflow.compose("experiment=decay", "design.axes={}", "saveat.ts=null", study=study)
    with pytest.raises(ConfigError, match="one trajectory without saved times"):
        explored(write_results(alone)).__enter__()


@pytest.mark.slow
def test_a_store_is_read_lazily(study: Path):
    folder = write_results(odeflow.compose("experiment=decay", study=study), zarr=True)
    with explored(folder) as found:
        variable = found.stored.ensemble["y"].variable
        assert not variable._in_memory
        courses = found.stored.courses("y", np.array([2]))
        assert courses.shape == (1, 5) and found.solve is not None
