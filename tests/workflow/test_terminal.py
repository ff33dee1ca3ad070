"""What a run says of itself: the change that is behind it, what is done, what came of it."""

import json
import logging
import os
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from odeflow.provenance.records import Stage, write_record
from odeflow.workflow.progress import READS_LOGS, ProgressReport
from odeflow.workflow.terminal.changes import changes
from odeflow.workflow.terminal.outcome import outcome
from odeflow.workflow.terminal.outlook import Due, outlook
from odeflow.workflow.terminal.reasons import reasons
from snakemake_logger_plugin_odeflow import handler
from snakemake_logger_plugin_odeflow.jobs import Jobs, clock
from snakemake_logger_plugin_odeflow.screen import MOST, Screen
from snakemake_logger_plugin_odeflow.sorting import error_text, is_noise, reason
from tests.support.transcripts import MOST_LINES, PAGE, masked, page, transcripts

SOLVER = {"method": "Tsit5", "rtol": 1e-6, "atol": 1e-9, "max_steps": 100, "dtmin": None}
ASKED: dict[str, Any] = {
    "config": {"name": "x", "model": {"name": "sir", "t1": 2.0}, "solver": SOLVER},
    "source": "a",
    "model": ["b"],
    "packages": {"jax": "0.7", "numpy": "2.1"},
    "samples": 512,
}


def other(**settings: Any) -> dict[str, Any]:
    """What is asked for with other settings, `solver__rtol=...`, or other parts."""
    config = json.loads(json.dumps(ASKED["config"]))
    parts = dict(ASKED)
    for key, value in settings.items():
        group, _, name = key.partition("__")
        if name:
            config.setdefault(group, {})[name] = value
        else:
            parts[key] = value
    return parts | {"config": config}


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (other(), []),
        (other(solver__rtol=1e-8), ["solver.rtol 1e-06 -> 1e-08"]),
        (other(solver__dtmin=0.5), ["solver.dtmin null -> 0.5"]),
        (other(solver__method="Kvaerno5", solver__rtol=1.0), ["solver.method Tsit5 -> Kvaerno5"]),
        (other(solver__atol={"S": 1.0}), ["solver.atol.S null -> 1", "solver.atol 1e-09 -> null"]),
        (other(source="b"), ["odeflow's code changed"]),
        (other(model=["c"], reading=["d"]), ["the model's code changed"]),
        (other(model=["c"], model__name="seir"), ["model.name sir -> seir"]),
        (other(packages={"jax": "0.8", "numpy": "2.1"}), ["jax 0.7 -> 0.8"]),
        (other(design__size=1024, samples=1024), ["512 more samples"]),
        (
            other(design__axes={"k": {"values": [1, 2]}}, samples=2),
            ["design.axes.k changed", "510 fewer samples"],
        ),
    ],
)
def test_a_change_is_a_phrase(now: dict[str, Any], said: list[str]):
    before = dict(ASKED)
    if any(phrase.endswith("more samples") for phrase in said):
        before = other(design__size=512)
    assert changes(before, now) == said


def test_many_changes_of_a_group_are_counted():
    now = other(solver__rtol=1.0, solver__atol=1.0, solver__max_steps=1, solver__dtmin=2.0)
    first, second, more = changes(ASKED, now)
    assert (first, second) == ("solver.rtol 1e-06 -> 1", "solver.atol 1e-09 -> 1")
    assert more == "2 more of solver"


def test_what_follows_from_another_stage_is_no_reason(tmp_path: Path):
    first = Stage("one", "results/x", "p", {}, ("results/x/a",), ASKED)
    second = Stage("two", "results/x", "q", {"results/x/a": first.record}, ("results/x/b",), ASKED)
    (tmp_path / "results/x").mkdir(parents=True)
    for stage, read in ((first, {}), (second, {"results/x/a": "another"})):
        (tmp_path / stage.outputs[0]).write_text("x")
        write_record(stage, read, tmp_path)
    assert reasons([second], tmp_path) == ["a changed"]
    now = Stage(**(first.as_data() | {"plan": "r", "asked": other(solver__rtol=1.0)}))
    assert reasons([now, second], tmp_path) == ["solver.rtol 1e-06 -> 1"]
    (tmp_path / first.record).unlink()
    assert reasons([now], tmp_path) == ["no record of how it was made"]


