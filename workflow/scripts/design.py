"""Snakemake's side of the design stage."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.ownership import claim
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.design import write_design

with recorded(snakemake.log[0], snakemake.params.stage):
    design = Path(snakemake.output.design)
    claim(design.parent, Path.cwd())
    write_design(validate(snakemake.params.spec["config"]), Path.cwd(), design)
