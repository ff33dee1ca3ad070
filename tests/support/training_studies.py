"""Studies of which training sets are made, small enough to solve in a second."""

from pathlib import Path

import xarray as xr

import odeflow
from odeflow.analysis.inference.training_set import TrainingSet
from odeflow.analysis.summary import summarise
from odeflow.config.root import Config
from odeflow.design import axis_names
from tests.support.snakes import EXPERIMENT_YAML, make_study

STUDY = (
    EXPERIMENT_YAML.replace("/design: grid", "/design: random")
    .replace(
        "  - override /design",
        "  - override /analyse: simulate_for_inference\n  - override /design",
    )
    .replace("  axes:", "  size: 3000\n  axes:")
    .replace("k: {linspace: [0.5, 2.0, 4]}", "k: {uniform: [0.5, 2]}")
    + """
summary: {metrics: [final, mean], quantiles: []}
analyse:
  simulate_for_inference:
    variables: [y]
    noise: {y: sigma, y_mean: {lognormal: 0.1}}
    parameters: {sigma: {loguniform: [0.1, 1]}}
    shard_size: 1024
verify: {number: 2}
"""
)


def training_study(folder: Path, *overrides: str) -> Config:
    """The config of the study."""
    return odeflow.compose("experiment=decay", *overrides, study=make_study(folder, STUDY))


def solved(config: Config) -> tuple[xr.Dataset, xr.Dataset]:
    """Its ensemble and summary, in memory."""
    ensemble = odeflow.run(config)
    return ensemble, summarise(ensemble, config.summary)


def training_set(config: Config, ensemble: xr.Dataset, summary: xr.Dataset) -> TrainingSet:
    """The training set of what is solved."""
    return TrainingSet(config, axis_names(config.design, config.study), ensemble, summary)
