"""Writes `docs/terminal.md`, what four runs say, from four real runs:

python -m tests.support.transcripts > docs/terminal.md
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from odeflow.files.shipped import shipped
from tests.support.snakes import PROJECT

PAGE = PROJECT / "docs" / "terminal.md"
#: Lines that a run may have.
MOST_LINES = 12 - 2  # of progress, which are left out here
_STIFF = "design.axes.ka={values:[0.5,1,1e5]} design.axes.cl={values:[5]}"


@dataclass(frozen=True)
class Run:
    """One run, and what the page says of it."""

    title: str
    text: str
    settings: str = ""
    fails: bool = False

    @property
    def command(self) -> str:
        """What a user types."""
        words = ["odeflow", "run", "experiment=my_study", *self.settings.split()]
        return " ".join(word if "{" not in word else f"'{word}'" for word in words)


RUNS = (
    Run(
        "The first run",
        "Of the study that `odeflow new my_study` writes. The second line is the command of\n"
        "Snakemake's that it stands for.",
    ),
    Run("Nothing to do", "The same once more."),
    Run(
        "A plot setting changed",
        "Nothing is solved again. What has changed stands in front of what is done for it.",
        "plot.dpi=300",
    ),
    Run(
        "One trajectory fails",
        "With `ka: 1e5` the model is stiff; tsit5 takes more than a thousand steps, and\n"
        "`retry: []` forbids Rodas5P. A failed trajectory stops no other, and does not fail the\n"
        "run unless `runtime.max_failed` says so.",
        f"{_STIFF} solver.max_steps=1000 runtime.retry=[]",
    ),
)

_PAGE = """\
# What a run says

At most twelve lines: which stages are done again and why, how far it is, what failed, and where the
page is. Made by `python -m tests.support.transcripts > docs/terminal.md`; a test runs the four and
compares.

{runs}
## While it runs

On a terminal the last line is a bar of what takes longest at the time; it overwrites itself:

```text
[############------------] solving: 261,888 of 524,288 trajectories, 30,612 a second, 0:08 left
```

Where no person is watching, in a file or a batch job, there is a plain line after 20 seconds and
one more after 200.

A job that fails is one line: its rule, the reason, and its log. What has no room is counted.

```text
odeflow: solve: model.vector_field: models.py:decay, line 3, reads .yy, which is not there; did \
you mean y? known: y (log: results/chunks/33745fb481f83900/00000-n4.log)
failed after 5 s
```

## All that Snakemake says

Snakemake's own output goes whole to `.snakemake/log/` of the study, whatever the terminal shows. To
have it on the terminal:

```bash
odeflow run --verbose experiment=my_study
snakemake --logger-odeflow-full --config experiment=my_study
```

Dry runs (`--dry-run`), `--verbose` and `--printshellcmds` show it anyway. The few lines come from a
logger plugin, `snakemake_logger_plugin_odeflow`, which is installed with odeflow; the profile
`profiles/default` beside the Snakefile asks for it, and `--workflow-profile none` leaves it out.
"""


def transcripts(folder: Path) -> list[str]:
    """What each run says, one after another in a new study.

    Arguments:
        folder: where the study is made.

    Returns:
        The output of each run, without lines of progress; paths of this machine are replaced.
    """
    _said(folder, ["new", "my_study"])
    return [_run(folder / "my_study", run) for run in RUNS]


def _run(study: Path, run: Run) -> str:
    text = _said(study, shlex.split(run.command)[1:], run.fails)
    text = text.replace(sys.executable, "python").replace(str(shipped()), "../odeflow")
    lines = text.replace(f"{study}/", "").splitlines()
    # how many there are of these depends on what else the machine does
    return "\n".join(line for line in lines if not re.search(r"steps done\)$|a second", line))


def _said(folder: Path, words: Sequence[str], fails: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "odeflow", *words], cwd=folder, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"COLUMNS": "100"},
    )  # fmt: skip
    assert bool(done.returncode) == fails, done.stdout
    return done.stdout


def masked(text: str) -> list[str]:
    """The lines that are the same on each machine, with times left out."""
    return re.sub(r"\b\d+ (?:s|min)\b", "T", text).splitlines()


def page(said: Sequence[str]) -> str:
    """The page, with what each run said."""
    runs = (
        f"## {run.title}\n\n{run.text}\n\n```console\n$ {run.command}\n{text.rstrip()}\n```\n"
        for run, text in zip(RUNS, said, strict=True)
    )
    return _PAGE.format(runs="\n".join(runs))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        sys.stdout.write(page(transcripts(Path(place))))
