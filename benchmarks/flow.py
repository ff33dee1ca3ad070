"""Timed runs of the workflow, and what Snakemake notes of their jobs.

`python -m benchmarks.flow` prints what the default experiment takes from nothing, where one setting
has changed, and where nothing has: seconds, and seconds of processors, which say more on a machine
that others use.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

#: What is run one after another in one folder, with settings that differ from those before.
SMALL_RUNS = {
    "from nothing, nothing compiled": (),
    "nothing to do": (),
    "another resolution of figures": ("plot__dpi=151",),
    "another tolerance": ("solver__rtol=3e-7",),
}

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


def small_runs(cores: int) -> dict[str, tuple[float, float]]:
    """Seconds, and seconds of processors, of each of `SMALL_RUNS`."""
    found: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ODEFLOW_CACHE"] = folder  # nothing that was compiled before is known
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as anybody runs it
        for name, config in SMALL_RUNS.items():
            before = _processor_seconds()
            wall = snakemake(folder, "--cores", str(cores), config=config)
            found[name] = wall, _processor_seconds() - before
    return found


def _processor_seconds() -> float:
    """Of all processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Prints a table of the small runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    for name, (wall, processors) in small_runs(parser.parse_args().cores).items():
        sys.stdout.write(f"{name:32} {wall:6.1f} s {processors:6.1f} s of processors\n")


if __name__ == "__main__":
    main()
