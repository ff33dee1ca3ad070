"""Snakemake's side of the overview page."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.overview import overview

names = ("verification", "indices", "estimates", "training")
verification, indices, estimates, training = map(snakemake.input.get, names)
with recorded(snakemake.log[0], snakemake.params.stage):
    overview(
        validate(snakemake.params.spec["config"]),
        Path(snakemake.input.ensemble),
        Path(snakemake.input.failures),
        Path(snakemake.output.page),
        Path(snakemake.output.verdict),
        verification and Path(verification),
        snakemake.params.spec.get("notes", ()),
        indices and Path(indices),
        estimates and Path(estimates),
        training and Path(training),
        Path(snakemake.input.summary),
        [Path(figure) for figure in snakemake.input.figures],
    )
