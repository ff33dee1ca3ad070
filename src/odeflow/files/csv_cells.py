"""Comma-separated values as people save them: cells below one line of column names."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from odeflow.files.plain_text import one_spelling
from odeflow.files.text_files import read_text

_DECIMAL_COMMAS = "write 0.5 for 0,5 where commas are meant as decimal points"


class TableError(Exception):
    """What is wrong with a table, without its name."""


class Cells(NamedTuple):
    """Names of columns, the text of each row, and the line of the file that each row ends in."""

    names: list[str]
    rows: list[list[str]]
    lines: list[int]


def read_cells(path: Path) -> Cells:
    """The text of a CSV file in UTF-8 or UTF-16.

    As spreadsheets save them: lines that begin with `#` are comments, a first line `sep=;` names
    another separator, and commas or blank lines at the end are nothing. Raises TableError, and
    OSError or csv.Error where it cannot be read.
    """
    try:
        text = one_spelling(read_text(path))
    except UnicodeDecodeError:
        raise TableError("is not text in UTF-8 or UTF-16; save it as that") from None
    named = re.match(r"\s*\"?sep=(.)\"?[,;]*[ \t]*(?:\r\n|\r|\n|\Z)", text)
    separator = named[1] if named else ","
    written = text[named.end() :] if named else text
    at = len(io.StringIO(text[: named.end()], newline="").readlines()) if named else 0

    def kept() -> Iterator[str]:
        nonlocal at
        for line in io.StringIO(written, newline=""):
            at += 1
            if not line.startswith("#"):
                yield line

    reader = csv.reader(kept(), delimiter=separator, strict=True, skipinitialspace=True)
    found = [(line, at) for line in reader]
    while found and not any(cell.strip() for cell in found[-1][0]):
        found.pop()
    if not found:
        raise TableError("is empty")
    names, body = [name.strip() for name in found[0][0]], [line for line, _ in found[1:]]
    while len(names) > 1 and not names[-1]:
        names.pop()
    check_names(names)
    for number, line in enumerate(body, start=1):
        while len(line) > len(names) and not line[-1].strip():
            line.pop()
        if len(line) != len(names):
            raise TableError(
                f"row {number} has {len(line)} values, the header {len(names)} names"
                + (f"; {_DECIMAL_COMMAS}" if len(line) > len(names) else "")
            )
    return Cells(names, body, [number for _, number in found[1:]])


def check_names(names: list[str]) -> None:
    """Raises TableError where the columns of a file have no names that tell them apart."""
    if len(names) == 1 and any(separator in names[0] for separator in ";\t|"):
        raise TableError(
            f"columns are separated by commas, but the first line is {names[0]!r}; save it with "
            "commas between columns and points in numbers"
        )
    if all(is_number(name) for name in names):
        raise TableError(f"its first line must name the columns, but is {', '.join(names)}")
    for number, name in enumerate(names, start=1):
        if not name:
            raise TableError(
                f"column {number} has no name; where it numbers the rows, leave it out "
                "(pandas: to_csv(index=False))"
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TableError(f"column {twice[0]!r} occurs more than once; keep one of them")


def not_a_number(text: str) -> str:
    """What is wrong with the text of a cell that is not a number."""
    found = f"{text!r} is not a number" if text.strip() else "the value is missing"
    if is_number(text.replace(",", ".", 1)):
        found += f"; {_DECIMAL_COMMAS}"
    if re.match(r"\s*\d{4}-\d\d", text):
        found += "; for dates give a number, such as the days since the first of them"
    return found


def first_not_a_number(column: Sequence[str]) -> int | None:
    """The place of the first cell that is not a number."""
    return next((at for at, text in enumerate(column) if not is_number(text)), None)


def is_number(text: str) -> bool:
    """Whether a cell is a number as Python reads it."""
    try:
        float(text)
    except ValueError:
        return False
    return True
