"""Snakemake's side of the figure of the verification."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.plot_verification import plot_verification

with recorded(snakemake.log[0], snakemake.params.stage):
    plot_verification(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.verification),
        [Path(figure) for figure in snakemake.output],
    )
