"""How long a solve took, from what Snakemake measured of its chunks. Cheap, and without JAX."""

import csv
from collections.abc import Sequence
from pathlib import Path

#: Chunks whose times are read; those of more follow from them.
MOST_READ = 100


def solve_seconds(chunks: Sequence[str], number: int) -> float | None:
    """Seconds that `number` chunks took, one after another, of which `chunks` are the first ones.

    None where nothing is known of any of them: solved by another version, or without Snakemake.
    """
    measured = [
        seconds for chunk in chunks if (seconds := _seconds(Path(chunk).with_suffix(".tsv")))
    ]
    return number * sum(measured) / len(measured) if measured else None


def _seconds(path: Path) -> float | None:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return max(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))
    except (OSError, ValueError, KeyError):
        return None
