"""How far the jobs are: which run, and what their logs say."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

#: A line of progress in a job's log, as `odeflow.workflow.progress` writes it.
_PROGRESS = re.compile(r"^([\d,]+) of ([\d,]+) (\w+), [\d,]+ a second", re.MULTILINE)
#: Bytes at the end of a log that are read.
_TAIL = 4096
#: What a rule does, by how its name begins; what takes longest first.
DOING = {
    "solve": "solving",
    "fit": "fitting",
    "verify": "verifying",
    "summarise": "summarising",
    "sensitivity": "analysing",
    "simulate_for_inference": "writing the training set",
    "estimate": "estimating",
    "assemble": "assembling",
    "plot": "drawing",
    "design": "making the design",
    "diagnose": "diagnosing",
    "overview": "writing the page",
    "compare": "comparing",
}


@dataclass
class _Job:
    rule: str
    log: Path | None
    started: float = field(default_factory=time.monotonic)


class Jobs:
    """The jobs of a run, as Snakemake reports them."""

    def __init__(self) -> None:
        self._running: dict[int, _Job] = {}
        #: Trajectories of all chunks that are to be solved, and of those that are.
        self.to_solve, self._solved = 0, 0
        self._solving_since: float | None = None
        self.done, self.total = 0, 0

    def start(self, number: int, rule: str, logs: list[str]) -> None:
        """A job begins."""
        job = _Job(rule, Path(logs[0]) if logs else None)
        if rule.startswith("solve") and self._solving_since is None:
            self._solving_since = job.started
        self._running[number] = job

    def end(self, number: int) -> None:
        """A job has ended, well or not."""
        job = self._running.pop(number, None)
        if job is not None and job.rule.startswith("solve"):
            self._solved += self._progress(job)[0]

    def now(self) -> tuple[str, float | None]:
        """What is being done, and how much of it is done; an empty text where nothing runs."""
        # a copy, since jobs begin and end meanwhile
        jobs = sorted(self._running.copy().values(), key=lambda job: _rank(job.rule))
        if not jobs:
            return "", None
        first = jobs[0]
        done, total, words = self._progress(first)
        since = first.started
        if first.rule.startswith("solve"):
            done = self._solved + sum(
                self._progress(job)[0] for job in jobs if job.rule.startswith("solve")
            )
            total, since = max(self.to_solve, done, total), self._solving_since or since
        doing = _doing(first.rule)
        if not total:
            return f"{doing} ({self.done} of {self.total} steps done)", None
        rate = done / max(time.monotonic() - since, 1e-9)
        left = f", {_short(rate)} a second, {clock((total - done) / rate)} left" if done else ""
        return f"{doing}: {done:,} of {total:,} {words}{left}", done / total

    def _progress(self, job: _Job) -> tuple[int, int, str]:
        """What a job's log says of it: done, of how many, of what."""
        try:
            with (job.log or Path()).open("rb") as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - _TAIL))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return 0, 0, "trajectories"
        said = _PROGRESS.findall(text)
        if not said:
            return 0, 0, "trajectories"
        done, total, words = said[-1]
        return int(done.replace(",", "")), int(total.replace(",", "")), words


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, with hours where there are any."""
    minutes, seconds = divmod(round(min(seconds, 360_000)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def _rank(rule: str) -> int:
    return next((i for i, name in enumerate(DOING) if rule.startswith(name)), len(DOING))


def _doing(rule: str) -> str:
    return next((words for name, words in DOING.items() if rule.startswith(name)), rule)
