"""Initial values computed by a function of the study, or read from a file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import odeflow
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model
from odeflow.trust.verification.trajectory import Trajectories
from odeflow.workflow.chunks import solve_digest
from tests.support.snakes import make_study

ENGINES = pytest.mark.parametrize(
    "engine", ["native", pytest.param("diffrax", marks=pytest.mark.slow)]
)
MODELS = """
import jax.numpy as jnp

def decay(t, y, args):
    return {"y": -args.k * y.y, "z": -args.k * y.z}

def start(args):
    return args.a ** 2 * jnp.exp(-args.x) / args.scale

def total(args):
    return args.a / args.k
"""
X, A = np.array([0.0, 0.5, 1.0]), np.array([1.0, 3.0])
STATES = "{y: {initial: {function: models.py:start, shape: [3]}, dims: [place]}, " + (
    "z: {initial: models.py:total}}"
)


def study_with(folder: Path, states: str = STATES, models: str = MODELS) -> Path:
    study = make_study(folder)
    (study / "models.py").write_text(models)
    (study / "config/model/decay.yaml").write_text(
        f"name: decay\nvector_field: models.py:decay\nt1: 2.0\nstates: {states}\n"
        "parameters:\n  k: {value: 0.5}\n  a: {value: 2}\n  scale: {value: 1}\n"
        "  x: {value: [0, 0.5, 1], dims: [place]}\n"
    )
    return study


def composed(study: Path, *overrides: str) -> Any:
    axes = "design.axes={a: {values: [1, 3]}}"
    tolerances = ["solver.rtol=1e-10", "solver.atol=1e-12"]
    return odeflow.compose("experiment=decay", axes, *tolerances, *overrides, study=study)


@ENGINES
def test_an_axis_changes_what_is_computed(engine: str, tmp_path: Path):
    study = study_with(tmp_path)
    config = composed(study, f"runtime.engine={engine}")
    found = odeflow.run(config)
    assert found.attrs["odeflow_engine"] == engine
    y = A[:, None, None] ** 2 * np.exp(-X) * np.exp(-0.5 * found["time"].values)[:, None]
    np.testing.assert_allclose(found["y"].transpose("a", "time", "place"), y, rtol=1e-8)
    trajectories = Trajectories(config, load_model(config.model, study), study)
    problem = trajectories.problem(found.isel(a=1))
    np.testing.assert_allclose(problem.y0, [*(9 * np.exp(-X)), 6.0], rtol=1e-14)
    moved = trajectories.problem(found.isel(a=1), {"k": 0.5})
    assert moved.y0[-1] == pytest.approx(3.0)


@pytest.mark.slow
@ENGINES
def test_derivatives_begin_with_those_of_the_start(engine: str, tmp_path: Path):
    config = composed(
        study_with(tmp_path), f"runtime.engine={engine}", "saveat.sensitivities=[a, k]"
    )
    found = odeflow.run(config)
    t = found["time"].values
    faded = np.exp(-0.5 * t)
    y = A[:, None, None] ** 2 * np.exp(-X) * faded[:, None]
    np.testing.assert_allclose(found["y"].transpose("a", "time", "place"), y, rtol=1e-8)
    slope = found["d_y_d_a"].transpose("a", "time", "place")
    np.testing.assert_allclose(slope, 2 * y / A[:, None, None], rtol=1e-8)
    z = A[:, None] / 0.5 * faded
    np.testing.assert_allclose(found["z"], z, rtol=1e-8)
    np.testing.assert_allclose(found["d_z_d_k"], z * (-1 / 0.5 - t), rtol=1e-6, atol=1e-9)


def test_an_axis_over_a_computed_state_comes_before(tmp_path: Path):
    found = odeflow.run(
        odeflow.compose(
            "experiment=decay", "design.axes={z: {values: [7, 8]}}", study=study_with(tmp_path)
        )
    )
    np.testing.assert_allclose(found["z"].isel(time=0), [7, 8])
    np.testing.assert_allclose(found["y"].isel(time=0, place=0), [4, 4])


def test_what_computes_it_is_part_of_the_digest(tmp_path: Path):
    study = study_with(tmp_path)
    before = solve_digest(composed(study), study)
    (study / "other.py").write_text(MODELS)
    assert solve_digest(composed(study), study) == before
    states = STATES.replace("models.py:total", "other.py:total")
    study_with(tmp_path, states)
    between = solve_digest(composed(study), study)
    (study / "other.py").write_text(MODELS.replace("args.a / args.k", "args.a * args.k"))
    assert len({before, between, solve_digest(composed(study), study)}) == 3


def test_a_file_of_netcdf_has_the_numbers(tmp_path: Path):
    dataset = xr.Dataset({"u": ("place", 1 + X), "v": ("place", X)}, {"place": X})
    study = study_with(
        tmp_path, "{y: {initial: {file: s.nc, variable: u}, dims: [place]}, z: {initial: 1}}"
    )
    dataset.to_netcdf(study / "s.nc")
    assert composed(study).model.states["y"].initial == (1 + X).tolist()
    study_with(tmp_path, "{y: {initial: s.nc, dims: [place]}, z: {initial: 1}}")
    with pytest.raises(ConfigError, match="variable: say which one; it has u, v"):
        composed(study)


def test_a_wrong_shape_is_refused(tmp_path: Path):
    study = study_with(tmp_path, STATES.replace("[3]", "[2]").replace("place", "other"))
    with pytest.raises(ConfigError, match=r"states.y.initial: models.py:start returned shape"):
        load_model(composed(study).model, study)
    study = study_with(tmp_path, STATES.replace("models.py:total", "models.py:decay"))
    with pytest.raises(ConfigError, match=r"states.z.initial: .* called with one, \(args\)"):
        load_model(composed(study).model, study)
