"""Snakemake's side of the check of a model."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.script import logged
from odeflow.stages.chunk import check_model

with logged(snakemake.log[0]):
    check_model(validate(snakemake.params.spec["config"]), Path.cwd(), Path(snakemake.output.facts))
