"""Snakemake's side of the diagnosis of failed trajectories."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.script import logged
from odeflow.stages.diagnose import diagnose

with logged(snakemake.log[0]):
    diagnose(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.ensemble),
        Path(snakemake.output.failures),
    )
