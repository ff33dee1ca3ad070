"""Snakemake's side of the figures of a training set."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.plot_training import plot_training

with recorded(snakemake.log[0], snakemake.params.stage):
    plot_training(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.training),
        [Path(figure) for figure in snakemake.output],
    )
