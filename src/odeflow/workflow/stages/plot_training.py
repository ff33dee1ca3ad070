"""The stage that draws the figures of a training set."""

from collections.abc import Sequence
from pathlib import Path

from odeflow.config.root import Config
from odeflow.files.shards import open_shards
from odeflow.report import figures as plots


def plot_training(config: Config, training: Path, files: Sequence[Path]) -> None:
    """Draws the figures, from rows of the first shard.

    Arguments:
        config: the experiment.
        training: its training set.
        files: what to draw: a file's name is the kind of figure, its suffix the format.

    Raises:
        DamagedFileError: the training set cannot be read.
    """
    with open_shards(training) as (first, *_):
        plots.save_each(files, lambda kind: plots.draw_training(kind, first), config.plot.dpi)
