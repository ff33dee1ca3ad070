"""Stages that are made to run again, and to wait in the middle of it, for tests of faults."""

import contextlib
import fcntl
import os
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.faults import is_running
from tests.support.snakes import copy_of, start_snakemake

#: While this file is in a study, a stage waits. The models of these studies wait for another.
HOLD = "hold-stage"
#: A job of the stage waits where it makes or renames its first file.
WAITING = """
import os, sys, time

EVENT, STAGE = os.environ["WAITING_EVENT"], f".{os.environ['WAITING_STAGE']}.py"

def wait(event, args):
    if event != EVENT or not sys.argv[0].replace("/", ".").endswith(STAGE):
        return
    if any(f"results/{folder}/" in str(args) for folder in ("decay", "chunks")):
        while os.path.exists("hold-stage"):
            open("waiting", "w").close()
            time.sleep(0.02)

sys.addaudithook(wait)
"""
#: What is taken away so that a stage runs.
STAGES = {
    "design": ["design.nc"],
    "solve": ["ensemble.nc", "../chunks"],
    "assemble": ["ensemble.nc"],
    "summarise": ["summary.nc"],
    "verify": ["verification.nc"],
    "diagnose": ["failures.csv"],
    "plot": ["figures"],
    "overview": ["overview.html"],
    "verdict": ["logs/passed"],
}


def without(stage: str, undisturbed: Path, folder: Path) -> Path:
    """A copy of the finished study without what a stage and those after it make."""
    study = copy_of(undisturbed, folder)
    for name in STAGES[stage]:
        subprocess.run(["rm", "-r", str(study / "results/decay" / name)], check=True)
    return study


@contextlib.contextmanager
def waiting(
    study: Path, stage: str, event: str = "os.rename", flags: Sequence[str] = ()
) -> Iterator[tuple[subprocess.Popen[str], int, list[bytes]]]:
    """Snakemake in a terminal of its own, with a job of the stage that waits at an audit event.

    It waits as long as the file `HOLD` is there.

    The process, the terminal, and what is said on it.
    """
    (study / HOLD).touch()
    site = study / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(WAITING)
    terminal, ours = os.openpty()
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = start_snakemake(
        study, *flags, stdin=ours, stdout=ours, stderr=ours, start_new_session=True,
        environment={"PYTHONPATH": path, "WAITING_STAGE": stage, "WAITING_EVENT": event},
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(ours)
    try:
        with drained(terminal) as said:
            deadline = time.monotonic() + 240
            while not (study / "waiting").exists():
                assert time.monotonic() < deadline and process.poll() is None, b"".join(said)
                time.sleep(0.05)
            yield process, terminal, said
    finally:
        for one in processes_of(study):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def drained(terminal: int) -> Iterator[list[bytes]]:
    """Reads what a terminal is told, which would stop those who write to it otherwise."""
    said: list[bytes] = []

    def read() -> None:
        with contextlib.suppress(OSError):  # the other end is closed
            while text := os.read(terminal, 4096):
                said.append(text)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    yield said
    reader.join(timeout=60)
    os.close(terminal)


def processes_of(study: Path) -> list[int]:
    """Processes that name the study in their command: Snakemake and its jobs."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(study).encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return [one for one in found if is_running(one)]
