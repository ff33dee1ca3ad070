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
    except SystemExit:
        raise
    except EOFError:
        sys.exit("odeflow: Snakemake has ended")
    except KeyboardInterrupt:
        _say()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        _say()
        sys.exit(1)
    sys.exit(0)


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


def _say() -> None:
    """Prints the error that is being handled, without this module's own lines."""
    kind, error, place = sys.exc_info()
    while place is not None and place.tb_frame.f_code.co_filename == __file__:
        place = place.tb_next
    traceback.print_exception(kind, error, place)
    sys.stderr.flush()
