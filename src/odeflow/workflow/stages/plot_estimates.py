"""The stage that draws the figures of an estimation."""

from collections.abc import Sequence
from pathlib import Path

from odeflow.config.root import Config
from odeflow.files.netcdf import read_dataset
from odeflow.report import figures as plots


def plot_estimates(config: Config, estimates: Path, files: Sequence[Path]) -> None:
    """Draws the figures.

    Arguments:
        config: the experiment.
        estimates: its `estimates.nc`.
        files: what to draw: a file's name is the kind of figure, its suffix the format.

    Raises:
        DamagedFileError: the estimates cannot be read.
    """
    dataset = read_dataset(estimates)
    plots.save_each(
        files, lambda kind: plots.draw_estimates(kind, dataset, config), config.plot.dpi
    )
