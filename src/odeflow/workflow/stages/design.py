"""The stage that writes the design."""

from pathlib import Path

from odeflow.config.root import Config
from odeflow.design import design_to_file


def write_design(config: Config, study: Path, path: Path) -> None:
    """Writes the design: dimension `sample`, one variable per axis, with units.

    Arguments:
        config: the experiment.
        study: the folder that its tables are relative to.
        path: the file to write, NetCDF.

    Raises:
        ConfigError: a table cannot be read, or the file cannot be written.
    """
    design_to_file(config, study, path)
