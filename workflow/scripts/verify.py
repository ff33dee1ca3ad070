"""Snakemake's side of the verify stage."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.script import logged
from odeflow.solve_time import solve_seconds
from odeflow.stages.results import verify

with logged(snakemake.log[0]):
    verify(
        validate(snakemake.params.spec["config"]),
        Path.cwd(),
        Path(snakemake.input.ensemble),
        Path(snakemake.output.verification),
        solve_seconds(**snakemake.params.solved),
    )
