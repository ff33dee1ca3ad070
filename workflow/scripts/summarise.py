"""Snakemake's side of the summarise stage."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.summarise import summarise

with recorded(snakemake.log[0], snakemake.params.stage):
    summarise(
        validate(snakemake.params.spec["config"]),
        Path.cwd(),
        Path(snakemake.input.ensemble),
        Path(snakemake.output.summary),
    )
