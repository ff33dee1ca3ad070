"""The stage that draws the figures of sensitivity indices."""

from collections.abc import Sequence
from pathlib import Path

from odeflow.config.root import Config
from odeflow.files.netcdf import read_dataset
from odeflow.report import figures as plots


def plot_sensitivity(config: Config, indices: Path, files: Sequence[Path]) -> None:
    """Draws the figures of sensitivity indices.

    Arguments:
        config: the experiment.
        indices: its `indices.nc`.
        files: what to draw: a file's name is the kind of figure, its suffix the format.

    Raises:
        DamagedFileError: the indices cannot be read.
    """
    dataset = read_dataset(indices)
    plots.save_each(
        files, lambda kind: plots.draw_sensitivity(kind, dataset, config), config.plot.dpi
    )
