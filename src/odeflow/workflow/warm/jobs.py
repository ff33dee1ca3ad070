"""Where rules run their scripts: by a warm worker, else as Snakemake does. Without JAX."""

from __future__ import annotations

import atexit
import inspect
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from odeflow.workflow.warm.imports import in_order
from odeflow.workflow.warm.surroundings import job_environment, source_states
from odeflow.workflow.warm.wire import BEGUN, ScriptJob, receive_answer, send_job

#: Arrow, which pandas imports, would start one to give memory back.
_NO_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
#: What Snakemake says of a job that is no plain script on this machine.
_APART = ("conda_env", "container_img", "env_modules", "shadow_dir")
_KILLED = "odeflow: the process that jobs are copies of was killed; run again"


class WarmJobs:
    """Hands scripts of `workflow/scripts` to a worker that this process has started.

    Without a worker, and where the source or the environment is not what it was when this was
    made, `plain`, which is Snakemake's own way, runs them.
    """

    def __init__(self, plain: Callable[..., None], scripts: Path) -> None:
        self._plain, self._folder = plain, scripts.resolve()
        self._signature = inspect.signature(plain)
        self._sources, self._environment = source_states(self._folder), dict(os.environ)
        self._control: socket.socket | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self._is_told = False  # by the hook, without which Snakemake runs scripts itself
        self._sending = threading.Lock()

    def begin(self, script: str) -> None:
        """Starts the worker, if it is not there, before it is known what for.

        What `script` needs, by its name, is imported until `start` says what is needed.
        To be called by the main thread: the worker ends with the thread that started it.
        """
        if sys.platform != "linux" or self._worker or not self._folder.is_dir():
            return  # elsewhere what a system's own libraries hold is not to be copied
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-P", "-m", "odeflow.workflow.warm.worker"]
        with theirs:
            self._worker = subprocess.Popen(
                [*command, str(theirs.fileno()), script, str(Path.cwd())],
                pass_fds=[theirs.fileno()],
                stdout=_stdout(),
                env=job_environment(self._environment, 1, None) | _NO_THREADS,
            )
        self._control = ours
        atexit.register(self.end)

    def start(self, scripts: Iterable[str]) -> None:
        """Tells the worker the names of scripts that are to come; starts it if it is not there.

        Where none of them is worth a worker, it ends.
        """
        needed = in_order(scripts)
        if not needed:
            self.end()
            return
        self.begin(needed[0])
        if self._control is not None:
            self._is_told = True
            with suppress(OSError):  # it has ended already
                self._control.send(" ".join(needed).encode())

    def end(self) -> None:
        """Ends the worker, which has no jobs any more."""
        if self._worker is None:
            return
        self.take_no_more()
        if not self._is_told:  # it has had no job, and may be importing
            self._worker.kill()
        try:
            self._worker.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._worker.kill()
            self._worker.wait()

    def take_no_more(self) -> None:
        """Lets the worker end, which has no job any more; `end` waits for that."""
        with self._sending:
            if self._control is not None:
                self._control.close()
                self._control = None

    def __call__(self, *given: Any, **named: Any) -> None:
        """Runs a script; called by rules in the place of Snakemake's `script`, with its arguments.

        Raises CalledProcessError where the script fails, as Snakemake's does.
        """
        asked = self._job(given, named)
        status = None if asked is None else self._run(*asked)
        if asked is None or status is None:
            self._plain(*given, **named)
        elif status:
            raise subprocess.CalledProcessError(status, f"{sys.executable} {asked[0].file}")

    def _job(self, given: Sequence[Any], named: Mapping[str, Any]) -> tuple[ScriptJob, Any] | None:
        """What the worker is to run, and Snakemake's record of its cost; None if it is not to."""
        if not self._is_told or self._control is None or dict(os.environ) != self._environment:
            return None
        try:
            told = self._signature.bind(*given, **named).arguments
            if not _is_plain(told) or source_states(self._folder) != self._sources:
                return None
            file = self._folder / Path(told["path"]).name
            if not file.samefile(_local(told["basedir"]) / told["path"]):
                return None
            threads, folder = told["threads"], told["resources"].get("tmpdir")
            job = ScriptJob(
                str(file),
                file.read_text(encoding="utf-8"),
                _pickled(told, str(self._folder)),
                str(Path.cwd()),
                job_environment(self._environment, threads, folder),
            )
            return job, told["bench_record"]
        except (AttributeError, ImportError, KeyError, OSError, TypeError, pickle.PicklingError):
            return None  # another Snakemake than the one this is written for

    def _run(self, job: ScriptJob, cost: Any) -> int | None:
        """The exit status of a job; None where no worker takes it."""
        ours, theirs = socket.socketpair()
        with ours:
            try:
                with theirs:
                    self._hand_over(Path(job.file).stem, theirs)
                kind, process = receive_answer(ours)
            except (OSError, EOFError):
                self.take_no_more()
                return None
            if kind != BEGUN:
                return None
            with _measured(process, cost):
                with suppress(OSError):  # it has ended already
                    send_job(ours, job)
                try:
                    return receive_answer(ours)[1]
                except EOFError:
                    self.take_no_more()
                    print(_KILLED, file=sys.stderr)
                    return -signal.SIGKILL

    def _hand_over(self, script: str, theirs: socket.socket) -> None:
        with self._sending:
            if self._control is None:
                raise EOFError
            socket.send_fds(self._control, [script.encode()], [theirs.fileno()])


def _is_plain(told: Mapping[str, Any]) -> bool:
    """Whether a script is to run in the surroundings of this process, and to leave nothing."""
    is_here = all(told[name] is None for name in _APART)
    return is_here and told["cleanup_scripts"] and told["resources"].get("shell_exec") is None


def _local(place: Any) -> Path:
    return Path(place.get_path_or_uri(secret_free=True))


def _pickled(told: Mapping[str, Any], folder: str) -> bytes:
    """What a script knows as `snakemake`."""
    from snakemake.iocontainers import Snakemake

    names = ("input", "output", "params", "wildcards", "threads", "resources", "log", "config",
             "rulename", "bench_iteration")  # fmt: skip
    known: Any = Snakemake  # whose signature is Snakemake's own business
    return pickle.dumps(known(*(told[name] for name in names), folder))


def _measured(process: int, cost: Any) -> Any:
    if cost is None:
        return nullcontext()
    from snakemake.benchmark import benchmarked

    return benchmarked(process, cost)


def _stdout() -> Any:
    from snakemake.shell import STDOUT

    return STDOUT
