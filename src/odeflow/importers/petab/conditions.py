"""The condition table: what each simulation condition sets."""

from dataclasses import dataclass
from pathlib import Path

from odeflow.importers.petab.tables import TableRow, each_once, mistake, read_table


@dataclass(frozen=True)
class Condition:
    """A row; its other columns are ids of the model."""

    row: TableRow


def read_conditions(folder: Path, files: list[str]) -> tuple[list[str], dict[str, Condition]]:
    """The ids that there are columns for, and the conditions by id; raises ConfigError."""
    columns, rows = [], []
    for file in files:
        names, found = read_table(folder, file, ("conditionId",), None)
        columns += [x for x in names if x not in (*columns, "conditionId", "conditionName")]
        rows += found
    if not rows:
        raise mistake(files[0], "has no rows below its header; one condition is needed")
    return columns, {name: Condition(row) for name, row in each_once(rows, "conditionId")}
