"""What jobs have of the process that started the worker: environment and source."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from site import getsitepackages

from odeflow.files.source_code import PACKAGE

#: Variables that the libraries of linear algebra take their number of threads from.
THREADS = (
    "OMP_NUM_THREADS", "GOTO_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
)  # fmt: skip
FOLDERS = ("TMPDIR", "TMP", "TEMPDIR", "TEMP")


def job_environment(given: Mapping[str, str], threads: int, folder: str | None) -> dict[str, str]:
    """The environment of a job, as Snakemake gives it to a script."""
    own = dict(given) | dict.fromkeys(THREADS, str(threads))
    return own | dict.fromkeys(FOLDERS, folder) if folder else own


def source_states(scripts: Path) -> dict[str, tuple[int, int, int]]:
    """When each file of the package and of the scripts was changed last, and what is installed."""
    installed = [folder for folder in map(Path, getsitepackages()) if folder.is_dir()]
    found = {str(folder): _state(folder.stat()) for folder in installed}
    folders = [str(PACKAGE), *([str(scripts)] if scripts.is_dir() else [])]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    found[entry.path] = _state(entry.stat())
                elif entry.name != "__pycache__" and entry.is_dir():
                    folders.append(entry.path)
    return found


def _state(now: os.stat_result) -> tuple[int, int, int]:
    return now.st_mtime_ns, now.st_size, now.st_ino
