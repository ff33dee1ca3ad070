"""Snakemake's side of the figure of the verification."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.script import logged
from odeflow.stages.results import plot_verification

with logged(snakemake.log[0]):
    plot_verification(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.verification),
        [Path(figure) for figure in snakemake.output],
    )
