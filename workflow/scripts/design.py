"""Snakemake's side of the design stage."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.script import logged
from odeflow.stages import write_design

with logged(snakemake.log[0]):
    config = validate(snakemake.params.spec["config"])
    write_design(config, Path.cwd(), Path(snakemake.output.design))
