"""Runs and faults on a real Slurm of one node: every run ends with the bytes of a local one.

`make test-slurm` runs these; elsewhere they skip with the reason.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from tests.support import slurm_cluster
from tests.support.faults import SLURM_FAULTS, fault
from tests.support.snakes import EXPERIMENT_YAML, MODELS, PROJECT, make_study, snakemake, whole

REASON = slurm_cluster.missing()
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(REASON is not None, reason=f"no Slurm: {REASON}"),
]

#: Five chunks: the pilot, then four in Slurm jobs of two. What follows them is not at stake.
CHUNKED = (
    EXPERIMENT_YAML.replace("/design: grid", "/design: sobol")
    .replace(
        "design:\n  axes:\n    k: {linspace: [0.5, 2.0, 4]}",
        "design:\n  size: 40\n  axes:\n    k: {uniform: [0.5, 2.0]}\nruntime:\n  chunk_size: 8",
    )
    .replace("plot:", "verify: {number: 0}\nplot:\n  figures: [solver_effort]")
)
#: A job that imports this hangs once where there is a file `hang`, and where there is `greed` holds
#: 2 GB: more than the first attempt asks for, less than the second. One text for all studies, since
#: the ensemble holds it.
FAULTY_MODELS = f"""
import time
from pathlib import Path

import numpy as np

HELD = np.ones(250_000_000) if Path("greed").exists() else None
if Path("hang").exists():
    Path("hang").unlink()
    time.sleep(600)
{MODELS}"""
FAST = ("--slurm-init-seconds-before-status-checks", "2", "--group-components", "chunks=2")


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    """The name of the node of a running cluster."""
    with slurm_cluster.slurm_cluster() as name:
        yield name


def chunked_study(folder: Path) -> Path:
    make_study(folder, CHUNKED)
    (folder / "models.py").write_text(FAULTY_MODELS)
    return folder


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Path]:
    """A study; what a failed test leaves running for it is stopped."""
    yield chunked_study(tmp_path / "study")
    while Run.started:
        run = Run.started.pop()
        if run.running():
            run.kill()
            slurm("scancel", "--user", "root")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The ensemble that two local cores make."""
    folder = chunked_study(tmp_path_factory.mktemp("local"))
    snakemake(folder)
    return ensemble_of(folder)


def ensemble_of(study: Path, name: str = "decay") -> bytes:
    return (study / f"results/{name}/ensemble.nc").read_bytes()


class Run:
    """Snakemake on the cluster, in the background, its output in a file."""

    started: ClassVar[list["Run"]] = []

    def __init__(
        self, study: Path, *arguments: str, config: str = "experiment=decay", profile: str = "slurm"
    ):
        self.study, self.text = study, study.with_suffix(".txt")
        command = [
            sys.executable, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"),
            "--directory", str(study), "--workflow-profile",
            str(PROJECT / "profiles" / profile), *FAST, *arguments,
            "--config", *config.split(),
        ]  # fmt: skip
        with self.text.open("a") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, cwd=study,
                start_new_session=True,
            )  # fmt: skip
        self.started.append(self)

    def output(self) -> str:
        return self.text.read_text()

    def submissions(self, group: str) -> list[str]:
        """The calls of sbatch for a group of jobs, or a rule; the run has to be `--verbose`."""
        calls = [line for line in self.output().splitlines() if "sbatch call: sbatch" in line]
        return [call for call in calls if f"--comment rule_{group}" in call]

    def running(self) -> bool:
        return self._process.poll() is None

    def until(self, what: str, condition: Callable[[], object], seconds: float = 300) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{what}: not within {seconds:g} s\n{self.output()}"
            assert self.running(), f"ended before {what}\n{self.output()}"
            time.sleep(0.1)

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def ends(self, seconds: float = 900) -> int:
        return self._process.wait(seconds)

    def ends_well(self) -> None:
        assert self.ends() == 0, self.output()


