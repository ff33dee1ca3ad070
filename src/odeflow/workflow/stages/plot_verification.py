"""The stage that draws the figure of the verification."""

from collections.abc import Sequence
from pathlib import Path

from odeflow.config.root import Config
from odeflow.files.netcdf import read_dataset
from odeflow.report import figures as plots


def plot_verification(config: Config, verification: Path, files: Sequence[Path]) -> None:
    """Draws the figure of the verification.

    Arguments:
        config: the experiment.
        verification: its `verification.nc`.
        files: the files to write, one for each format.

    Raises:
        DamagedFileError: the verification cannot be read.
    """
    dataset = read_dataset(verification)
    plots.save_each(files, lambda kind: plots.draw_verification(dataset, config), config.plot.dpi)
