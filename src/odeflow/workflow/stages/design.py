"""The stage that writes the design."""

from pathlib import Path

from odeflow.config.root import Config
from odeflow.design import design_to_file


def write_design(config: Config, study: Path, path: Path) -> None:
    """Writes the design: dimension `sample`, one variable an axis, with units."""
    design_to_file(config, study, path)
