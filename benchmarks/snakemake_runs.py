"""Timed runs of the workflow, and what Snakemake notes of their jobs."""

import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]


def snakemake(folder: str | Path, *arguments: str, config: Sequence[str]) -> float:
    """Seconds of a run in a folder."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--directory",
               str(folder), *arguments, *(["--config", *config] if config else [])]  # fmt: skip
    return seconds(command, folder)


def seconds(command: Sequence[str], folder: str | Path) -> float:
    """Seconds that a command takes; raises where it fails, with what it printed."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-4000:])
    return time.perf_counter() - start


def jobs(folder: str | Path, files: str) -> dict[Path, dict[str, str]]:
    """What Snakemake's benchmark files of these names note of a job, by column."""
    found = {}
    for file in Path(folder).glob(files):
        head, values = (line.split("\t") for line in file.read_text().splitlines()[:2])
        found[file] = dict(zip(head, values))
    return found


def processor_seconds() -> float:
    """Of all processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
