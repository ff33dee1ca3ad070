"""The text of a data set of NONMEM's layout: columns by NONMEM's names, numbers, lines."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from odeflow.config.validate import nearest
from odeflow.files.csv_cells import TableError, is_number, not_a_number, read_cells
from odeflow.files.errors import ConfigError

#: Columns that mean something to NONMEM; all others are carried through.
KNOWN = ("ID", "TIME", "EVID", "CMT", "AMT", "RATE", "II", "ADDL", "SS", "MDV")
#: What stands for a value that is missing.
MISSING = ("", ".")


@dataclass(frozen=True)
class NonmemTable:
    """A data set: text of columns, by NONMEM's names where it has them, and lines of the file."""

    file: str
    columns: Mapping[str, Sequence[str]]
    lines: Sequence[int]

    def mistake(self, row: int, what: str) -> ConfigError:
        """An error that names the line, and the subject where it is known."""
        subject = self.columns.get("ID", [""] * (row + 1))[row].strip()
        whose = f" (ID {subject})" if subject else ""
        return ConfigError(f"design.nonmem: {self.file}: line {self.lines[row]}{whose}: {what}")

    def numbers(self, name: str, default: float | None = None) -> list[float]:
        """A column; `default` is what a missing value is, without which there must be none."""
        if name not in self.columns:
            if default is None:
                known = ", ".join(self.columns)
                raise ConfigError(
                    f"design.nonmem: {self.file}: no column {name}; it has {known}; where it is "
                    f"called otherwise: design.nonmem.columns: {{{name}: ...}}"
                )
            return [default] * len(self.lines)
        return [self._number(row, name, default) for row in range(len(self.lines))]

    def _number(self, row: int, name: str, default: float | None) -> float:
        text = self.columns[name][row].strip()
        if text in MISSING:
            if default is None:
                raise self.mistake(row, f"{name} is missing")
            return default
        if not is_number(text):
            raise self.mistake(row, f"{name}: {not_a_number(text)}")
        if not math.isfinite(float(text)):
            raise self.mistake(row, f"{name} is {text}; a finite number is needed")
        return float(text)

    def whole(self, name: str, allowed: Sequence[int] | None = None) -> list[int]:
        """A column of whole numbers, 0 where they are missing."""
        values = self.numbers(name, 0.0)
        for row, value in enumerate(values):
            if allowed is not None and value not in allowed:
                known = ", ".join(map(str, allowed))
                raise self.mistake(row, f"{name} is {value:g}; allowed: {known}")
            if value != int(value) or value < 0:
                raise self.mistake(row, f"{name} is {value:g}; a whole number from 0 is needed")
        return [int(value) for value in values]

    def has(self, row: int, name: str) -> bool:
        """Whether a column is there and has a value."""
        return name in self.columns and self.columns[name][row].strip() not in MISSING


def read_nonmem(file: str, renamed: Mapping[str, str], study: Path) -> NonmemTable:
    """Reads a data set; lines whose first cell begins with a letter, `#` or `@` are comments.

    Arguments:
        file: a CSV file, relative to the study.
        renamed: NONMEM's name of a column, and what the file calls it.
        study: the study's folder.

    Returns:
        Its columns, with NONMEM's names whatever their case.

    Raises:
        ConfigError: it is not there, or not a table.
    """
    try:
        names, rows, lines = read_cells(study / file)
    except (TableError, OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"design.nonmem: {file}: {reason}") from None
    own = {}
    for name, called in renamed.items():
        if called not in names:
            raise ConfigError(
                f"design.nonmem.columns.{name}: no column {called!r} in {file}"
                f"{nearest(called, names)}"
            )
        own[called] = name.upper()
    upper = [own.get(name, name.upper() if name.upper() in KNOWN else name) for name in names]
    for name in upper:
        if upper.count(name) > 1:
            raise ConfigError(f"design.nonmem: {file}: two columns are {name}; rename one of them")
    kept = [row for row, cells in enumerate(rows) if not _is_comment(cells[0])]
    if not kept:
        raise ConfigError(f"design.nonmem: {file}: has no records")
    columns = {name: [rows[row][i] for row in kept] for i, name in enumerate(upper)}
    return NonmemTable(file, columns, [lines[row] for row in kept])


def _is_comment(cell: str) -> bool:
    first = cell.strip()[:1]
    return first.isalpha() or first in ("#", "@")
