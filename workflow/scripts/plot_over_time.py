"""Snakemake's side of the figures over time."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.plot_over_time import plot_over_time

with recorded(snakemake.log[0], snakemake.params.stage):
    plot_over_time(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.ensemble),
        Path(snakemake.input.summary),
        [Path(figure) for figure in snakemake.output],
    )
