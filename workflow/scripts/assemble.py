"""Snakemake's side of the assemble stage."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.assemble import assemble

with recorded(snakemake.log[0], snakemake.params.stage):
    assemble(
        validate(snakemake.params.spec["config"]),
        Path.cwd(),
        Path(snakemake.input.design),
        [Path(chunk) for chunk in snakemake.input.chunks],
        Path(snakemake.output.ensemble),
    )
