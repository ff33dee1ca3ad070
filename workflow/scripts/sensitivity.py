"""Snakemake's side of the sensitivity stage."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.sensitivity import sensitivity

with recorded(snakemake.log[0], snakemake.params.stage):
    sensitivity(
        validate(snakemake.params.spec["config"]),
        Path.cwd(),
        Path(snakemake.input.ensemble),
        Path(snakemake.input.summary),
        Path(snakemake.output.indices),
    )
