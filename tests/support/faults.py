"""What the tests of faults share: the list of rows, a study whose jobs wait, results as bytes."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.snakes import EXPERIMENT_YAML, MODELS, make_study, snakemake, start_snakemake

#: Three chunks, the first the pilot; figures in the formats whose bytes are promised.
THREE_CHUNKS = (
    EXPERIMENT_YAML.replace("/design: grid", "/design: sobol")
    .replace(
        "axes:\n    k: {linspace: [0.5, 2.0, 4]}", "size: 24\n  axes:\n    k: {uniform: [0.5, 2]}"
    )
    .replace("formats: [png]", "formats: [svg, png]\n  figures: [solver_effort]")
    + "runtime:\n  chunk_size: 8\n"
)
#: A solving job that imports this waits as long as there is a file `hold`.
WAITING_MODELS = f"""
import os, sys, time
from pathlib import Path

while "solve" in sys.argv[0] and Path("hold").exists():
    Path(f"waiting-{{os.getpid()}}").touch()
    time.sleep(0.02)
{MODELS}"""


@dataclass(frozen=True)
class Fault:
    """A row of the table in `docs/reliability.md`."""

    what: str
    then: str
    outcome: str


FAULTS: list[Fault] = []
SLURM_FAULTS: list[Fault] = []


def fault(
    what: str, then: str, outcome: str, table: list[Fault] = FAULTS
) -> Callable[[Callable], Callable]:
    """Marks a test as the row of a fault: what happens, what the user does, how it ends."""

    def mark(test: Callable) -> Callable:
        table.append(Fault(what, then, outcome))
        return test

    return mark


def waiting_study(folder: Path) -> Path:
    """The study of three chunks whose model can be made to wait."""
    study = make_study(folder, THREE_CHUNKS)
    (study / "models.py").write_text(WAITING_MODELS)
    return study


def results(study: Path) -> dict[str, bytes]:
    """The bytes of all that the experiment is asked for: datasets, figures, page."""
    folder = study / "results" / "decay"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in {".nc", ".svg", ".png", ".html"}
    }


def chunk_files(study: Path) -> list[Path]:
    return sorted((study / "results" / "chunks").glob("*/*.nc"))


@contextmanager
def waiting_jobs(
    study: Path, number: int, config: str = "experiment=decay"
) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Snakemake at work with `number` solving jobs that wait; the process and their ids.

    The pilot, which the others start after, is solved before.
    """
    snakemake(study, "--until", "solve_pilot", config=config)
    (study / "hold").touch()
    process = start_snakemake(study, config=config)
    jobs: list[int] = []
    try:
        deadline = time.monotonic() + 120
        while len(jobs) < number:
            assert time.monotonic() < deadline and process.poll() is None, "no job started"
            time.sleep(0.05)
            jobs = [int(path.name.split("-")[1]) for path in study.glob("waiting-*")]
        yield process, jobs
    finally:
        for one in (process.pid, *jobs):
            if is_running(one):
                os.kill(one, signal.SIGKILL)
        process.communicate()


def is_running(process: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_end(processes: list[int]) -> None:
    deadline = time.monotonic() + 120
    while any(map(is_running, processes)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Takes away the right to write into a folder, from the administrator too where possible."""
    folder.chmod(0o555)
    fixed = ["chattr", "+i", str(folder)] if os.geteuid() == 0 else ["true"]
    try:
        if subprocess.run(fixed, check=False, capture_output=True).returncode != 0:
            pytest.skip("an administrator may write anywhere on this file system")
        yield
    finally:
        if os.geteuid() == 0:
            subprocess.run(["chattr", "-i", str(folder)], check=False, capture_output=True)
        folder.chmod(0o755)
