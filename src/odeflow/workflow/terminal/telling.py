"""Hands what a run says of itself to Snakemake's logger: at its start, and where it ends."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from odeflow.provenance.records import Stage
from odeflow.workflow.chunks import Chunk
from odeflow.workflow.experiment import Experiment
from odeflow.workflow.progress import logs_are_read
from odeflow.workflow.staleness import what_is_stale
from odeflow.workflow.terminal.outcome import outcome
from odeflow.workflow.terminal.outlook import Due, outlook
from odeflow.workflow.terminal.reasons import reasons


class Telling:
    """What one run says. Each record has the attribute `odeflow`, by which a logger knows it.

    Arguments:
        logger: Snakemake's.
        experiments: those asked for, by name.
        chunks: the chunk that each file holds, and an experiment that has it.
        study: the folder that files are relative to.
    """

    def __init__(
        self,
        logger: logging.Logger,
        experiments: Mapping[str, Experiment],
        chunks: Mapping[str, tuple[Experiment, Chunk]],
        study: Path,
    ):
        self._logger, self._study = logger, study
        self._experiments, self._chunks = experiments, chunks
        self._started = time.monotonic()
        self._why: dict[str, list[str]] = {}
        self._has_plan = False

    def planned(self, stale: Sequence[Stage]) -> None:
        """Says which files are not what is asked for, and keeps why: jobs remove the records."""
        folders: dict[str, list[Stage]] = {}
        for stage in stale:
            folders.setdefault(stage.folder, []).append(stage)
        self._why = {folder: reasons(stages, self._study) for folder, stages in folders.items()}
        for line in what_is_stale(stale, self._why):
            self._say("stale", line)
        if logs_are_read():
            self._say("standing", *outcome(self._pages(stale), self._study, None))

    def started(self, jobs: Iterable[Any]) -> None:
        """Says what is going to be done, and why.

        Arguments:
            jobs: Snakemake's jobs that are to run.
        """
        due: dict[str, Due] = {}
        for job in jobs:
            rule, files = str(job.rule.name), [str(file) for file in job.output]
            experiment = self._experiment_of(rule, files, job.wildcards)
            if experiment is None:
                continue
            one = due.setdefault(experiment.name, Due(is_new=self._is_new(experiment)))
            one.rules.add(rule)
            if rule.startswith("solve"):
                one.trajectories += self._chunks[files[0]][1].size
            elif rule == "fit":
                spec = experiment.fit_spec(job.wildcards.chunk)
                one.starts += spec["last"] - spec["first"]
            else:
                one.missing += [file for file in files if not (self._study / file).exists()]
        self._has_plan = bool(due)
        why = {Path(folder).name: phrases for folder, phrases in self._why.items()}
        to_solve = sum(one.trajectories for one in due.values())
        self._say("plan", *outlook(due, why), to_solve=to_solve)

    def ended(self, stale: Callable[[], Sequence[Stage]], whole: bool) -> None:
        """Says what has come of the run.

        Arguments:
            stale: finds the stages whose files are not what is asked for.
            whole: whether all jobs ended well.
        """
        if not self._has_plan:
            return
        seconds = time.monotonic() - self._started
        self._say("end", *outcome(self._pages(stale()), self._study, seconds, whole))

    def _pages(self, stale: Sequence[Stage]) -> dict[str, str]:
        """The page of each experiment that has one as it is asked for."""
        left = {stage.folder for stage in stale}
        pages = {name: experiment.folder for name, experiment in self._experiments.items()}
        return {
            name: f"{folder}/overview.html"
            for name, folder in pages.items()
            if str(folder) not in left and (self._study / folder / "overview.html").is_file()
        }

    def _experiment_of(self, rule: str, files: list[str], wildcards: Any) -> Experiment | None:
        if rule.startswith("solve"):
            return self._chunks[files[0]][0]
        if rule.startswith("plot_"):  # each experiment has rules of its own
            found = (name for name in self._experiments if f"results/{name}/" in "".join(files[:1]))
            return self._experiments[next(found)]
        return self._experiments.get(getattr(wildcards, "experiment", ""))

    def _is_new(self, experiment: Experiment) -> bool:
        return not any((self._study / file).exists() for file in experiment.targets)

    def _say(self, kind: str, *lines: str, **more: Any) -> None:
        if lines:
            self._logger.info("\n".join(lines), extra={"odeflow": kind, **more})
