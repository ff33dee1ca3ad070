"""Snakemake's side of the verify stage."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.script import logged
from odeflow.stages.verify import verify

with logged(snakemake.log[0]):
    verify(
        validate(snakemake.params.spec["config"]),
        Path.cwd(),
        Path(snakemake.input.ensemble),
        Path(snakemake.output.verification),
    )
