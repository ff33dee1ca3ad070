"""Snakemake's side of the estimate stage."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.engines.choice import Resources
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.estimate import estimate

with recorded(snakemake.log[0], snakemake.params.stage):
    estimate(
        validate(snakemake.params.spec["config"]),
        Path.cwd(),
        [Path(file) for file in snakemake.input.starts],
        Path(snakemake.output.estimates),
        Resources(threads=snakemake.threads),
    )
