"""Snakemake's side of the stage that writes a training set."""

from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.script import recorded
from odeflow.workflow.stages.simulate_for_inference import simulate_for_inference

with recorded(snakemake.log[0], snakemake.params.stage):
    simulate_for_inference(
        validate(snakemake.params.spec["config"]),
        Path.cwd(),
        Path(snakemake.input.ensemble),
        Path(snakemake.input.summary),
        Path(snakemake.output.training),
    )
