"""Snakemake's side of the figures of an estimation."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.plot_estimates import plot_estimates

with recorded(snakemake.log[0], snakemake.params.stage):
    plot_estimates(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.estimates),
        [Path(figure) for figure in snakemake.output],
    )
