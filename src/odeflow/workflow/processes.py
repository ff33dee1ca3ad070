"""Processes: which are there still, and what a job has of the one that started it."""

import ctypes
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from odeflow.files.shipped import source_folder

#: The environment variable that names the process that starts jobs.
_STARTED_BY = "ODEFLOW_STARTED_BY"
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


def machine() -> str:
    """The name of the machine, of the space of process numbers, which a container has, its start.

    Machines that share a disk may have one name; each start of Linux has a number of its own.
    """
    with suppress(OSError):
        start = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()} {start}"
    return socket.gethostname()


def since_start() -> float:
    """Seconds since this machine was started."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def start_of(process: int) -> str:
    """When a process of this machine was started; empty where there is none, or no way to know.

    A number is given again to another process, which was started at another time.
    """
    with suppress(OSError, IndexError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    return ""


def name_to_jobs() -> None:
    """Lets jobs know that it is this process that starts them."""
    os.environ[_STARTED_BY] = f"{os.getpid()} {machine()}"


def share_source() -> None:
    """Lets the jobs that this process starts import the odeflow that it does, and end with it."""
    name_to_jobs()
    own, given = source_folder(), os.environ.get("PYTHONPATH", "")
    if own and given.split(os.pathsep)[0] != str(own):  # in a job it is there already
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(own), given]))


def end_with_starter() -> None:
    """Has Linux end this job with the process that started it: killed, it leaves none behind."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    number, _, where = os.environ.get(_STARTED_BY, "").partition(" ")
    if where == machine() and not start_of(int(number)):  # it ended before
        sys.exit("odeflow: Snakemake has ended")


def name_process(name: str) -> None:
    """Gives this process a name of its own in `ps` and `top`, where that is possible."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)
