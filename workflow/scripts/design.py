"""Snakemake's side of the design stage."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.ownership import claim
from odeflow.script import logged
from odeflow.stages.design import write_design

with logged(snakemake.log[0]):
    design = Path(snakemake.output.design)
    claim(design.parent, Path.cwd())
    write_design(validate(snakemake.params.spec["config"]), Path.cwd(), design)
