"""Snakemake's side of the overview page."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.script import logged
from odeflow.stages.overview import overview

verification = snakemake.input.get("verification")
with logged(snakemake.log[0]):
    overview(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.ensemble),
        Path(snakemake.input.failures),
        Path(snakemake.output.page),
        Path(snakemake.output.verdict),
        verification and Path(verification),
    )
