"""Snakemake's side of the verify stage."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.solve_time import solve_seconds
from odeflow.workflow.stages.verify import verify

with recorded(snakemake.log[0], snakemake.params.stage):
    verify(
        validate(snakemake.params.spec["config"]),
        Path.cwd(),
        Path(snakemake.input.ensemble),
        Path(snakemake.output.verification),
        solve_seconds(**snakemake.params.solved),
    )
