"""Snakemake's side of the figures of sensitivity indices."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.plot_sensitivity import plot_sensitivity

with recorded(snakemake.log[0], snakemake.params.stage):
    plot_sensitivity(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.indices),
        [Path(figure) for figure in snakemake.output],
    )
