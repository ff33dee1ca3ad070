"""Array parameters: lists and files, factors, scenarios, coordinates of dimensions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

import odeflow
from odeflow.importers.loading import load_model
from odeflow.trust.verification.trajectory import Trajectories
from odeflow.workflow.chunks import solve_digest
from tests.support.snakes import make_study, snakemake

ENGINES = pytest.mark.parametrize(
    "engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)]
)
MATRIX = np.array([[-1.0, 0.25], [0.5, -0.75]])
OTHER = np.array([[-0.5, 0.0], [0.1, -0.2]])
FIELD = """
def decay(t, y, args):
    return {"y": args.mix @ y.y}
"""
START = np.array([1.0, 2.0])


def study_with(folder: Path, mix: str, initial: str = "[1.0, 2.0]", more: str = "") -> Path:
    """A study of y' = A y with a matrix A."""
    study = make_study(folder)
    (study / "models.py").write_text(FIELD)
    (study / "config/model/decay.yaml").write_text(
        "name: decay\nvector_field: models.py:decay\nt1: 2.0\n"
        f"states:\n  y: {{initial: {initial}, dims: [age]}}\n"
        f"parameters:\n  mix: {{{mix}, dims: [age, from_age]}}\n{more}"
    )
    return study


def solved(study: Path, axes: str, *overrides: str) -> Any:
    given = [f"design.axes={axes}", "solver.rtol=1e-9", "solver.atol=1e-11", *overrides]
    return odeflow.run(odeflow.compose("experiment=decay", *given, study=study))


@ENGINES
def test_an_axis_of_its_name_is_a_factor(engine: str, tmp_path: Path):
    study = study_with(tmp_path, f"value: {MATRIX.tolist()}")
    found = solved(study, "{mix: {values: [1, 0.5, 2]}}", f"runtime.engine={engine}")
    assert found.attrs["odeflow_engine"] == engine
    for factor, y in zip((1, 0.5, 2), found["y"].values):
        np.testing.assert_allclose(y[-1], expm(2 * factor * MATRIX) @ START, rtol=1e-7)
    assert found["mix"].attrs["long_name"] == "factor of mix"
    assert found["mix"].attrs["units"] == "1"


@ENGINES
def test_a_categorical_axis_chooses_among_arrays(engine: str, tmp_path: Path):
    text = lambda matrix: (
        "label,young,old\n"
        + "".join(
            f"{name},{','.join(map(str, row))}\n" for name, row in zip(("young", "old"), matrix)
        )
    )
    study = study_with(tmp_path, "file: {open: a.csv, closed: b.npy}, by: schools")
    (study / "a.csv").write_text(text(MATRIX))
    np.save(study / "b.npy", OTHER)
    axes = "{schools: {names: [closed, open]}, mix: {values: [1, 0.5]}}"
    found = solved(study, axes, f"runtime.engine={engine}")
    for i, matrix in enumerate((OTHER, MATRIX)):
        for j, factor in enumerate((1, 0.5)):
            expected = expm(2 * factor * matrix) @ START
            np.testing.assert_allclose(found["y"][i, j, -1], expected, rtol=1e-7)


@pytest.mark.slow
def test_a_dose_may_set_the_factor_and_verification_follows(tmp_path: Path):
    study = study_with(tmp_path, f"value: {MATRIX.tolist()}")
    doses = "doses=[{parameter: mix, value: 0.25, time: 0.5}]"
    config = odeflow.compose(
        "experiment=decay", "design.axes={mix: {values: [1]}}", doses, "solver.rtol=1e-9",
        study=study,
    )  # fmt: skip
    found = odeflow.run(config)
    expected = expm(1.5 * 0.25 * MATRIX) @ expm(0.5 * MATRIX) @ START
    np.testing.assert_allclose(found["y"][0, -1], expected, rtol=1e-7)
    trajectories = Trajectories(config, load_model(config.model, study), study)
    assert trajectories.functions.evaluator == "numpy"
    first, second = trajectories.problem(found.isel(mix=0)).changes
    slope = trajectories.functions.vector_field(0.0, START, second.args)
    np.testing.assert_allclose(slope, 0.25 * MATRIX @ START)
    assert first.args.tolist() == [1.0]


@pytest.mark.slow
def test_derivatives_along_a_factor(tmp_path: Path):
    study = study_with(tmp_path, f"value: {MATRIX.tolist()}")
    found = solved(study, "{mix: {values: [1, 0.5]}}", "saveat.sensitivities=[mix]")
    for factor, slope in zip((1, 0.5), found["d_y_d_mix"].values):
        expected = 2 * MATRIX @ expm(2 * factor * MATRIX) @ START
        np.testing.assert_allclose(slope[-1], expected, rtol=1e-6)


@pytest.mark.slow
def test_a_start_of_a_file_and_coordinates_of_dimensions(tmp_path: Path):
    more = "coords:\n  age: ['0-9', '10+']\n  from_age: {values: [5, 40], units: year}\n"
    study = study_with(tmp_path, f"value: {MATRIX.tolist()}", "start.csv", more)
    (study / "start.csv").write_text("share\n1\n2\n")
    found = solved(study, "{mix: {values: [1]}}")
    assert found["age"].values.tolist() == ["0-9", "10+"]
    expected = (expm(2 * MATRIX) @ START)[1]
    assert float(found["y"].sel(age="10+")[0, -1]) == pytest.approx(expected, rel=1e-7)


def test_the_numbers_of_files_are_in_the_config_and_its_digest(tmp_path: Path):
    study = study_with(tmp_path, "file: a.csv")
    (study / "a.csv").write_text("young,old\n-1,0.25\n0.5,-0.75\n")
    axes = "design.axes={mix: {values: [1]}}"
    compose = lambda: odeflow.compose("experiment=decay", axes, study=study)
    before = compose()
    assert before.model.arrays["mix"].value == MATRIX.tolist()
    (study / "a.csv").write_text("young,old\n-1,0.25\n0.5,-0.5\n")
    assert solve_digest(compose(), study) != solve_digest(before, study)


@pytest.mark.slow
def test_a_whole_run_keeps_coordinates_in_its_file(tmp_path: Path):
    import xarray as xr

    more = "coords: {age: ['0-9', '10+']}\n"
    study = study_with(tmp_path, f"value: {MATRIX.tolist()}", more=more)
    experiment = study / "config/experiment/decay.yaml"
    text = experiment.read_text().replace("k: {linspace: [0.5, 2.0, 4]}", "mix: {values: [1, 2]}")
    experiment.write_text(text)
    snakemake(study)
    for name in ("ensemble", "summary"):
        with xr.open_dataset(study / f"results/decay/{name}.nc", decode_times=False) as data:
            assert data["age"].values.tolist() == ["0-9", "10+"]
