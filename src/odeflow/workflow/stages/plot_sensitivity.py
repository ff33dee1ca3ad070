"""The stage that draws the figures of sensitivity indices."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    drawn: dict[str, Any] = {}
    for file in files:
        if file.stem not in drawn:
            drawn[file.stem] = plots.draw_sensitivity(file.stem, dataset, config)
        plots.save(drawn[file.stem], file, dpi=config.plot.dpi)
