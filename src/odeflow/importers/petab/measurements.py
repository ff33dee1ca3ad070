"""The measurement table: what was measured, when, under which condition."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from odeflow.importers.petab.observables import Observable
from odeflow.importers.petab.tables import TableRow, mistake, read_table

_NEEDED = ("observableId", "simulationConditionId", "measurement", "time")
_BEFORE = "preequilibrationConditionId"


@dataclass(frozen=True)
class Measurement:
    """A row: a value of an observable at a time, and what stands for its placeholders.

    `before` is the condition that it was at rest under before; the time is infinite where it is at
    rest again.
    """

    row: TableRow
    observable: str
    condition: str
    before: str | None
    time: float
    value: float
    observable_parameters: tuple[str, ...]
    noise_parameters: tuple[str, ...]


def read_measurements(
    folder: Path,
    files: list[str],
    observables: Mapping[str, Observable],
    conditions: Iterable[str],
) -> list[Measurement]:
    """The measurements of the tables; raises ConfigError with file, row and column."""
    rows = [row for file in files for row in read_table(folder, file, _NEEDED, None)[1]]
    if not rows:
        raise mistake(files[0], "has no rows below its header; one measurement is needed")
    return [_measurement(row, observables, conditions) for row in rows]


def _measurement(
    row: TableRow, observables: Mapping[str, Observable], conditions: Iterable[str]
) -> Measurement:
    name = row.known(
        "observableId", row.identifier("observableId"), observables, "in the observable table"
    )
    key = "simulationConditionId"
    condition = row.known(key, row.identifier(key), conditions, "in the condition table")
    before = None
    if row.has(_BEFORE):
        before = row.known(_BEFORE, row.identifier(_BEFORE), conditions, "in the condition table")
    if row.cells["measurement"].lower() == "nan":
        raise row.mistake("measurement", "is NaN; remove the row of what was not measured")
    observable, value = observables[name], row.number_in("measurement")
    if observable.transformation != "lin" and not value > 0:
        raise row.mistake(
            "measurement",
            f"{value:g} is not > 0, as observableTransformation {observable.transformation} needs",
        )
    return Measurement(
        row,
        name,
        condition,
        before,
        time_in(row),
        value,
        overrides(row, "observableParameters", observable.observable_placeholders),
        overrides(row, "noiseParameters", observable.noise_placeholders),
    )


def time_in(row: TableRow) -> float:
    """The time, infinite for what was measured at rest."""
    if row.text("time").lower().lstrip("+") in ("inf", "infinity"):
        return math.inf
    return row.number_in("time")


def overrides(row: TableRow, column: str, placeholders: list[str]) -> tuple[str, ...]:
    """What stands for each placeholder: numbers and ids, separated by semicolons."""
    given = row.cells[column].split(";") if row.has(column) else []
    if len(given) != len(placeholders):
        needed = f"{len(placeholders)} ({', '.join(placeholders)})" if placeholders else "none"
        raise row.mistake(column, f"{len(given)} given, but the formulas have {needed}")
    if not all(part.strip() for part in given):
        raise row.mistake(column, f"{row.cells[column]!r} has an empty part between semicolons")
    return tuple(part.strip() for part in given)
