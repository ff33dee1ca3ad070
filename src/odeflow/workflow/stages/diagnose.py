"""The stage that lists the trajectories that failed, and why."""

from pathlib import Path

from odeflow.config.root import Config
from odeflow.files.netcdf import atomic_path
from odeflow.files.opening import open_ensemble
from odeflow.trust.failures import write_failures


def diagnose(config: Config, ensemble: Path, path: Path) -> None:
    """Writes the table of failed trajectories, each with a diagnosis.

    Arguments:
        config: the experiment.
        ensemble: its `ensemble.nc`.
        path: the table to write, CSV: one row per failed trajectory.

    Raises:
        DamagedFileError: the ensemble cannot be read.
    """
    with (
        open_ensemble(ensemble) as dataset,
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        write_failures(config, dataset, file)
