"""Priors that an estimation has, as laws of the design of a training set."""

from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.config.estimate import EstimatedConfig
from odeflow.design import rows
from odeflow.files.errors import ConfigError
from tests.support.snakes import EXPERIMENT_YAML, make_study

BOTH = EXPERIMENT_YAML.replace("/design: grid", "/design: random").replace(
    "  axes:\n    k: {linspace: [0.5, 2.0, 4]}", "  size: 64"
) + (
    """
analyse:
  estimate:
    data: d.csv
    parameters:
      k: {bounds: [0.1, 10], prior: {normal_on_scale: [0, 0.2]}}
      y: {bounds: [1, 5], scale: lin}
      sigma: {bounds: [0.01, 1]}
    noise: {y: sigma}
  simulate_for_inference:
    variables: [y]
"""
)


def study(folder: Path, text: str = BOTH) -> Path:
    (folder / "d.csv").write_text("time,variable,value\n0.5,y,2\n1,y,1\n")
    return make_study(folder, text)


@pytest.mark.parametrize(
    ("keys", "law"),
    [
        ({}, {"loguniform": [0.1, 10]}),
        ({"scale": "lin"}, {"uniform": [0.1, 10]}),
        ({"prior": {"normal": [1, 2]}}, {"truncnormal": [1, 2, 0.1, 10]}),
        ({"prior": {"lognormal": [1, 2]}}, {"trunclognormal": [1, 2, 0.1, 10]}),
        ({"prior": {"laplace": [1, 2]}}, {"trunclaplace": [1, 2, 0.1, 10]}),
        ({"prior": {"loglaplace": [1, 2]}}, {"truncloglaplace": [1, 2, 0.1, 10]}),
        (
            {"prior": {"normal_on_scale": [1, 2]}},
            {"trunclognormal": [np.log(10), 2 * np.log(10), 0.1, 10]},
        ),
        (
            {"scale": "log", "prior": {"laplace_on_scale": [1, 2]}},
            {"truncloglaplace": [1, 2, 0.1, 10]},
        ),
        (
            {"scale": "lin", "prior": {"laplace_on_scale": [1, 2]}},
            {"trunclaplace": [1, 2, 0.1, 10]},
        ),
    ],
)
def test_a_prior_within_its_bounds_is_a_law(keys: dict, law: dict):
    assert EstimatedConfig.model_validate({"bounds": [0.1, 10], **keys}).law == law


def test_what_is_estimated_is_drawn_by_its_prior(tmp_path: Path):
    config = odeflow.compose("experiment=decay", study=study(tmp_path))
    asked = config.analyse.simulate_for_inference
    assert list(config.design.axes) == ["k", "y"] and list(asked.parameters) == ["sigma"]
    assert asked.noise["y"].normal == "sigma"
    drawn = rows(config.design, 0, 64, tmp_path)
    assert np.std(np.log10(drawn["k"])) == pytest.approx(0.2, rel=0.2)
    assert drawn["y"].min() > 1 and drawn["y"].max() < 5


def test_laws_and_noise_of_ones_own_come_first(tmp_path: Path):
    config = odeflow.compose(
        "experiment=decay",
        "+design.axes={k: {uniform: [1, 2]}}",
        "analyse.simulate_for_inference.noise={y: {laplace: 0.1}}",
        study=study(tmp_path),
    )
    asked = config.analyse.simulate_for_inference
    assert config.design.axes["k"].uniform == (1, 2) and config.design.axes["y"].law == "uniform"
    assert asked.noise["y"].law == "laplace" and not asked.parameters


def test_without_a_training_set_an_estimation_makes_no_axes(tmp_path: Path):
    alone = "analyse.simulate_for_inference=null"
    with pytest.raises(ConfigError, match=r"design\.axes: a random design needs"):
        odeflow.compose("experiment=decay", alone, study=study(tmp_path))


def test_a_mistake_in_a_prior_is_named_where_it_is(tmp_path: Path):
    text = BOTH.replace("bounds: [0.1, 10]", "bounds: [10, 0.1]")
    with pytest.raises(ConfigError, match=r"estimate\.parameters\.k\.bounds: low \(10\)"):
        odeflow.compose("experiment=decay", study=study(tmp_path, text))
