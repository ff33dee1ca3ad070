"""Whose a results folder is: what the user or another study put there is never overwritten.

A study has a random name, kept beside Snakemake's own records, which are what tells stale results
from good ones. A results folder is marked with it. odeflow's files in a folder without the mark are
unknown to Snakemake, which would replace them, or take them for what was asked for, without a word.
"""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from odeflow.files.errors import ConfigError
from odeflow.files.links import check_links
from odeflow.workflow.chunks import RESULTS
from odeflow.workflow.experiment import Experiment

#: The mark in a results folder, and the study's name beside Snakemake's records.
MARK = ".odeflow"
_STUDY_NAME = Path(".snakemake") / "odeflow"
#: Bytes that must be free before anything is begun.
_NEEDED = 2**20


def claim(folder: Path, study: Path) -> None:
    """Marks a results folder as this study's."""
    name = study / _STUDY_NAME
    name.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError), name.open("x") as file:
        file.write(uuid.uuid4().hex)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(name.read_text())


def check_space(study: Path) -> None:
    """Raises ConfigError where a disk is full: not even Snakemake's own records fit then.

    Nor what it hands to the program that chooses its next jobs, in the folder for temporary files.
    """
    temporary = Path(os.environ.get("TMPDIR") or "/tmp")
    for place in (study, study / RESULTS, temporary):
        if place.exists() and shutil.disk_usage(place).free < _NEEDED:
            instead = " or set TMPDIR to another folder," if place == temporary else ""
            raise ConfigError(
                f"{place}: the disk is full; free some space, a MiB at the least,{instead} then "
                "run again"
            )


def check_results(experiments: Iterable[Experiment], study: Path) -> None:
    """Raises ConfigError where results cannot be written or what is there is not this study's."""
    check_links(study / RESULTS)
    for experiment in experiments:
        files = [os.path.split(file) for file in (*experiment.targets, *experiment.chunk_files)]
        # One listing per folder: there may be ten thousand chunks, on a file system far away.
        folders = {folder for folder, _ in files}
        there = {folder: _listing(study / folder) for folder in folders}
        for folder, name in files:
            file = f"{folder}/{name}"
            if there[folder].get(name) and file not in experiment.folders:
                raise ConfigError(f"{file}: a folder stands where this file belongs; move it away")
        if not all(name in there[folder] for folder, name in files):
            for folder in sorted({p for f in folders for p in (Path(f), *Path(f).parents)}):
                _check_folder(folder, study)
        _check_mark(experiment, study)


def _listing(folder: Path) -> dict[str, bool]:
    """What is in a folder, and whether it is a folder itself; nothing where there is none."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.is_dir() for entry in entries}
    except OSError:  # _check_folder has the reason
        return {}


def _check_folder(folder: Path, study: Path) -> None:
    place = study / folder
    if place.is_symlink() and not place.exists():
        raise ConfigError(f"{folder}: a link to {place.readlink()}, which does not exist; make it")
    if place.exists() and not place.is_dir():
        raise ConfigError(f"{folder}: a file stands where this folder belongs; move it away")
    if place.is_dir() and not os.access(place, os.W_OK | os.X_OK):
        raise ConfigError(f"{folder}: the folder is not writable; change its permissions")


def _check_mark(experiment: Experiment, study: Path) -> None:
    there = [file for file in experiment.targets if (study / file).exists()]
    mark, name = study / experiment.folder / MARK, study / _STUDY_NAME
    ours = mark.is_file() and name.is_file() and mark.read_bytes() == name.read_bytes()
    if there and not ours:
        raise ConfigError(
            f"{there[0]}: not made by this study, or its records in .snakemake are gone; nothing "
            f"is overwritten: move {experiment.folder} away or delete it (solved chunks in "
            f"{RESULTS}/chunks are kept and used), or choose another `name`"
        )
