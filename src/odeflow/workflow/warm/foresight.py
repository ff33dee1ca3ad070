"""Whether a run will have jobs, guessed before it is planned: so that a worker starts meanwhile.

Only a matter of time: a wrong guess is a process that has imported something for nothing, or one
that starts when all is planned.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from odeflow.files.digests import digest
from odeflow.files.whole_file import replaced_when_whole

#: What the last run was asked for, beside Snakemake's own records.
_LAST = Path(".snakemake") / "odeflow-asked"


class Foresight:
    """Compares a run with the last one in a study.

    Arguments:
        asked: what is asked for, as text: before it is settled, another spelling is something else.
        study: the study's folder; its own files and those of its `config/` count by their dates.
    """

    def __init__(self, asked: str, study: Path) -> None:
        self._file, self._now = study / _LAST, digest(asked, sorted(_dates(study)))

    @property
    def has_jobs(self) -> bool:
        """Whether anything differs from the last run, or there was none."""
        try:
            return self._file.read_text(encoding="utf-8") != self._now
        except (OSError, UnicodeDecodeError):
            return True

    @property
    def first_script(self) -> str:
        """The script to begin with: where something has run before, all may be solved."""
        return "plot" if self._file.is_file() else "solve"

    def remember(self) -> None:
        """Keeps what this run was asked for, where it can be written, for the next one."""
        if self.has_jobs:
            with contextlib.suppress(OSError), replaced_when_whole(self._file) as temporary:
                temporary.write_text(self._now, encoding="utf-8")


def _dates(study: Path) -> Iterator[list[str | int]]:
    for folder in (study, *(Path(place) for place, _, _ in os.walk(study / "config"))):
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file():
                    yield [entry.path, entry.stat().st_mtime_ns]
