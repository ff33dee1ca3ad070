"""Snakemake's side of pruning solved chunks."""

import sys
from pathlib import Path

from odeflow.pruning import prune, used_chunks

keep = used_chunks(Path.cwd(), snakemake.params.resolvers) | set(snakemake.params.keep)
prune(Path("results/chunks"), keep, sys.stderr)
