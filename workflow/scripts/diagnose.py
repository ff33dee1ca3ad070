"""Snakemake's side of the diagnosis of failed trajectories."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.diagnose import diagnose

with recorded(snakemake.log[0], snakemake.params.stage):
    diagnose(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.ensemble),
        Path(snakemake.output.failures),
    )
