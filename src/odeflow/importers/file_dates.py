"""Dates in the times of a file, as times in a model's units."""

from collections.abc import Sequence

import numpy as np

from odeflow.config.dates import is_date, reference_date, time_of_date
from odeflow.files.csv_cells import TableError, first_not_a_number, not_a_number
from odeflow.files.errors import shown


def times_of_cells(
    column: str, cells: Sequence[str], lines: Sequence[int], time_units: str
) -> Sequence[str] | list[float]:
    """The cells of a CSV file, or where the first is a date the times of all.

    Raises TableError for a cell that is no date among dates, and for dates in a model whose
    units of time count from none.
    """
    if not cells or not is_date(cells[0]):
        return cells
    place = f"line {lines[0]}: column {column!r}"
    if reference_date(time_units) is None:
        raise TableError(
            f"{place}: {shown(cells[0])} is a date; write `model.time_units: days since "
            "2026-01-01`, or give numbers"
        )
    times = []
    for cell, line in zip(cells, lines):
        if first_not_a_number([cell]) is None:
            text = f"{cell.strip()} is a number, but the first time is a date; write all alike"
            raise TableError(f"line {line}: column {column!r}: {text}")
        if not cell.strip():
            raise TableError(f"line {line}: column {column!r}: {not_a_number(cell)}")
        try:
            times.append(time_of_date(cell, time_units))
        except ValueError as error:
            raise TableError(f"line {line}: column {column!r}: {error}") from None
    return times


def times_since(column: str, values: np.ndarray, units: str, time_units: str) -> np.ndarray:
    """Times that a file counts from a date of its own, from the model's.

    They are as they were where one of the two counts from none. Raises TableError where the file's
    units last differently long.
    """
    known = reference_date(time_units)
    try:
        own = reference_date(units)
    except ValueError as error:
        raise TableError(f"units of {column!r}: {error}") from None
    if own is None or known is None:
        return values
    return (values * own[0] + (own[1] - known[1]).total_seconds()) / known[0]
