"""Snakemake's side of the solve stage: one chunk."""

import sys
from pathlib import Path

from odeflow.config.validate import validate
from odeflow.workflow.pilot import Stopwatch, write_measurement
from odeflow.workflow.progress import ProgressReport, terminal
from odeflow.workflow.script import logged, without_equinox_checks
from odeflow.workflow.stages.solve import keep_chunk, solve_chunk

without_equinox_checks()
with logged(snakemake.log[0]):
    spec, chunk = snakemake.params.spec, Path(snakemake.output.chunk)
    start, stop, measured = spec["start"], spec["stop"], None
    # Solved by a job that Snakemake lost sight of: it, or the machine it ran on, was stopped.
    if not keep_chunk(chunk, start, stop, newer_than=[Path(file) for file in snakemake.input]):
        from odeflow.engines.choice import Resources  # imports JAX

        stopwatch = Stopwatch(stop - start, snakemake.threads)
        report = ProgressReport(stop - start, sys.stderr, terminal())
        solved = solve_chunk(
            validate(spec["config"]),
            Path.cwd(),
            start,
            stop,
            chunk,
            Resources(threads=snakemake.threads),
            lambda done: (stopwatch(done), report(done)),
        )
        # rows that were known cost nothing: no measure for other chunks
        measured = stopwatch.stop() if solved == stop - start else None
    if snakemake.output.get("pilot"):
        write_measurement(measured, Path(snakemake.output.pilot))
