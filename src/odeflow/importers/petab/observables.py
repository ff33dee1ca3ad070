"""The observable table: formulas of what is measured and of its noise."""

import re
from dataclasses import dataclass
from pathlib import Path

from odeflow.importers.petab.tables import TableRow, each_once, mistake, read_table
from odeflow.problem.noise import DISTRIBUTIONS, TRANSFORMATIONS

_NEEDED = ("observableId", "observableFormula", "noiseFormula")


@dataclass(frozen=True)
class Observable:
    """A row, and the placeholders in its formulas, in order."""

    row: TableRow
    label: str | None
    formula: str
    noise: str
    transformation: str
    distribution: str
    observable_placeholders: list[str]
    noise_placeholders: list[str]


def read_observables(folder: Path, files: list[str]) -> dict[str, Observable]:
    """The observables of the tables by id; raises ConfigError with file, row and column."""
    rows = [row for file in files for row in read_table(folder, file, _NEEDED, None)[1]]
    if not rows:
        raise mistake(files[0], "has no rows below its header; one observable is needed")
    return {name: _observable(name, row) for name, row in each_once(rows, "observableId")}


def _observable(name: str, row: TableRow) -> Observable:
    formula, noise = row.text("observableFormula"), row.text("noiseFormula")
    return Observable(
        row,
        row.cells["observableName"] if row.has("observableName") else None,
        formula,
        noise,
        row.choice("observableTransformation", TRANSFORMATIONS, "lin"),
        row.choice("noiseDistribution", DISTRIBUTIONS, "normal"),
        _placeholders(row, "observableFormula", f"{formula} {noise}", "observableParameter", name),
        _placeholders(row, "noiseFormula", noise, "noiseParameter", name),
    )


def _placeholders(row: TableRow, column: str, text: str, kind: str, name: str) -> list[str]:
    """`observableParameter1_<id>` and on; raises ConfigError for a gap in their numbers."""
    numbers = {int(number) for number in re.findall(rf"\b{kind}(\d+)_{re.escape(name)}\b", text)}
    wanted = [f"{kind}{number}_{name}" for number in range(1, len(numbers) + 1)]
    if numbers != set(range(1, len(numbers) + 1)):
        found = ", ".join(f"{kind}{number}_{name}" for number in sorted(numbers))
        raise row.mistake(column, f"placeholders count from 1 without gaps, but found {found}")
    return wanted
