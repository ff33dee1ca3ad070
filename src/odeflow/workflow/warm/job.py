"""A copy of the worker becomes a job: it runs one script as a new process would, and ends."""

from __future__ import annotations

import atexit
import os
import pickle
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from odeflow.workflow.processes import end_with_starter, name_process
from odeflow.workflow.warm.wire import ScriptJob, receive_job


def run_job(connection: socket.socket, script: str, worker: int) -> NoReturn:
    """Runs the job that is sent, in this process, and ends it with the script's exit status.

    `worker` is the process that this one is a copy of, and ends with.
    """
    end_with_starter()
    if os.getppid() != worker:
        sys.exit("odeflow: the worker has ended")
    name_process(f"odeflow-{script}")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    atexit.unregister(shutil.rmtree)  # temporary folders of the worker's are for all of its jobs
    try:
        with connection:
            job = receive_job(connection)
        surround(job)
        _run(job)
        status = 0
    except SystemExit as end:
        status = _status(end)
    except BaseException as error:
        _say(error)
        status = 1
        if isinstance(error, KeyboardInterrupt):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
    end_at_once(status)


def surround(job: ScriptJob) -> None:
    """Gives this process the folder, variables and paths that a new one for the job would have."""
    os.chdir(job.folder)
    for name in os.environ.keys() - job.environment.keys():
        del os.environ[name]
    os.environ.update(job.environment)
    tempfile.tempdir = None  # looked for again: Snakemake gives jobs a folder of their own
    sys.argv = [job.file]
    sys.path.append(str(Path(job.file).parent))


def _run(job: ScriptJob) -> None:
    main = ModuleType("__main__")
    main.__dict__.update(__file__=job.file, snakemake=pickle.loads(job.snakemake))
    sys.modules["__main__"] = main
    exec(compile(job.source, job.file, "exec"), main.__dict__)


def _status(end: SystemExit) -> int:
    """The exit status that Python makes of it, which prints what is no number."""
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


def _say(error: BaseException) -> None:
    """Prints an error, without this module's own lines."""
    place = error.__traceback__
    while place is not None and place.tb_frame.f_code.co_filename == __file__:
        place = place.tb_next
    traceback.print_exception(type(error), error, place)


def end_at_once(status: int) -> NoReturn:
    """Ends this process as Python does, but for taking the worker's modules apart.

    In a copy all of that is copied first, which costs more than a small job. `multiprocessing`
    ends its copies so, too.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)
