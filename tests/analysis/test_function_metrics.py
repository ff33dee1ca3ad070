"""The user's own metrics: in JAX and NumPy, over grids and samples, with failures, in digests."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import odeflow
from odeflow.analysis.function_metrics import function_metrics
from odeflow.analysis.summary import summarise
from odeflow.files import slabs
from odeflow.workflow.chunks import solve_digest
from odeflow.workflow.specs import stage_spec
from tests.support.snakes import EXPERIMENT_YAML, MODEL_YAML, MODELS, make_study

IN_JAX = """
import jax.numpy as jnp


def own(course, args):
    return {"area": jnp.trapezoid(course.y, course.t), "scaled": args.k * course.y[-1]}
"""
IN_NUMPY = """
import numpy as np


def own(course, args):
    half = float(np.interp(-1.5, -np.asarray(course.y), course.t)) # needs numbers
    return {"half_time": half, "moved": args.shift}
"""


def made(folder: Path, functions: str, units: dict[str, str], *overrides: str) -> Any:
    study = make_study(folder)
    (study / "own.py").write_text(functions)
    model = MODEL_YAML + "  shift: {value: 0.25}\n"
    (study / "config/model/decay.yaml").write_text(model)
    asked = {"summary": {"functions": "own.py:own", "function_units": units}}
    text = EXPERIMENT_YAML + yaml.safe_dump(asked)
    (study / "config/experiment/decay.yaml").write_text(text)
    (study / "models.py").write_text(MODELS)
    return odeflow.compose("experiment=decay", *overrides, study=study)


def test_functions_in_jax_see_courses_and_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = made(tmp_path, IN_JAX, {"area": "mg h", "scaled": "mg/h"})
    ensemble = odeflow.run(config)
    ensemble["status"][1] = 1  # as if it had failed
    functions = function_metrics(config, config.study, ensemble)
    found = summarise(ensemble, config.summary, functions=functions)
    y, k = ensemble["y"].values, ensemble["k"].values
    area = np.trapezoid(y, ensemble["time"].values, axis=1)
    rest = np.array([0, 2, 3])
    np.testing.assert_allclose(found["area"].values[rest], area[rest], rtol=1e-12)
    np.testing.assert_allclose(found["scaled"].values[rest], (k * y[:, -1])[rest], rtol=1e-12)
    assert np.isnan(found["area"].values[1]) and found["area"].attrs["units"] == "mg h"
    # in slabs
    monkeypatch.setattr(slabs, "READ_BYTES", 50)
    monkeypatch.setattr(slabs, "PIECE", 1)
    again = summarise(ensemble, config.summary, functions=functions)
    np.testing.assert_array_equal(again["area"].values, found["area"].values)


@pytest.mark.slow
def test_functions_in_numpy_are_called_row_by_row(tmp_path: Path):
    axes = "design.axes={k: {values: [1, 2]}, shift: {values: [0, 3]}}"
    config = made(tmp_path, IN_NUMPY, {"half_time": "h", "moved": "1"}, axes)
    ensemble = odeflow.run(config)
    found = summarise(
        ensemble, config.summary, functions=function_metrics(config, config.study, ensemble)
    )
    assert found["half_time"].dims == ("k", "shift")
    # linear between the saved times, half an hour apart
    np.testing.assert_allclose(found["half_time"][:, 0], np.log(2) / np.array([1, 2]), atol=0.05)
    np.testing.assert_array_equal(found["moved"].values, [[0, 3], [0, 3]])


def test_a_changed_function_computes_metrics_again_and_solves_nothing(tmp_path: Path):
    config = made(tmp_path, IN_JAX, {"area": "mg h", "scaled": "mg/h"})
    before = repr(stage_spec(config, config.study, "summarise")), solve_digest(config, tmp_path)
    (tmp_path / "own.py").write_text(IN_JAX.replace("args.k *", "args.k +"))
    after = repr(stage_spec(config, config.study, "summarise")), solve_digest(config, tmp_path)
    assert before[0] != after[0] and before[1] == after[1]
