"""Snakemake's side of the comparison of experiments."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.compare import compare

with recorded(snakemake.log[0], snakemake.params.stage):
    compare(
        [validate(spec["config"]) for spec in snakemake.params.specs],
        [Path(file) for file in snakemake.input.ensembles],
        [Path(file) for file in snakemake.input.summaries],
        Path(snakemake.output.page),
    )
