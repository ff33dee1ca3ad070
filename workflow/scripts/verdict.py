"""Snakemake's side of the verdict on a run."""

from pathlib import Path

from odeflow.script import logged
from odeflow.verdict import judge

with logged(snakemake.log[0]):
    judge(snakemake.wildcards.experiment, Path(snakemake.input.verdict))