def slurm(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def jobs(state: str) -> list[str]:
    return slurm("squeue", "-h", "-t", state, "-o", "%A").split()


def solving(study: Path) -> list[int]:
    """Processes that solve a chunk of the study, by their working folder and command."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command, folder = (entry / "cmdline").read_bytes(), (entry / "cwd").readlink()
        except OSError:
            continue
        if folder == study and re.search(rb"/scripts/\S*solve\.py", command):
            found.append(int(entry.name))
    return found


def solving_others(study: Path) -> bool:
    """Whether chunks after the pilot are being solved. The pilot's own process may outlive it."""
    logs = study.glob("results/chunks/*/*.log")
    return any(log.stem != "00000" for log in logs) and bool(solving(study))


@pytest.mark.parametrize("cut", ["", " runtime__chunk_size=2500"])
def test_lorenz_ends_with_the_bytes_of_two_local_cores(node: str, cut: str, tmp_path: Path):
    local, cluster = tmp_path / "local", tmp_path / "cluster"
    for folder in (local, cluster):
        folder.mkdir()
    snakemake(local, config=f"experiment=lorenz{cut}")
    Run(cluster, config=f"experiment=lorenz{cut}").ends_well()
    assert ensemble_of(cluster, "lorenz") == ensemble_of(local, "lorenz")


def test_the_pilot_runs_first_and_sets_what_the_others_ask_for(
    node: str, study: Path, expected: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ODEFLOW_CACHE", str(study / "compiled"))
    run = Run(study, "--verbose")
    run.ends_well()
    assert ensemble_of(study) == expected
    (pilot,), chunks = run.submissions("solve_pilot"), run.submissions("chunks")
    minutes = lambda call: int(call.split(" -t ")[1].split()[0])
    assert len(chunks) == 2, run.output()
    assert all(minutes(call) < minutes(pilot) for call in chunks), run.output()
    kernels = list((study / "compiled" / "odeflow").glob("solve-*.code"))
    assert len(kernels) == 1


def test_the_gpu_profile_asks_for_a_device_for_each_solving_job(
    node: str, study: Path, expected: bytes
):
    two_chunks = "experiment=decay design__size=16"
    run = Run(study, "--verbose", "--cores", "2", config=two_chunks, profile="gpu")
    run.ends_well()
    asking = lambda group: ["--gpus=1" in call for call in run.submissions(group)]
    assert asking("solve") == [True, True] and asking("results") == [False], run.output()


@contextmanager
def disturbed(study: Path, expected: bytes, *arguments: str) -> Iterator[Run]:
    """A run that has solved its pilot, for something to happen to while it solves the others.

    It has to end well by itself, with the bytes of an undisturbed one, and to solve nothing again
    that was whole.
    """
    run = Run(study, *arguments)
    run.until("others are being solved", lambda: solving_others(study))
    before = whole(study)
    yield run
    run.ends_well()
    assert_nothing_again(study, before, expected)


def assert_nothing_again(study: Path, before: dict[Path, int], expected: bytes) -> None:
    assert ensemble_of(study) == expected
    assert before.items() <= whole(study).items()


SAME = "the same bytes"
KEPT = f"{SAME}; no whole chunk is solved again"
NOTHING = "nothing: Snakemake submits it again"
MORE = "nothing: it asks for twice as much"
RERUN = "`snakemake --unlock`, the same command"


def on_slurm(what: str, then: str, outcome: str = KEPT) -> Callable[[Callable], Callable]:
    """A row of the table of faults on Slurm."""
    return fault(what, then, outcome, SLURM_FAULTS)


@on_slurm("SIGKILL of a solving process", NOTHING)
def test_a_process_is_killed(node: str, study: Path, expected: bytes):
    with disturbed(study, expected):
        os.kill(solving(study)[0], signal.SIGKILL)


@on_slurm("`scancel` of a solving job", NOTHING)
def test_a_job_is_cancelled(node: str, study: Path, expected: bytes):
    with disturbed(study, expected):
        slurm("scancel", jobs("R")[0])


@on_slurm("The node is drained", "nothing: jobs wait for it, or go elsewhere")
def test_a_node_is_drained(node: str, study: Path, expected: bytes):
    with disturbed(study, expected) as run:
        slurm("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
        run.until("jobs wait", lambda: jobs("PD") and not jobs("R"))
        slurm("scontrol", "update", f"nodename={node}", "state=resume")


@on_slurm("The node is lost, and its jobs with it", NOTHING)
def test_a_node_is_lost(node: str, study: Path, expected: bytes):
    with disturbed(study, expected) as run:
        slurm("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        run.until("its jobs are gone", lambda: not jobs("R"))
        slurm("scontrol", "update", f"nodename={node}", "state=resume")


@on_slurm("A job needs more memory than it asked for", MORE, SAME)
def test_a_job_is_over_its_memory(node: str, study: Path, expected: bytes):
    (study / "greed").touch()
    run = Run(study)
    run.ends_well()
    assert "Trying to restart" in run.output()
    assert ensemble_of(study) == expected


@on_slurm("A job needs more time than it asked for", MORE, SAME)
def test_a_job_is_over_its_time(node: str, study: Path, expected: bytes):
    (study / "hang").touch()
    run = Run(study, "--set-resources", "solve_pilot:runtime=1")
    run.ends_well()
    assert "Trying to restart" in run.output()
    assert ensemble_of(study) == expected


@on_slurm("`scancel` of everything, more often than there are retries", "the same command")
def test_everything_is_cancelled(node: str, study: Path, expected: bytes):
    run = Run(study, "--retries", "0")
    run.until("two chunks", lambda: len(whole(study)) >= 2)
    before = whole(study)
    slurm("scancel", "--user", "root")
    run.ends()
    Run(study).ends_well()
    assert_nothing_again(study, before, expected)


def killed(study: Path) -> None:
    """A Snakemake that is killed while jobs of its run."""
    run = Run(study)
    run.until("others are being solved", lambda: solving_others(study))
    run.kill()


@on_slurm("SIGKILL of Snakemake, its jobs run on and end", RERUN)
def test_snakemake_is_killed(node: str, study: Path, expected: bytes):
    killed(study)
    while jobs("R,PD"):
        time.sleep(0.2)
    before = whole(study)
    assert len(before) > 1
    snakemake(study, "--unlock")
    Run(study).ends_well()
    assert_nothing_again(study, before, expected)


@on_slurm(
    "SIGKILL of Snakemake, its jobs still run when it is started again",
    RERUN,
    f"{SAME}; only chunks that both runs are at, at most two, are solved twice",
)
def test_a_rerun_stands_beside_orphans(node: str, study: Path, expected: bytes):
    killed(study)
    snakemake(study, "--unlock")
    again = Run(study)
    seen: dict[Path, int] = {}
    while again.running():
        seen = whole(study) | seen
        time.sleep(0.1)
    again.ends_well()
    assert ensemble_of(study) == expected
    assert sum(whole(study)[path] != first for path, first in seen.items()) <= 2
