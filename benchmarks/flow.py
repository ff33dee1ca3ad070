"""What the workflow costs: runs of the default experiment, and a million trajectories to figures.

`python -m benchmarks.flow` prints what the default experiment takes from nothing, where one setting
has changed, and where nothing has: seconds, and seconds of processors, which say more on a machine
that others use. `--million` goes on with `seed_million`, job by job, beside what solving it in one
process and saving the values takes; it needs 10 GB of disk.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.pipeline import SIZE, in_one_process, job_costs, run
from benchmarks.snakemake_runs import processor_seconds, snakemake

#: What is run one after another in one folder, with settings that differ from those before.
SMALL_RUNS = {
    "from nothing, nothing compiled": (),
    "nothing to do": (),
    "another resolution of figures": ("plot__dpi=151",),
    "another tolerance": ("solver__rtol=3e-7",),
}


def small_runs(cores: int) -> dict[str, tuple[float, float]]:
    """Seconds, and seconds of processors, of each of `SMALL_RUNS`."""
    found: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        _know_nothing(folder)
        for name, config in SMALL_RUNS.items():
            before = processor_seconds()
            wall = snakemake(folder, "--cores", str(cores), config=config)
            found[name] = wall, processor_seconds() - before
    return found


def million(cores: int, size: int) -> Iterator[str]:
    """Lines on `seed_million` from nothing to figures, its jobs, and a single process beside it."""
    with tempfile.TemporaryDirectory() as folder:
        _know_nothing(folder)
        before = processor_seconds()
        wall = run(Path(folder), cores, size)
        processors = processor_seconds() - before
        yield line(f"{size:,} trajectories to figures", wall, processors)
        costs = job_costs(Path(folder))
        for name, cost in costs.items():
            yield line(f"  {name}", cost.seconds, cost.processors, f"{cost.mebibytes:7,.0f} MiB")
    alone = in_one_process(size, cores)
    least = alone["solve"] + alone["save"]
    yield f"{'solving it in one process, saving':34} {least:6.1f} s"
    yield f"{'to figures / solve and save':34} {wall / least:6.1f}   (asked: 3 at most)"
    most = max(cost.mebibytes for cost in costs.values())
    yield f"{'largest process':34} {most:6,.0f} MiB (asked: 2,048 at most)"


def _know_nothing(folder: str) -> None:
    """Lets runs keep what they compile in a new folder."""
    os.environ["ODEFLOW_CACHE"] = folder
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as anybody runs it


def line(name: str, wall: float, processors: float, more: str = "") -> str:
    """A row of the table."""
    return f"{name:34} {wall:6.1f} s {processors:6.1f} s of processors {more}".rstrip()


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--million", action="store_true", help="seed_million, too")
    parser.add_argument("--size", type=int, default=SIZE, help="its trajectories")
    options = parser.parse_args()
    for name, (wall, processors) in small_runs(options.cores).items():
        sys.stdout.write(line(name, wall, processors) + "\n")
    for row in million(options.cores, options.size) if options.million else ():
        sys.stdout.write(row + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
