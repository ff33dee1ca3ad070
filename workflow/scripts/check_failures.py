"""Snakemake's side of the check of how many trajectories failed."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.script import logged
from odeflow.stages import check_failures

with logged(snakemake.log[0]):
    check_failures(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.ensemble),
        Path(snakemake.input.failures),
        Path(snakemake.output.fraction),
    )
