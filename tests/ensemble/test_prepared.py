"""An experiment is built once where nothing of it can have changed, and again where it can."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.ensemble.prepared import prepare

FIELD = "def field(t, y, args):\n    return {{'x': {rate} * y.x}}\n"
MODEL = (
    "name: growth\nvector_field: {place}:field\nt1: 1.0\nstates: {{x: {{initial: 1.0}}}}\n"
    "parameters: {{k: {{value: 1.0}}}}\n"
)
AXES = "design.axes={k: {values: [1, 2]}}"


def compose(study: Path, place: str, *overrides: str) -> odeflow.Config:
    (study / "config/model").mkdir(parents=True, exist_ok=True)
    (study / "config/model/growth.yaml").write_text(MODEL.format(place=place))
    chosen = ("~experiment", "model=growth", "name=growth", AXES, "saveat.ts=[0, 1]")
    return odeflow.compose(*chosen, *overrides, study=study)


def ends(config: odeflow.Config) -> np.ndarray:
    return np.log(odeflow.run(config)["x"].values[:, -1])


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that is installed, as far as Python can tell."""
    file = tmp_path / "modules/growing_fields.py"
    file.parent.mkdir()
    file.write_text(FIELD.format(rate="args.k"))
    monkeypatch.syspath_prepend(file.parent)
    monkeypatch.delitem(sys.modules, file.stem, raising=False)
    return file


def test_the_same_experiment_is_built_once(tmp_path: Path, module: Path):
    one, same = (compose(tmp_path, module.stem) for _ in range(2))
    assert prepare(one, tmp_path, ["k"]) is prepare(same, tmp_path, ["k"])
    np.testing.assert_allclose(ends(one), [1, 2], rtol=1e-5)
    assert odeflow.run(one).identical(odeflow.run(same))


@pytest.mark.parametrize(
    "override",
    ["solver.rtol=1e-9", "model.t1=2", "runtime.engine=diffrax", "design.axes.k.values=[3]"],
)
def test_another_setting_is_built_again(tmp_path: Path, module: Path, override: str):
    before, after = compose(tmp_path, module.stem), compose(tmp_path, module.stem, override)
    assert prepare(before, tmp_path, ["k"]) is not prepare(after, tmp_path, ["k"])
    np.testing.assert_allclose(ends(before), [1, 2], rtol=1e-5)
    np.testing.assert_allclose(ends(after), after.design.axes["k"].values, rtol=1e-5)


def test_an_environment_that_differs(tmp_path: Path, module: Path, monkeypatch):
    config = compose(tmp_path, module.stem)
    before = prepare(config, tmp_path, ["k"])
    monkeypatch.setenv("ODEFLOW_SOMETHING", "else")
    assert prepare(config, tmp_path, ["k"]) is not before


def test_a_module_that_is_loaded_again(tmp_path: Path, module: Path):
    config = compose(tmp_path, module.stem)
    np.testing.assert_allclose(ends(config), [1, 2], rtol=1e-5)
    module.write_text(FIELD.format(rate="-2.5 * args.k"))
    importlib.reload(sys.modules[module.stem])
    np.testing.assert_allclose(ends(config), [-2.5, -5], rtol=1e-4)


def test_a_file_of_the_study_that_is_changed(tmp_path: Path):
    (tmp_path / "models.py").write_text(FIELD.format(rate="args.k"))
    config = compose(tmp_path, "models.py")
    np.testing.assert_allclose(ends(config), [1, 2], rtol=1e-5)
    (tmp_path / "models.py").write_text(FIELD.format(rate="-2.5 * args.k"))
    np.testing.assert_allclose(ends(config), [-2.5, -5], rtol=1e-4)
