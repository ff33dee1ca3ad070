"""Snakemake's side of pruning solved chunks."""

import sys
from pathlib import Path

from odeflow.files.errors import ConfigError
from odeflow.workflow.pruning import prune, used_chunks

try:
    keep = used_chunks(Path.cwd(), snakemake.params.resolvers) | set(snakemake.params.keep)
    prune(Path.cwd(), keep, sys.stderr)
except ConfigError as error:
    sys.exit(f"odeflow: {error}")
