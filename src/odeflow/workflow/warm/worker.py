"""The process that copies itself for each job: `python -m odeflow.workflow.warm.worker`.

It has one thread and no backend of JAX, without which a copy could wait for locks that nobody
holds. It imports what a job needs before it copies itself, and what later jobs will need while it
has nothing else to do.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path

from odeflow.workflow import collector
from odeflow.workflow.processes import end_with_starter
from odeflow.workflow.warm.imports import import_if_there, modules_of
from odeflow.workflow.warm.job import end_at_once, run_job
from odeflow.workflow.warm.wire import BEGUN, ENDED, REFUSED, send_answer


class Worker:
    """Waits for jobs on a socket, until the run of Snakemake at its other end has ended."""

    def __init__(self, control: socket.socket, script: str) -> None:
        self._control = control
        self._ahead = deque(modules_of(script))  # until it is told which are to run
        self._jobs: dict[int, socket.socket] = {}
        self._is_broken = False
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the jobs

    def serve(self) -> None:
        """Returns when Snakemake has ended; does not return in a copy, which is a job."""
        while True:
            patience = 0 if self._ahead else None
            ready, *_ = select.select([self._control, self._woken], [], [], patience)
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._report()
            if self._control in ready:
                names, given, *_ = socket.recv_fds(self._control, 4096, 1)
                if given:
                    self._begin(names.decode(), socket.socket(fileno=given[0]))
                elif names:
                    self._expect(names.decode().split())
                else:
                    return
            elif self._ahead:
                self._import(self._ahead.popleft())

    def _expect(self, scripts: list[str]) -> None:
        """Has what these scripts need imported, in this order, and nothing else."""
        self._ahead = deque(dict.fromkeys(m for script in scripts for m in modules_of(script)))

    def _import(self, module: str) -> None:
        try:
            import_if_there(module)
        except Exception:  # a new process says what is wrong
            self._is_broken = True
            self._ahead.clear()

    def _begin(self, script: str, connection: socket.socket) -> None:
        for module in modules_of(script):
            if not self._is_broken:
                self._import(module)
        if self._is_broken or not _is_alone():
            with suppress(OSError), connection:
                send_answer(connection, REFUSED)
            return
        sys.stdout.flush()
        sys.stderr.flush()
        own = os.getpid()
        process = os.fork()
        if process == 0:
            signal.set_wakeup_fd(-1)
            for other in (self._control, *self._jobs.values()):
                other.close()
            collector.take_up()
            run_job(connection, script, own)
        self._jobs[process] = connection
        with suppress(OSError):
            send_answer(connection, BEGUN, process)

    def _report(self) -> None:
        """Tells of jobs that have ended how they did: as `Popen` does, signals are negative."""
        for process in list(self._jobs):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                with suppress(OSError), self._jobs.pop(process) as connection:
                    send_answer(connection, ENDED, os.waitstatus_to_exitcode(status))


def _is_alone() -> bool:
    """Whether this process has one thread, as only such can be copied."""
    return len(list(Path("/proc/self/task").iterdir())) == 1


if __name__ == "__main__":
    end_with_starter()
    collector.put_off()
    Worker(socket.socket(fileno=int(sys.argv[1])), sys.argv[2]).serve()
    end_at_once(0)
