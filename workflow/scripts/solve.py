"""Snakemake's side of the solve stage: one chunk."""

import os
import sys
from pathlib import Path

# Equinox's run-time checks (of times that are validated already) are host callbacks, and JAX's
# persistent cache refuses programs with those. Read when Equinox is imported, so set before.
os.environ["EQX_ON_ERROR"] = "off"

from odeflow.config.validate import validate
from odeflow.engine import Resources
from odeflow.progress import ProgressReport, terminal
from odeflow.script import logged
from odeflow.stages import solve_chunk

with logged(snakemake.log[0]):
    spec = snakemake.params.spec
    progress = ProgressReport(spec["stop"] - spec["start"], sys.stderr, terminal())
    solve_chunk(
        validate(spec["config"]),
        Path.cwd(),
        spec["start"],
        spec["stop"],
        Path(snakemake.output.chunk),
        Resources(threads=snakemake.threads, cache=Path("results/cache")),
        progress,
    )
