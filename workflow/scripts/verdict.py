"""Snakemake's side of the verdict on a run."""

from pathlib import Path

from odeflow.trust.verdict import judge
from odeflow.workflow.script import recorded

with recorded(snakemake.log[0], snakemake.params.stage):
    judge(snakemake.wildcards.experiment, Path(snakemake.input.verdict))
    Path(snakemake.output.passed).touch()
