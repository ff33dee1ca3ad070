"""The stage that draws what the solver did, and the user's own figures."""

from collections.abc import Sequence
from pathlib import Path

from odeflow.config.root import Config
from odeflow.files.opening import open_ensemble
from odeflow.report import figures as plots


def plot(config: Config, ensemble: Path, summary: Path, files: Sequence[Path]) -> None:
    """Draws the figures.

    Arguments:
        config: the experiment.
        ensemble: its `ensemble.nc`.
        summary: its `summary.nc`.
        files: what to draw: a file's name is the kind of figure, its suffix the format.

    Raises:
        DamagedFileError: a result cannot be read.
    """
    with open_ensemble(ensemble) as solved, open_ensemble(summary) as metrics:
        plots.save_each(
            files, lambda kind: plots.draw(kind, solved, metrics, config), config.plot.dpi
        )
