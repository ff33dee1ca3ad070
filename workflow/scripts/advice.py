"""Snakemake's side of the advice: prints it."""

import sys

for lines in snakemake.params.lines:
    print(lines, file=sys.stderr)
