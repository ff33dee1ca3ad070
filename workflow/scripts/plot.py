"""Snakemake's side of the plot stage: what the solver did, and the user's own figures."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.plot import plot

with recorded(snakemake.log[0], snakemake.params.stage):
    plot(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.ensemble),
        Path(snakemake.input.summary),
        [Path(figure) for figure in snakemake.output],
    )
