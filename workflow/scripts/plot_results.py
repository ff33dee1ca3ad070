"""Snakemake's side of the figures of trajectories and metrics."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.plot_results import plot_results

with recorded(snakemake.log[0], snakemake.params.stage):
    plot_results(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.ensemble),
        Path(snakemake.input.summary),
        [Path(figure) for figure in snakemake.output],
    )
