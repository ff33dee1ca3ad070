"""The stage that computes metrics, quantiles and likelihoods of an ensemble."""

from pathlib import Path

from odeflow.config.root import Config
from odeflow.ensemble_file import open_ensemble
from odeflow.likelihood import Measurements
from odeflow.summary import summarise_to_file


def summarise(config: Config, study: Path, ensemble: Path, path: Path) -> None:
    """Writes metrics of every trajectory, quantiles and the likelihood of measurements."""
    with open_ensemble(ensemble) as dataset:
        summarise_to_file(dataset, config.summary, path, measurements_of(config, study))


def measurements_of(config: Config, study: Path) -> Measurements | None:
    """The measurements that the trajectories are compared with, if there are any."""
    if config.design.petab is None:
        return None
    from odeflow.petab.data import read_measurements  # which imports libsbml

    return read_measurements(config, study)
