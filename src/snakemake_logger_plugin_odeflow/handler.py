"""The handler of Snakemake's records."""

import logging
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_odeflow.jobs import Jobs
from snakemake_logger_plugin_odeflow.screen import Screen
from snakemake_logger_plugin_odeflow.sorting import error_text, is_noise, reason

#: Tells jobs that their progress and errors are read from their logs: `odeflow.workflow.progress`.
READS_LOGS = "ODEFLOW_LOGGER_READS_LOGS"
#: Seconds between looks at the logs of running jobs.
_LOOK = 0.5
#: Where no person is watching: seconds until the first line of progress, then so many times more.
_FIRST_LINE, _TIMES_MORE = 20.0, 10.0
_NOTHING_TO_DO = "Nothing to be done"


class LogHandler(LogHandlerBase):
    """Shows what a user needs of a run, or all that Snakemake says."""

    def __post_init__(self) -> None:
        asked: Any = self.common_settings
        is_whole = asked.dryrun or asked.verbose or asked.debug_dag or asked.printshellcmds
        stream = sys.stdout if asked.stdout else sys.stderr
        self._whole: logging.Handler | None = None
        if is_whole or getattr(self.settings, "full", False):
            from snakemake.logging import ColorizingTextHandler

            self._whole = ColorizingTextHandler(nocolor=asked.nocolor, stream=stream)
        else:
            os.environ[READS_LOGS] = "1"
        self._screen, self._jobs = Screen(stream), Jobs()
        #: What stands already, said where nothing is to be done.
        self._standing: list[str] = []
        self._has_begun = False
        self._notes: list[str] = []
        self._shown = threading.Lock()
        self._closed = threading.Event()
        self._watching: threading.Thread | None = None

    @property
    def writes_to_stream(self) -> bool:
        """It does."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """It does not: Snakemake does so itself."""
        return False

    @property
    def has_filter(self) -> bool:
        """It leaves `--quiet` to Snakemake."""
        return False

    @property
    def has_formatter(self) -> bool:
        """It leaves this to Snakemake too, whose format is used where all is shown."""
        return False

    @property
    def needs_rulegraph(self) -> bool:
        """It does not."""
        return False

    def setFormatter(self, fmt: logging.Formatter | None) -> None:
        """Sets the format of what is shown whole."""
        super().setFormatter(fmt)
        if self._whole is not None:
            self._whole.setFormatter(fmt)

    def emit(self, record: logging.LogRecord) -> None:
        """Shows a record, or what it says of how far the run is."""
        if self._whole is not None:
            self._whole.emit(record)
            return
        try:
            with self._shown:
                self._take(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Takes the bar away, and says how many lines were left out."""
        self._closed.set()
        if self._watching is not None:
            self._watching.join(timeout=2 * _LOOK)
        with self._shown:
            self._screen.close()
        super().close()

    def _take(self, record: logging.LogRecord) -> None:
        event, text = getattr(record, "event", None), str(record.msg or "")
        said: dict[str, Any] = record.__dict__
        if (kind := said.get("odeflow")) is not None:
            self._take_own(kind, text, said)
        elif event == LogEvent.JOB_INFO:
            self._jobs.start(said["jobid"], said["rule_name"], list(said["log"]))
            self._watch()
        elif event == LogEvent.JOB_FINISHED:
            self._jobs.end(said["job_id"])
        elif event == LogEvent.PROGRESS:
            self._jobs.done, self._jobs.total = said["done"], said["total"]
        elif event == LogEvent.JOB_ERROR:
            self._jobs.end(said["jobid"])
            self._failure(said["rule_name"], said["log"])
        elif event == LogEvent.GROUP_ERROR:
            for job in said["job_error_info"]:
                self._failure(job["rule_name"], [*job["log"], *said["aux_logs"]])
        elif event == LogEvent.ERROR or record.levelno >= logging.ERROR:
            # what was raised in a job: the record that follows has the job's log
            is_of_a_job = self._has_begun and said.get("exception") == "RuleException"
            text = "" if is_noise(text) or is_of_a_job else error_text(text)
            if text:
                self._screen.line(f"odeflow: {text}")
        elif event is not None:
            self._has_begun |= event == LogEvent.RUN_INFO
        elif text.startswith(_NOTHING_TO_DO):
            self._screen.line("Nothing to be done: all is there, as asked.")
            for text in self._standing:
                self._screen.line(text)
        elif not is_noise(text):
            # what a command other than a run says is all shown
            is_note = self._has_begun or record.levelno >= logging.WARNING
            self._screen.line(text, "note" if is_note else "")

    def _take_own(self, kind: str, text: str, said: dict[str, Any]) -> None:
        """What the workflow says itself."""
        if kind == "standing":
            self._standing.append(text)
        elif kind != "stale":  # the plan says it, of what is done again
            if kind == "end":
                self._say_what_is_left_out()
            self._screen.line(text, kind)
            self._notes += [text] if kind == "note" else []
            self._jobs.to_solve = said.get("to_solve", self._jobs.to_solve)

    def _failure(self, rule: str, logs: list[str]) -> None:
        """A job that failed: the last line of its log says why."""
        log = next(iter(logs), "")
        where = f" (log: {log})" if log else ""
        why = reason(_read(log))
        if any(why in note for note in self._notes):  # found when the run was planned
            why = "failed for the reason given above"
        self._screen.line(f"odeflow: {rule}: {why}{where}", "failure")

    def _say_what_is_left_out(self) -> None:
        """In front of the end: how many lines there was no space for."""
        failures, notes = (self._screen.left_out(kind) for kind in ("failure", "note"))
        parts = [f"{failures:,} more jobs failed"] if failures else []
        parts += [f"{notes:,} more note{'s' if notes > 1 else ''}"] if notes else []
        if parts:
            self._screen.line(f"{' and '.join(parts)}: see .snakemake/log/", "more")

    def _watch(self) -> None:
        """Begins to look at the logs of jobs, once."""
        if self._watching is None:
            self._watching = threading.Thread(target=self._look, daemon=True)
            self._watching.start()

    def _look(self) -> None:
        started, due = time.monotonic(), _FIRST_LINE
        while not self._closed.wait(_LOOK):
            watched = self._screen.is_watched
            if not watched and time.monotonic() - started < due:
                continue
            text, fraction = self._jobs.now()
            with self._shown:
                if not text:
                    continue
                if watched:
                    self._screen.bar(text, fraction)
                else:
                    self._screen.line(text, "progress")
                    due *= _TIMES_MORE


def _read(log: str) -> str:
    try:
        return Path(log).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
