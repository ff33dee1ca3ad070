"""The stage that draws the figures of an estimation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    drawn: dict[str, Any] = {}
    for file in files:
        if file.stem not in drawn:
            drawn[file.stem] = plots.draw_estimates(file.stem, dataset)
        plots.save(drawn[file.stem], file, dpi=config.plot.dpi)