def test_a_plan_says_what_is_done_and_why():
    everything = {"design", "solve", "assemble", "summarise", "diagnose", "overview"}
    new = {"x": Due(everything, trajectories=1, is_new=True)}
    assert outlook(new, {}) == ["x: new: solving 1 trajectory, then all that follows"]
    drawn = {"x": Due({"plot_x", "overview", "verdict"})}
    said = outlook(drawn, {"x": ["plot.dpi 50 -> 61"]})
    assert said == ["x: plot.dpi 50 -> 61: making figures and page"]
    gone = {"x": Due({"summarise"}, missing=["results/x/summary.nc"])}
    assert outlook(gone, {}) == ["x: summary.nc is missing: making metrics"]
    four = {name: Due({"solve"}, trajectories=1000) for name in "abcd"}
    lines = outlook(four, {name: list("abcde") for name in four})
    assert lines[0] == "a: a, b, c, and 2 more: solving 1,000 trajectories"
    assert len(lines) == 3 and lines[2] == "and 2 more experiments: 2,000 trajectories to solve"


def test_the_end_says_the_worst_first_and_where_to_look(tmp_path: Path):
    lights = {"a": "good", "b": "good", "c": "doubt", "d": "good"}
    for name, light in lights.items():
        first = {"text": "All were solved.", "light": "good", "word": "solved", "link": "e.nc"}
        second = {"text": "The errors are large.", "light": light, "word": "verified", "link": "v"}
        (tmp_path / f"results/{name}").mkdir(parents=True)
        told = json.dumps({"card": {"answers": [first, second]}})
        (tmp_path / f"results/{name}/verdict.json").write_text(told)
    one = outcome({"a": "results/a/overview.html"}, tmp_path, 75.2)
    assert one == ["a: All were solved. Verified.", "done after 75 s: results/a/overview.html"]
    lines = outcome(dict.fromkeys(lights, "page"), tmp_path, 7200, whole=False)
    assert lines[0] == "c: All were solved. The errors are large (results/c/v)."
    assert lines[2:] == ["and 2 more experiments", "failed after 2 h 0 min: results/index.html"]
    assert outcome({}, tmp_path, None) == []


def test_a_screen_shows_no_more_than_so_many_lines_and_takes_its_bar_away():
    class Watched(StringIO):
        def isatty(self) -> bool:
            return True

    screen = Screen(stream := Watched())
    for number in range(5):
        screen.line(f"note {number}", "note")
    assert stream.getvalue().splitlines() == ["note 0", "note 1"]
    assert screen.left_out("note") == 3 and screen.left_out("end") == 0
    screen.bar("solving", 0.5)
    screen.line("done")
    screen.close()
    assert stream.getvalue().endswith("------] solving\r\033[Kdone\n")
    assert sum(MOST.values()) == 10  # with Snakemake's line on the profile and the command's: 12
    quiet = Screen(StringIO())
    quiet.bar("solving", 0.5)
    assert not quiet.is_watched


def test_progress_is_read_from_the_logs_of_jobs(tmp_path: Path):
    jobs = Jobs()
    assert jobs.now() == ("", None)
    jobs.to_solve = 3000
    for number, done in enumerate((1000, 250)):
        with (tmp_path / f"{number}.log").open("w") as log:
            ProgressReport(1000, log, every=0)(done)
        jobs.start(number, "solve", [str(tmp_path / f"{number}.log")])
    jobs.start(2, "design", [])
    text, fraction = jobs.now()
    assert text.startswith("solving: 1,250 of 3,000 trajectories, ") and fraction == 1250 / 3000
    jobs.end(0)
    jobs.end(1)
    jobs.done, jobs.total = 2, 9
    assert jobs.now() == ("making the design (2 of 9 steps done)", None)
    jobs.start(3, "solve", [])
    assert jobs.now()[0].startswith("solving: 1,250 of 3,000")  # what has ended counts on
    assert [clock(59.6), clock(3661)] == ["1:00", "1:01:01"]


def test_the_reason_of_a_failed_job_is_one_line_of_its_log():
    assert reason("1 of 2\nodeflow: k: no such axis\nmore\n") == "k: no such axis"
    traceback = "Traceback (most recent call last):\n  File x\nValueError: no\n"
    assert reason(traceback).startswith("ValueError: no, which is")
    assert "killed" in reason("3 of 4 trajectories, 2 a second, 0:01 left\n")


