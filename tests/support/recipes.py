"""The recipes of docs/how-to, done in the study that they start from, and other pages with code.

A recipe's files are written, its experiments and the settings of each `odeflow run` composed, its
Python run on results of that study, and other commands run. A block of the kind `console` is shown
only.
"""

import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import odeflow
from odeflow.workflow.commands.new import write_study
from odeflow.workflow.commands.run import snakemake_command
from tests.support.done_pages import done_once
from tests.support.snakes import PROJECT
from tests.support.tutorials import blocks, environment, file_of

DOCS = PROJECT / "docs"
RECIPES = [
    *sorted(page.relative_to(DOCS).as_posix() for page in DOCS.glob("how-to/*/*.md")),
    "index.md",
    "reference/dataset.md",
    "reference/status/index.md",
]
#: What `odeflow run` has of its own, besides overrides.
_SETTINGS = ("experiment=", "compare=", "resolvers=")


def check(again: bool = False) -> bool:
    """Does all recipes unless that was done; whether they had to be.

    In a process of its own, since recipes run in the folder of their study.
    """

    def done() -> None:
        command = [sys.executable, "-m", "tests.support.recipes"]
        run = subprocess.run(command, cwd=PROJECT, text=True, check=False, stderr=subprocess.PIPE)
        assert run.returncode == 0, run.stderr[-2000:]

    return done_once("recipes", [DOCS / recipe for recipe in RECIPES], done, again)


def do_all() -> None:
    """Does all recipes, each in a copy of the study."""
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "drug"
        write_study(study)
        _command("odeflow run experiment=drug", study)
        for recipe in RECIPES:
            copy = Path(folder) / "copy" / "drug"
            shutil.copytree(study, copy)
            do(recipe, copy)
            shutil.rmtree(copy.parent)


def do(recipe: str, study: Path) -> None:
    """Does a recipe in a copy of the study; an AssertionError where something is wrong with it."""
    found = blocks((DOCS / recipe).read_text(encoding="utf-8"))
    assert found, f"{recipe}: nothing to do"
    names: dict[str, Any] = {}
    for kind, _, content in found:
        try:
            _do(kind, content, study, names)
        except Exception as error:
            raise AssertionError(f"{recipe}: {error}\n{content}") from error


def _do(kind: str, content: str, study: Path, names: dict[str, Any]) -> None:
    """Does a block; `names` are those of the page's Python."""
    path = file_of(content)
    if kind == "bash":
        for line in content.strip().splitlines():
            if line.startswith("odeflow run"):
                _composed(line, study)
            else:
                _command(line, study)
    elif path is not None:
        (study / path).parent.mkdir(parents=True, exist_ok=True)
        (study / path).write_text(content, encoding="utf-8")
        if "experiment" in path:
            odeflow.compose(f"experiment={Path(path).stem}", study=study)
    elif kind == "python":
        with contextlib.chdir(study), contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(content, "recipe", "exec"), names)
        assert printed.getvalue().strip() or "print" not in content, "it prints nothing"
    else:
        assert kind in ("console", "text"), f"a block of kind {kind} without the name of its file"


def _composed(line: str, study: Path) -> None:
    """Composes what the command would run, for each of its experiments."""
    words = shlex.split(line, comments=True)[2:]
    at = words.index("--") if "--" in words else len(words)
    settings, cores, flags = words[:at], None, words[at + 1 :]
    if "--cores" in settings:
        place = settings.index("--cores")
        cores = settings[place + 1]
        del settings[place : place + 2]
    assert snakemake_command(settings, cores, flags, study)
    overrides = [one for one in settings if not one.startswith(_SETTINGS)]
    named = re.search(r"experiment=(\S+)", line)
    assert named, f"no experiment: {line}"
    for experiment in named.group(1).split(","):
        odeflow.compose(f"experiment={experiment}", *overrides, study=study)


def _command(line: str, study: Path) -> None:
    done = subprocess.run(
        ["bash", "-ec", line], cwd=study, env=environment(), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


if __name__ == "__main__":
    do_all()
