"""Snakemake's side of the fit stage: some starts of an estimation."""

import sys
from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.progress import ProgressReport, terminal
from odeflow.workflow.script import logged
from odeflow.workflow.stages.fit import fit_starts, keep_starts

with logged(snakemake.log[0]):
    spec, path = snakemake.params.spec, Path(snakemake.output.starts)
    first, last = spec["first"], spec["last"]
    # Made by a job that Snakemake lost sight of: it, or the machine it ran on, was stopped.
    if keep_starts(path, first, last):
        path.touch()
    else:
        from odeflow.engines.choice import Resources  # imports JAX

        fit_starts(
            validate(spec["config"]),
            Path.cwd(),
            first,
            last,
            path,
            Resources(threads=snakemake.threads),
            ProgressReport(last - first, sys.stderr, terminal()),
        )
