"""Snakemake's side of the summarise stage."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.script import logged
from odeflow.stages.summarise import summarise

with logged(snakemake.log[0]):
    summarise(
        validate(snakemake.params.spec["config"]),
        Path.cwd(),
        Path(snakemake.input.ensemble),
        Path(snakemake.output.summary),
    )
