"""The stage that computes sensitivity indices of an ensemble."""

from pathlib import Path

from odeflow.analysis.sensitivity.indices import sensitivity_indices
from odeflow.config.root import Config
from odeflow.files.netcdf import write_dataset
from odeflow.files.opening import open_ensemble


def sensitivity(config: Config, study: Path, ensemble: Path, summary: Path, path: Path) -> None:
    """Writes sensitivity indices of metrics, and of variables over time.

    Arguments:
        config: the experiment.
        study: the folder that its tables are relative to.
        ensemble: its `ensemble.nc`.
        summary: its `summary.nc`.
        path: the file to write, NetCDF.

    Raises:
        DamagedFileError: a result cannot be read.
        ConfigError: an output asked for is not there.
    """
    with open_ensemble(ensemble) as solved, open_ensemble(summary) as metrics:
        indices = sensitivity_indices(config, study, solved, metrics)
    write_dataset(indices, path)
