"""Progress of a solve: lines in a log, and a bar where a person is watching."""

import os
import sys
import time
from typing import TextIO

#: Set where the terminal is another process', which reads the logs: the logger plugin.
READS_LOGS = "ODEFLOW_LOGGER_READS_LOGS"


class ProgressReport:
    """Call it with the number of trajectories done so far; it reports at most once a second.

    `log` gets one line per report; `terminal`, if given, a bar that overwrites itself. What takes
    less than `least` seconds is not reported.
    """

    def __init__(
        self,
        total: int,
        log: TextIO,
        terminal: TextIO | None = None,
        every: float = 1.0,
        least: float = 0.0,
    ):
        self.total, self.log, self.terminal, self.every = total, log, terminal, every
        self.least = least
        self.started = self.reported = time.monotonic()

    def __call__(self, done: int) -> None:
        """Reports that `done` trajectories of the total are done."""
        now = time.monotonic()
        if now - self.reported < self.every and done < self.total:
            return
        if now - self.started < self.least:
            return
        self.reported = now
        elapsed = max(now - self.started, 1e-9)
        rate = done / elapsed
        left = (self.total - done) / rate if rate else float("inf")
        text = f"{done:,} of {self.total:,} trajectories, {rate:,.0f} a second, {_clock(left)} left"
        print(text, file=self.log, flush=True)
        if self.terminal is not None:
            filled = 30 * done // self.total
            end = "\n" if done >= self.total else ""
            bar = "#" * filled + "-" * (30 - filled)
            print(f"\r[{bar}] {text}", end=end, file=self.terminal, flush=True)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(min(seconds, 360_000)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def terminal() -> TextIO | None:
    """The person's terminal, if standard error is one and nobody else shows how far a job is."""
    stream = sys.__stderr__
    return stream if stream is not None and stream.isatty() and not logs_are_read() else None


def logs_are_read() -> bool:
    """Whether what a job says in its log reaches the terminal from there."""
    return bool(os.environ.get(READS_LOGS))
