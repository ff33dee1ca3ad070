"""Processes that solve cases: each is replaced after some cases, and ended if one takes too long.

`concurrent.futures` has no limit for one task, and its `max_tasks_per_child` waits for ever on
Python 3.11 once every process has had its share.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path

from odeflow.trust.sbml_suite.run import CaseOutcome, run_case

#: Cases that one process solves before a new one takes its place: compiled code stays in memory.
CASES_PER_PROCESS = 150
SECONDS_PER_CASE = 600.0

Solve = Callable[[Path], CaseOutcome]


def run_cases(
    folders: Sequence[Path],
    jobs: int,
    seconds: float = SECONDS_PER_CASE,
    cases_per_process: int = CASES_PER_PROCESS,
    solve: Solve = run_case,
) -> Iterator[CaseOutcome]:
    """Outcomes as they come, by `solve` in `jobs` processes.

    A case that takes longer than `seconds`, or whose process dies, is a failure and stops no other.
    """
    pending = list(reversed(folders))
    workers: list[_Worker] = []
    try:
        while pending or any(worker.folder for worker in workers):
            workers = [worker for worker in workers if not worker.is_spent(cases_per_process)]
            while pending and len(workers) < jobs:
                workers.append(_Worker(solve))
            for worker in workers:
                if pending and worker.folder is None:
                    worker.give(pending.pop())
            busy = [worker for worker in workers if worker.folder is not None]
            first_end = min(worker.began for worker in busy) + seconds
            ready = wait([worker.pipe for worker in busy], max(0.0, first_end - time.monotonic()))
            for worker in busy:
                if worker.pipe in ready:
                    yield worker.take()
                elif time.monotonic() - worker.began >= seconds:
                    yield worker.stop(f"not solved within {seconds:g} s")
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """A process that solves one case after another. `folder` is that of the case it is at."""

    def __init__(self, solve: Solve) -> None:
        context = get_context("spawn")
        self.pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, solve), daemon=True)
        self._process.start()
        other.close()  # so that the pipe ends with the process
        self.folder: Path | None = None
        self.began = 0.0
        self._given = 0

    def give(self, folder: Path) -> None:
        """Starts a case."""
        self.folder, self.began = folder, time.monotonic()
        self._given += 1
        with suppress(OSError):  # where the process is dead, which `take` sees
            self.pipe.send(folder)

    def take(self) -> CaseOutcome:
        """The outcome of the case; call it once the pipe is ready."""
        assert self.folder is not None
        try:
            outcome = self.pipe.recv()
        except (EOFError, OSError):
            return self.stop("the process that solved it died")
        self.folder = None
        return outcome

    def stop(self, reason: str) -> CaseOutcome:
        """Ends the process; the case has failed."""
        assert self.folder is not None
        name, self.folder = self.folder.name, None
        self.end()
        return CaseOutcome(name, "fail", reason)

    def is_spent(self, cases: int) -> bool:
        """Whether another process has to take its place; ends it if it has had its cases."""
        if self.folder is None and self._given >= cases:
            self.end()
        return not self._process.is_alive() and self.folder is None

    def end(self) -> None:
        """Ends the process at once."""
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _serve(pipe: Connection, solve: Solve) -> None:
    while True:
        try:
            folder = pipe.recv()
        except EOFError:
            return
        pipe.send(solve(folder))
