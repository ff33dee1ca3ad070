"""The whole flow against its parts: `seed_million` from nothing to figures, and what trust costs.

python -m benchmarks.run --only pipeline
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.snakemake_runs import ROOT, jobs, snakemake

EXPERIMENT = "experiment=seed_million"
#: Its trajectories.
SIZE = 1_000_000
#: Trajectories of the run whose verification and provenance are timed.
SMALLER = 100_000


def measure(cores: int, quick: bool) -> dict[str, Any]:
    """Seconds of the flow, of the solve alone and of `numpy.save`; memory; the cost of trust.

    Every run starts from nothing: no results, no compiled code of the model.
    """
    sizes = [2000] * 2 if quick else [SIZE, SMALLER]
    with tempfile.TemporaryDirectory() as folder:
        flow = run(Path(folder), cores, sizes[0])
        memory = {name: cost.mebibytes for name, cost in job_costs(Path(folder)).items()}
    alone = in_one_process(sizes[0], cores)
    trust: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(1 if quick else 3):  # in turn: both see the same machine
        for name, options in (("with", ()), ("without", ("verify=skip",))):
            with tempfile.TemporaryDirectory() as folder:
                trust[name].append(run(Path(folder), cores, sizes[1], *options))
    return {
        "size": sizes[0], "flow": flow, "memory": memory, **alone, "smaller": sizes[1],
        "with": min(trust["with"]), "without": min(trust["without"]), "provenance": provenance(),
    }  # fmt: skip


def run(folder: Path, cores: int, size: int, *options: str) -> float:
    """Seconds of the experiment in an empty folder."""
    config = (EXPERIMENT, f"design__size={size}", *options)
    return snakemake(folder, "--cores", str(cores), config=config)


@dataclass(frozen=True)
class JobCost:
    """Of the jobs of a rule: seconds and seconds of processors, together, and the most memory."""

    seconds: float = 0.0
    processors: float = 0.0
    mebibytes: float = 0.0


def job_costs(folder: Path) -> dict[str, JobCost]:
    """What Snakemake notes of the jobs in a folder, by rule; of short ones it knows no memory."""
    found: dict[str, JobCost] = {}
    noted = jobs(folder, "results/chunks/*/0*.tsv") | jobs(folder, "results/*/benchmarks/*.tsv")
    for file, job in noted.items():
        name = "solve" if file.parent.parent.name == "chunks" else file.stem
        seconds, processors, memory = (
            0.0 if job[column] in ("-", "NA") else float(job[column])
            for column in ("s", "cpu_time", "max_rss")
        )
        known = found.get(name, JobCost())
        found[name] = JobCost(
            known.seconds + seconds, known.processors + processors, max(known.mebibytes, memory)
        )
    return found


def in_one_process(size: int, cores: int) -> dict[str, float]:
    """What `alone` measures, in a process that has nothing imported."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.pipeline", folder]
        command += ["--size", str(size), "--cores", str(cores)]
        done = subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.splitlines()[-1])


def provenance() -> float:
    """Seconds for all that a run notes of where its results come from: digests, sources, versions.

    What the Snakefile works out before any job, and what a solving job stores.
    """
    code = f"""
import time
from pathlib import Path
from odeflow.importers.study.compose import compose
from odeflow.workflow.experiment import Experiment
from odeflow.provenance.sources import all_sources
from odeflow.files.digests import canonical_json
from odeflow.workflow.specs import STAGES
experiment = Experiment(compose({EXPERIMENT!r}), Path.cwd())
start = time.perf_counter()
experiment.chunks
for stage in STAGES:
    experiment.stage_spec(stage)
canonical_json(all_sources(experiment.config.model, experiment.study))
print(time.perf_counter() - start)
"""
    command = [sys.executable, "-c", code]
    return float(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout)


def alone(folder: Path, size: int, cores: int) -> dict[str, float]:
    """Seconds to solve in one process without any flow, and to write the values once.

    `begin` is what every script pays: imports, design, compiling.
    """
    start = time.perf_counter()
    from odeflow import compose
    from odeflow import engines as engine
    from odeflow.design import axis_names, rows
    from odeflow.ensemble.build import build
    from odeflow.ensemble.solve import configure_jax

    resources = engine.Resources(threads=cores, cache=folder)
    configure_jax(resources)
    config = compose(EXPERIMENT, f"design.size={size}")
    built = build(config, ROOT, axis_names(config.design, ROOT))
    problem, drift, chosen = built.problem, built.drift, built.engine
    lanes = built.lanes(rows(config.design, 0, size, ROOT))
    engine.solve(problem, lanes.take(np.arange(8)), chosen, resources)
    begun = time.perf_counter()
    values = engine.solve(problem, lanes, chosen, resources).values
    solved = time.perf_counter()
    values = {name: array for name, array in values.items() if name not in drift.names}
    for name, array in values.items():
        np.save(folder / f"{name}.npy", array)
    saved = time.perf_counter()
    return {"begin": begun - start, "solve": solved - begun, "save": saved - solved,
            "bytes": sum(array.nbytes for array in values.values())}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints what `alone` measures, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--cores", type=int, required=True)
    options = parser.parse_args(arguments)
    print(json.dumps(alone(options.folder, options.size, options.cores)))


if __name__ == "__main__":
    main()
