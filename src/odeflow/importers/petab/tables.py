"""PEtab's tables: tab-separated text, and one line for every mistake in it."""

import csv
import difflib
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odeflow.files.errors import ConfigError, shown
from odeflow.files.text_files import read_text

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_MISSING = {"", "nan", "na", "n/a", "null", "none"}


def mistake(place: str, text: str) -> ConfigError:
    """The error that says what is wrong in a file of a PEtab problem."""
    return ConfigError(f"design.petab: {place}: {text}")


@dataclass(frozen=True)
class TableRow:
    """One line of a table; `number` counts from 1, without the header."""

    file: str
    number: int
    cells: dict[str, str]

    def mistake(self, column: str, text: str) -> ConfigError:
        """The error that names file, row and column."""
        return mistake(f"{self.file}, row {self.number}, column {column}", text)

    def has(self, column: str) -> bool:
        """Whether the column is there and its cell not empty (or NaN)."""
        return self.cells.get(column, "").lower() not in _MISSING

    def text(self, column: str) -> str:
        """The cell, which has to be there."""
        if not self.has(column):
            raise self.mistake(column, "is empty; a value is needed")
        return self.cells[column]

    def identifier(self, column: str) -> str:
        """The cell as an id: letters, digits and '_', not starting with a digit."""
        text = self.text(column)
        if not _IDENTIFIER.fullmatch(text):
            raise self.mistake(
                column,
                f"{shown(text)} is not an id: letters, digits and '_', not starting with a digit",
            )
        return text

    def number_in(self, column: str) -> float:
        """The cell as a finite number."""
        text = self.text(column)
        value = as_number(text)
        if value is None:
            raise self.mistake(column, f"{shown(text)} is not a number")
        if not math.isfinite(value):
            raise self.mistake(column, f"{text} is not supported; give a finite number")
        return value

    def choice(self, column: str, allowed: Sequence[str], default: str) -> str:
        """The cell as one of some words; the default where it is empty."""
        if not self.has(column):
            return default
        word = self.cells[column]
        if word not in allowed:
            raise self.mistake(column, f"{shown(word)} is not one of {', '.join(allowed)}")
        return word

    def known(self, column: str, identifier: str, known: Iterable[str], what: str) -> str:
        """An id that has to be among those known; `what` are these, in words."""
        known = list(known)
        if identifier not in known:
            near = difflib.get_close_matches(identifier, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise self.mistake(column, f"{identifier!r} is not {what}{hint}")
        return identifier


def as_number(text: str) -> float | None:
    """The number that a text is; None where it is not a number."""
    try:
        return float(text)
    except ValueError:
        return None


def read_table(
    folder: Path, file: str, needed: Sequence[str], optional: Sequence[str] | None
) -> tuple[list[str], list[TableRow]]:
    """Columns and rows of a table. Any other column is allowed where `optional` is None.

    Raises ConfigError naming the file where it cannot be read, lacks a column, has one that is not
    known, or a row of another length.
    """
    try:
        text = read_text(folder / file)
        lines = [
            [cell.strip() for cell in line]
            for line in csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True)
        ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise mistake(file, f"cannot be read: {' '.join(str(error).split())}") from None
    while lines and not any(lines[-1]):
        lines.pop()
    if not lines:
        raise mistake(file, "is empty")
    columns, body = lines[0], lines[1:]
    _check_columns(file, columns, needed, optional)
    rows = []
    for number, line in enumerate(body, 1):
        line = line[: len(columns)] + [cell for cell in line[len(columns) :] if cell]
        if len(line) > len(columns):
            raise mistake(f"{file}, row {number}", f"{len(line)} values, the header {len(columns)}")
        cells = dict.fromkeys(columns, "") | dict(zip(columns, line))
        rows.append(TableRow(file, number, cells))
    return columns, rows


def _check_columns(
    file: str, columns: list[str], needed: Sequence[str], optional: Sequence[str] | None
) -> None:
    if len(columns) == 1 and re.search("[,;|]", columns[0]):
        raise mistake(file, f"columns are separated by tabs, but the first line is {columns[0]!r}")
    for number, name in enumerate(columns, 1):
        if not name:
            raise mistake(file, f"column {number} has no name")
        if columns.count(name) > 1:
            raise mistake(file, f"column {name} occurs more than once; keep one of them")
    for name in needed:
        if name not in columns:
            near = difflib.get_close_matches(name, columns, n=1)
            hint = f"; did you mean {name} by {near[0]}?" if near else ""
            raise mistake(file, f"has no column {name}{hint}")
    for name in columns if optional is not None else ():
        if name not in (*needed, *(optional or ())):
            known = ", ".join((*needed, *(optional or ())))
            raise mistake(file, f"column {name} is not known; known: {known}")


def listed_files(file: str, record: Mapping[str, Any], key: str, folder: Path) -> list[str]:
    """The files that a key names, which all exist."""
    value = record.get(key)
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(x, str) for x in names):
        raise mistake(file, f"{key}: the name of a file, or a list of names, is needed")
    for name in names:
        if not (folder / name).is_file():
            raise mistake(file, f"{key}: no file {name!r} beside it")
    return names


def each_once(rows: Iterable[TableRow], column: str) -> Iterator[tuple[str, TableRow]]:
    """The id and the row of each; raises ConfigError for an id that is there twice."""
    seen: dict[str, TableRow] = {}
    for row in rows:
        identifier = row.identifier(column)
        if identifier in seen:
            first = seen[identifier]
            raise row.mistake(
                column, f"{identifier} is in row {first.number} of {first.file} already; keep one"
            )
        seen[identifier] = row
        yield identifier, row