def test_errors_of_snakemake_lose_what_is_said_already():
    config = (
        'WorkflowError in file "x.smk", line 47:\nconfig: k: no\n  File "y", line 6, in <module>'
    )
    assert error_text(config) == "config: k: no"
    assert error_text("WorkflowError:\nAt least one job did not complete successfully.") == ""
    assert is_noise("Select jobs to execute...") and not is_noise("Unlocked working directory.")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> tuple[handler.LogHandler, StringIO]:
    """The plugin as Snakemake starts it in a run, and what it has shown."""
    stream = StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv(READS_LOGS, "")  # the plugin sets it, and what sets it back is this
    flags = dict.fromkeys(("dryrun", "verbose", "debug_dag", "printshellcmds", "stdout"), False)
    settings: Any = SimpleNamespace(nocolor=True, quiet=None, show_failed_logs=True, **flags)
    return handler.LogHandler(settings, None), stream


def record(text: str | None, level: int = logging.INFO, **extra: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text, "levelno": level, **extra})


def test_the_plugin_shows_a_run_in_a_few_lines(
    shown: tuple[handler.LogHandler, StringIO], tmp_path: Path
):
    plugin, stream = shown
    assert os.environ[READS_LOGS]
    logs = [tmp_path / f"{number}.log" for number in range(4)]
    for log in logs:
        log.write_text("odeflow: k: no such axis\n")
    plugin.emit(record("Building DAG of jobs..."))
    plugin.emit(record("x: not of the settings", odeflow="stale"))
    plugin.emit(record("x stands", odeflow="standing"))
    plugin.emit(record("Job stats: ...", event=LogEvent.RUN_INFO))
    plugin.emit(record("x: new: solving", odeflow="plan", to_solve=3))
    for number, log in enumerate(logs):
        job = {"jobid": number, "rule_name": "solve", "log": [str(log)]}
        plugin.emit(record(None, event=LogEvent.JOB_INFO, **job))
        plugin.emit(record(None, event=LogEvent.JOB_ERROR, level=logging.ERROR, **job))
    plugin.emit(record("CalledProcessError in file x", logging.ERROR))
    raised = {"event": LogEvent.ERROR, "exception": "RuleException"}
    plugin.emit(record("JobError in file x", logging.ERROR, **raised))
    plugin.emit(record("the disk is slow", logging.WARNING))
    plugin.emit(record("failed after 2 s", odeflow="end"))
    plugin.close()
    assert stream.getvalue().splitlines() == [
        "x: new: solving",
        f"odeflow: solve: k: no such axis (log: {logs[0]})",
        f"odeflow: solve: k: no such axis (log: {logs[1]})",
        "the disk is slow",
        "2 more jobs failed: see .snakemake/log/",
        "failed after 2 s",
    ]


def test_the_plugin_says_what_stands_and_no_reason_twice(
    shown: tuple[handler.LogHandler, StringIO], tmp_path: Path
):
    plugin, stream = shown
    plugin.emit(record("x stands", odeflow="standing"))
    plugin.emit(record("Nothing to be done (all requested files are present and up to date)."))
    (tmp_path / "log").write_text("odeflow: models.py, line 3: no\n")
    plugin.emit(record("config of x: not traced (models.py, line 3: no)", odeflow="note"))
    job = {"jobid": 1, "rule_name": "solve", "log": [str(tmp_path / "log")]}
    plugin.emit(record(None, event=LogEvent.JOB_ERROR, **job))
    assert stream.getvalue().splitlines() == [
        "Nothing to be done: all is there, as asked.",
        "x stands",
        "config of x: not traced (models.py, line 3: no)",
        f"odeflow: solve: failed for the reason given above (log: {tmp_path / 'log'})",
    ]


def test_jobs_and_plugin_agree_on_who_reads_the_logs():
    assert handler.READS_LOGS == READS_LOGS


@pytest.mark.slow
def test_the_transcripts_are_what_runs_say(tmp_path: Path):
    said = transcripts(tmp_path)
    assert masked(page(said)) == masked(PAGE.read_text())
    assert all(2 < len(text.splitlines()) <= MOST_LINES for text in said)
