"""The stage that writes a training set for simulation-based inference."""

from pathlib import Path

from odeflow.analysis.inference.training_set import TrainingSet
from odeflow.analysis.outputs import SAMPLE
from odeflow.config.root import Config
from odeflow.design import axis_names
from odeflow.files.opening import open_ensemble
from odeflow.files.shards import write_shards


def simulate_for_inference(
    config: Config, study: Path, ensemble: Path, summary: Path, path: Path
) -> None:
    """Writes parameters and noisy outputs, one shard in memory at a time.

    Arguments:
        config: the experiment, with `analyse.simulate_for_inference`.
        study: the folder that its tables are relative to.
        ensemble: its `ensemble.nc`.
        summary: its `summary.nc`.
        path: the folder of shards to write, or the store, whose name ends with `.zarr`.

    Raises:
        DamagedFileError: a result cannot be read.
        ConfigError: an output asked for is not there.
    """
    with open_ensemble(ensemble) as solved, open_ensemble(summary) as metrics:
        made = TrainingSet(config, axis_names(config.design, study), solved, metrics)
        write_shards(path, made.shards(), made.shard_size, made.number, SAMPLE)
