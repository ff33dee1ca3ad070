"""The stage that solves a part of the trajectories again, by other means."""

import sys
from pathlib import Path

from odeflow.config.root import Config
from odeflow.files.netcdf import write_dataset
from odeflow.files.opening import open_ensemble
from odeflow.trust.facts import verification_facts
from odeflow.trust.verification import verify as verification_dataset
from odeflow.workflow.progress import ProgressReport, terminal


def verify(
    config: Config, study: Path, ensemble: Path, path: Path, solve_seconds: float | None = None
) -> None:
    """Solves some of the trajectories again and writes their errors, with the verdict.

    Arguments:
        config: the experiment.
        study: the folder that its model files are relative to.
        ensemble: its `ensemble.nc`.
        path: the file to write, NetCDF.
        solve_seconds: how long the solve took, which decides how long this may take.

    Raises:
        DamagedFileError: the ensemble cannot be read.
        ConfigError: the model does not load.
    """
    with open_ensemble(ensemble) as dataset:
        number = min(config.verify.number, int(dataset["status"].size))
        progress = ProgressReport(number, sys.stdout, terminal())
        verification = verification_dataset(config, study, dataset, solve_seconds, progress)
    write_dataset(verification, path)
    facts = verification_facts(verification)
    print("\n".join(f"{name}: {value}" for name, value in facts))
