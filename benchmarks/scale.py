"""What a chunk costs beside its solving, on this machine and on Slurm; writes docs/scale.md.

    python -m benchmarks.scale plan rate local            parts of it, kept in build/scale.json
    python -m tests.support.slurm_cluster python -m benchmarks.scale empty slurm
    python -m benchmarks.scale report                docs/scale.md from what was measured

`make scale` runs all of them, about fifteen minutes on an idle machine.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.run import machine
from benchmarks.snakemake_runs import ROOT, jobs, seconds, snakemake
from odeflow.workflow.pilot import read_measurement

MEASURED = ROOT / "build" / "scale.json"
#: 64 chunks of the enzyme kinetics, end values: next to nothing to solve.
CHUNKS = 64
EXPERIMENT = ("experiment=quickstart", f"runtime__chunk_size={4096 // CHUNKS}", "saveat__ts=null",
              "summary__first_time_below={}", "summary__metrics=[final]",
              "plot__metric=substrate_final", "runtime__threads=1")  # fmt: skip
MANY = ("experiment=pk_population", "design__size=10000", "runtime__chunk_size=1")


def plan(folder: str) -> dict[str, float]:
    """Planning 10,000 chunks that do not exist yet."""
    return {"plan": snakemake(folder, "--cores", "2", "--dry-run", "--quiet", config=MANY)}


def local(folder: str) -> dict[str, float]:
    """All chunks on two cores, and the time that Snakemake notes for one."""
    whole = snakemake(folder, "--cores", "2", config=EXPERIMENT)
    return {"local": whole, "local_chunk": chunk_seconds(folder)}


def empty(folder: str) -> dict[str, float]:
    """As many empty jobs as there are chunks: what Slurm itself needs."""
    command = ["sbatch", "--wait", f"--array=1-{CHUNKS}", "-o", "/dev/null", "--wrap", "true"]
    return {"empty": seconds(command, folder)}


def slurm(folder: str) -> dict[str, float]:
    """All chunks through the profile, on a node of two cores."""
    profile = str(ROOT / "profiles/slurm")
    whole = snakemake(folder, "--workflow-profile", profile, config=EXPERIMENT)
    return {"slurm": whole, "slurm_chunk": chunk_seconds(folder)}


def rate(folder: str) -> dict[str, float]:
    """Seconds of one core per trajectory: solving, as the pilot of two full chunks measures it, and
    all that follows, start of the jobs included.
    """
    number = 1024 * 1024
    large = (f"runtime__chunk_size={number // 2}", "design__axes__vmax__linspace=[8,12,1024]",
             "design__axes__km__linspace=[4,6,1024]")  # fmt: skip
    several = [item for item in EXPERIMENT if not item.startswith("runtime__chunk_size")]
    snakemake(folder, "--cores", "1", config=(*several, *large))
    (file,) = Path(folder).glob("results/chunks/*/*.pilot.json")
    measured = read_measurement(file)
    assert measured is not None, file
    after = sum(wall_times(folder, "results/quickstart/benchmarks/*.tsv"))
    return {"rate": measured.seconds_each, "rate_after": after / number}


def chunk_seconds(folder: str) -> float:
    """Mean wall time of the solving jobs."""
    times = wall_times(folder, "results/chunks/*/0*.tsv")
    assert len(times) == CHUNKS, times
    return sum(times) / CHUNKS


def wall_times(folder: str, files: str) -> list[float]:
    """Wall times of jobs, from Snakemake's own benchmarks."""
    return [float(job["s"]) for job in jobs(folder, files).values()]


PARTS: dict[str, Callable[[str], dict[str, float]]] = {
    "plan": plan, "rate": rate, "local": local, "empty": empty, "slurm": slurm,
}  # fmt: skip


def report(measured: dict[str, Any]) -> str:
    """The page, from what was measured."""
    cpu = measured["machine"]["cpu"]
    rows = [
        ("planned, not run (`snakemake -n`)", 10_000, "plan", None),
        ("chunks, this machine, 2 cores", CHUNKS, "local", "local_chunk"),
        ("empty Slurm jobs (`sbatch --array`)", CHUNKS, "empty", None),
        ("chunks, Slurm, a node of 2 cores", CHUNKS, "slurm", "slurm_chunk"),
    ]
    lines = ["| what | how many | together | each | a solving job, on one core |",
             "|---|---:|---:|---:|---:|"]  # fmt: skip
    for what, number, key, job in rows:
        inside = f"{measured[job]:.1f} s" if job else ""
        each = f"{measured[key] / number:.2g} s"
        lines.append(f"| {what} | {number:,} | {measured[key]:.0f} s | {each} | {inside} |")
    template = (ROOT / "benchmarks" / "scale_page.md").read_text("utf-8")
    ratio = measured["slurm"] / (measured["empty"] + measured["local"])
    return template.format(cpu=cpu, table="\n".join(lines), ratio=ratio,
                           chunk=measured["local_chunk"], **billion(measured))  # fmt: skip


def billion(measured: dict[str, Any]) -> dict[str, str]:
    """What 1e9 trajectories of the quickstart would take, by calculation."""
    each, number, cores = measured["rate"], 1e9, 100
    size = 2**20  # what `chunk_size: auto` gives at most
    chunks = number / size
    solving, starting = number * each, chunks * measured["local_chunk"]
    return {
        "each": f"{each * 1e6:.2g}",
        "chunks": f"{chunks:,.0f}",
        "size": f"{size:,}",
        "solving": f"{solving / 3600:.1f}",
        "starting": f"{starting / 3600:.1f}",
        "minutes": f"{(solving + starting) / 60 / cores:.0f}",
        "after": f"{number * measured['rate_after'] / 3600:.1f}",
        "ends": f"{number * (2 * 8 + 1 + 4 * 8) / 1e9:.0f}",
        "courses": f"{number * 121 * 2 * 8 / 1e12:.1f}",
    }


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="+", choices=[*PARTS, "report"])
    MEASURED.parent.mkdir(exist_ok=True)
    measured = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    for part in parser.parse_args().parts:
        if part == "report":
            (ROOT / "docs" / "scale.md").write_text(report(measured), "utf-8")
            continue
        with tempfile.TemporaryDirectory(dir=os.environ.get("SCALE_FOLDER")) as folder:
            measured |= PARTS[part](folder) | {"machine": machine()}
        MEASURED.write_text(json.dumps(measured, indent=1) + "\n")
        print(part, {k: v for k, v in measured.items() if k.startswith(part)}, flush=True)


if __name__ == "__main__":
    main()
