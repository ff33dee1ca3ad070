"""Where rules run their scripts: by a warm worker if one can, else as Snakemake does. Without JAX."""

from __future__ import annotations

import atexit
import inspect
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from odeflow.files.source_code import PACKAGE
from odeflow.workflow.warm.imports import in_order
from odeflow.workflow.warm.wire import BEGUN, ScriptJob, receive_answer, send_job

#: Variables that the libraries of linear algebra take their number of threads from.
_THREADS = (
    "OMP_NUM_THREADS", "GOTO_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
)  # fmt: skip
_FOLDERS = ("TMPDIR", "TMP", "TEMPDIR", "TEMP")
#: Arrow, which pandas imports, would start one to give memory back.
_NO_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
#: What Snakemake says of a job that is no plain script on this machine.
_APART = ("conda_env", "container_img", "env_modules", "shadow_dir")


class WarmJobs:
    """Hands scripts of `workflow/scripts` to a worker that this process has started.

    Without a worker, and where the source or the environment is not what it was when this was
    made, `plain`, which is Snakemake's own way, runs them.
    """

    def __init__(self, plain: Callable[..., None], scripts: Path) -> None:
        self._plain, self._folder = plain, scripts.resolve()
        self._signature = inspect.signature(plain)
        self._sources, self._environment = _sources(self._folder), dict(os.environ)
        self._control: socket.socket | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self._sending = threading.Lock()

    def start(self, scripts: Iterable[str]) -> None:
        """Starts the worker; `scripts` are the names of those that are to come.

        To be called by the main thread: the worker ends with the thread that started it.
        """
        needed = in_order(scripts)
        if sys.platform != "linux" or not needed:
            return  # elsewhere what a system's own libraries hold is not to be copied
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-P", "-m", "odeflow.workflow.warm.worker"]
        with theirs:
            self._worker = subprocess.Popen(
                [*command, str(theirs.fileno()), str(Path.cwd()), *needed],
                pass_fds=[theirs.fileno()],
                stdout=_stdout(),
                env=_job_environment(self._environment, 1, None) | _NO_THREADS,
            )
        self._control = ours
        atexit.register(self.end)

    def end(self) -> None:
        """Ends the worker, which has no jobs any more."""
        if self._worker is None:
            return
        self._take_no_more()
        try:
            self._worker.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._worker.kill()
            self._worker.wait()

    def _take_no_more(self) -> None:
        with self._sending:
            if self._control is not None:
                self._control.close()
                self._control = None

    def __call__(self, *given: Any, **named: Any) -> None:
        """Runs a script; called by rules in the place of Snakemake's `script`, with its arguments.

        Raises CalledProcessError where the script fails, as Snakemake's does.
        """
        job = self._job(given, named)
        status = None if job is None else self._run(*job)
        if status is None:
            self._plain(*given, **named)
        elif status:
            raise subprocess.CalledProcessError(status, f"{sys.executable} {job[0].file}")

    def _job(self, given: Sequence[Any], named: Mapping[str, Any]) -> tuple[ScriptJob, Any] | None:
        """What the worker is to run, and Snakemake's record of its cost; None if it is not to."""
        if self._control is None or dict(os.environ) != self._environment:
            return None
        try:
            told = self._signature.bind(*given, **named).arguments
            if any(told[name] is not None for name in _APART) or not told["cleanup_scripts"]:
                return None
            if told["resources"].get("shell_exec") is not None:
                return None
            file = self._folder / Path(told["path"]).name
            here = Path(told["basedir"].get_path_or_uri(secret_free=True), told["path"]).resolve()
            if here != file or _sources(self._folder) != self._sources:
                return None
            job = ScriptJob(
                str(file),
                file.read_text(encoding="utf-8"),
                _pickled(told, str(self._folder)),
                os.getcwd(),
                _job_environment(
                    self._environment, told["threads"], told["resources"].get("tmpdir")
                ),
            )
            return job, told["bench_record"]
        except (AttributeError, ImportError, KeyError, OSError, TypeError):
            return None  # another Snakemake than the one this is written for

    def _run(self, job: ScriptJob, cost: Any) -> int | None:
        """The exit status of a job; None where no worker takes it."""
        ours, theirs = socket.socketpair()
        with ours:
            try:
                with theirs, self._sending:
                    if self._control is None:
                        return None
                    socket.send_fds(self._control, [Path(job.file).stem.encode()], [theirs.fileno()])
                kind, process = receive_answer(ours)
            except (OSError, EOFError):
                self._take_no_more()
                return None
            if kind != BEGUN:
                return None
            with _measured(process, cost):
                with suppress(OSError):  # it has ended already
                    send_job(ours, job)
                try:
                    return receive_answer(ours)[1]
                except EOFError:
                    self._take_no_more()
                    print(
                        "odeflow: the process that jobs are copies of was killed; run again",
                        file=sys.stderr,
                    )
                    return -9


def _pickled(told: Mapping[str, Any], folder: str) -> bytes:
    """What a script knows as `snakemake`."""
    from snakemake.iocontainers import Snakemake

    names = ("input", "output", "params", "wildcards", "threads", "resources", "log", "config",
             "rulename", "bench_iteration")  # fmt: skip
    return pickle.dumps(Snakemake(*(told[name] for name in names), folder))


def _measured(process: int, cost: Any) -> Any:
    if cost is None:
        return nullcontext()
    from snakemake.benchmark import benchmarked

    return benchmarked(process, cost)


def _stdout() -> Any:
    from snakemake.shell import STDOUT

    return STDOUT


def _job_environment(given: Mapping[str, str], threads: int, folder: str | None) -> dict[str, str]:
    """The environment of a job, as Snakemake gives it to a script."""
    own = dict(given) | dict.fromkeys(_THREADS, str(threads))
    return own | dict.fromkeys(_FOLDERS, folder) if folder else own


def _sources(scripts: Path) -> dict[str, tuple[int, int, int]]:
    """When each file of the package and of the scripts was changed last."""
    found: dict[str, tuple[int, int, int]] = {}
    folders = [str(PACKAGE), str(scripts)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    now = entry.stat()
                    found[entry.path] = (now.st_mtime_ns, now.st_size, now.st_ino)
                elif entry.name != "__pycache__" and entry.is_dir():
                    folders.append(entry.path)
    return found

