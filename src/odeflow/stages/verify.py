"""The stage that solves a part of the trajectories again, by other means."""

from pathlib import Path

from odeflow.config.root import Config
from odeflow.ensemble_file import open_ensemble
from odeflow.netcdf import write_dataset
from odeflow.trust import verification_facts
from odeflow.verification import verify as verification_dataset


def verify(config: Config, study: Path, ensemble: Path, path: Path) -> None:
    """Solves a random part of the trajectories again and writes their errors, with the verdict."""
    with open_ensemble(ensemble) as dataset:
        verification = verification_dataset(config, study, dataset)
    write_dataset(verification, path)
    facts = verification_facts(verification)
    print("\n".join(f"{name}: {value}" for name, value in facts))
