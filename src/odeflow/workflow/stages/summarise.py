"""The stage that computes metrics, quantiles and likelihoods of an ensemble."""

import sys
from pathlib import Path

from odeflow.analysis.function_metrics import function_metrics
from odeflow.analysis.summary import summarise_to_file
from odeflow.config.root import Config
from odeflow.files.opening import open_ensemble
from odeflow.importers.petab.likelihood_data import Measurements
from odeflow.workflow.progress import ProgressReport, terminal


def summarise(config: Config, study: Path, ensemble: Path, path: Path) -> None:
    """Writes metrics of every trajectory, quantiles and the likelihood of measurements.

    Arguments:
        config: the experiment.
        study: the folder that its tables and functions are relative to.
        ensemble: its `ensemble.nc`.
        path: the file to write, NetCDF.

    Raises:
        DamagedFileError: the ensemble cannot be read.
        ConfigError: the measurements cannot be read, or a function of `summary.functions` fails.
    """
    measured = measurements_of(config, study)
    with open_ensemble(ensemble) as dataset:
        number = int(dataset["status"].size)
        progress = ProgressReport(number, sys.stdout, terminal(), least=1.0)
        functions = function_metrics(config, study, dataset)
        summarise_to_file(dataset, config.summary, path, measured, functions, progress)


def measurements_of(config: Config, study: Path) -> Measurements | None:
    """The measurements that the trajectories are compared with.

    Arguments:
        config: the experiment.
        study: the folder that its PEtab problem is relative to.

    Returns:
        What the PEtab problem of the design has measured; None where there is no such problem.

    Raises:
        ConfigError: they cannot be read.
    """
    if config.design.petab is None:
        return None
    from odeflow.importers.petab.data import read_measurements  # which imports libsbml

    return read_measurements(config, study)
