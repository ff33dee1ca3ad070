"""How a changed plan reaches Snakemake where it looks at dates alone.

Snakemake compares params by default, but not with `--rerun-triggers mtime`, and after `--touch` it
takes whatever is there for made as asked. So a stage whose files are not of the present plan gets
one more input, a small file that is newer than they are. It stays one from then on, older than what
was made since.
"""

import atexit
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from odeflow.files.errors import ConfigError
from odeflow.provenance.records import Stage, has_files, is_stale


def stale_stages(stages: Iterable[Stage], study: Path) -> list[Stage]:
    """Stages whose files are there and not what is asked for, or were made of such files."""
    there = [stage for stage in stages if has_files(stage, study)]
    stale = {stage.record for stage in there if is_stale(stage, study)}
    found = 0
    while found < len(stale):
        found = len(stale)
        stale |= {stage.record for stage in there if not stale.isdisjoint(stage.inputs.values())}
    return [stage for stage in there if stage.record in stale]


def renew_marks(stale: Iterable[Stage], study: Path, write: bool) -> dict[str, str]:
    """Makes marks of stale stages newer than the stages' files, where they are not; mark -> file.

    Where nothing is to be written, files of a temporary folder, gone when the process ends, stand
    for the marks.
    """
    due = [stage for stage in stale if not _is_newest(stage, study)]
    folder = study if write or not due else _temporary_folder()
    for stage in due:
        _make_new(folder / stage.mark, stage)
    return {stage.mark: stage.mark if write else str(folder / stage.mark) for stage in due}


def what_is_stale(stale: Iterable[Stage], why: Mapping[str, Sequence[str]]) -> list[str]:
    """One line per results folder: which of its stages are not of what is asked for, and why."""
    lines = []
    for folder, rules in _rules(stale).items():
        told = f" ({', '.join(why[folder])})" if why.get(folder) else ""
        lines.append(f"{folder}: not of the settings, code and data asked for: {rules}{told}")
    return lines


def what_is_left(stale: Iterable[Stage]) -> list[str]:
    """One line per results folder: the stages that a run has left as they were, and what to do."""
    return [
        f"{folder}: left as they were, not of the settings, code and data asked for: {rules}; a "
        "run without --touch, --until, --omit-from and targets makes them"
        for folder, rules in _rules(stale).items()
    ]


def _rules(stages: Iterable[Stage]) -> dict[str, str]:
    """The rules of stages, by results folder."""
    folders: dict[str, list[str]] = {}
    for stage in stages:
        folders.setdefault(stage.folder, []).append(stage.rule)
    return {folder: ", ".join(rules) for folder, rules in folders.items()}


def _is_newest(stage: Stage, study: Path) -> bool:
    """Whether the mark is newer than the files already, so that the stage runs for it."""
    try:
        marked = (study / stage.mark).stat().st_mtime_ns
    except OSError:
        return False
    files = [study / file for file in stage.outputs]
    return all(marked > file.lstat().st_mtime_ns for file in files if file.exists())


def _make_new(place: Path, stage: Stage) -> None:
    # Its content is new too: Snakemake disregards the date of a small file with the same content.
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{stage.plan} {time.time_ns()}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{place}: cannot be written ({error.strerror}); check space and permissions there"
        ) from None


def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="odeflow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
