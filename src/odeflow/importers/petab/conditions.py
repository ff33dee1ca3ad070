"""Condition tables: what each condition sets; version 1 has columns for that, version 2 rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from odeflow.files.errors import ConfigError
from odeflow.importers.petab.tables import TableRow, each_once, mistake, read_table


@dataclass(frozen=True)
class Setting:
    """A cell that says what a quantity, `target`, is set to."""

    row: TableRow
    column: str
    target: str

    @property
    def text(self) -> str:
        """A number, an id or a formula."""
        return self.row.cells[self.column]

    def mistake(self, text: str) -> ConfigError:
        """The error that names the cell."""
        return self.row.mistake(self.column, text)


@dataclass(frozen=True)
class Condition:
    """What a condition sets, by the quantities' ids; `row` is where it is defined.

    What `was_before` has been set before it came to rest: states are no longer there.
    """

    row: TableRow
    settings: Mapping[str, Setting]
    was_before: frozenset[str] = frozenset()


def read_conditions(folder: Path, files: list[str]) -> tuple[list[str], dict[str, Condition]]:
    """The ids that there are columns for, and the conditions by id; raises ConfigError."""
    columns, rows = [], []
    for file in files:
        names, found = read_table(folder, file, ("conditionId",), None)
        columns += [x for x in names if x not in (*columns, "conditionId", "conditionName")]
        rows += found
    if not rows:
        raise mistake(files[0], "has no rows below its header; one condition is needed")
    conditions = {
        name: Condition(row, {x: Setting(row, x, x) for x in columns if row.has(x)})
        for name, row in each_once(rows, "conditionId")
    }
    return columns, conditions


def read_long_conditions(rows: list[TableRow]) -> dict[str, Condition]:
    """The conditions of version 2 by id; raises ConfigError with file, row and column."""
    found: dict[str, dict[str, Setting]] = {}
    for row in rows:
        settings = found.setdefault(row.identifier("conditionId"), {})
        target = row.identifier("targetId")
        row.text("targetValue")
        if target in settings:
            before = settings[target].row
            raise row.mistake(
                "targetId", f"{target} is in row {before.number} of {before.file}; keep one"
            )
        settings[target] = Setting(row, "targetValue", target)
    return {name: Condition(next(iter(x.values())).row, x) for name, x in found.items()}
