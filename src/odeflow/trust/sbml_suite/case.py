"""A case of the SBML Test Suite: its model, what is asked for, what is expected."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Case:
    """One case. `amounts` and `concentrations` say in which of the two a species is wanted."""

    name: str
    model: Path
    times: Float[np.ndarray, " time"]
    variables: tuple[str, ...]
    absolute: float
    relative: float
    amounts: frozenset[str]
    concentrations: frozenset[str]
    expected: dict[str, Float[np.ndarray, " time"]]


class NoTimeCourseError(Exception):
    """The case asks for something else than values over time."""


def find_cases(folder: Path) -> list[Path]:
    """The folders of cases in a folder, in order."""
    found = {path.parent for path in folder.rglob("*-settings.txt")}
    return sorted(found, key=lambda path: path.name)


def read_case(folder: Path) -> Case:
    """The case of a folder, its model of the highest level and version there is.

    Raises NoTimeCourseError where it has no duration or number of steps, as in flux balance cases.
    """
    name = folder.name
    lines = (folder / f"{name}-settings.txt").read_text(encoding="utf-8").splitlines()
    settings = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)
    }
    if not (settings.get("duration") and settings.get("steps")):
        raise NoTimeCourseError("the case asks for no time course")
    start, duration = float(settings.get("start") or 0), float(settings["duration"])
    expected = _table(folder / f"{name}-results.csv")
    variables = _names(settings["variables"])
    return Case(
        name=name,
        model=max(folder.glob(f"{name}-sbml-l?v?.xml"), key=lambda path: path.name),
        times=np.linspace(start, start + duration, int(settings["steps"]) + 1),
        variables=variables,
        absolute=float(settings["absolute"]),
        relative=float(settings["relative"]),
        amounts=frozenset(_names(settings.get("amount", ""))),
        concentrations=frozenset(_names(settings.get("concentration", ""))),
        expected={name: expected[name] for name in variables},
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _table(path: Path) -> dict[str, Float[np.ndarray, " time"]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = [row for row in csv.reader(file) if row]
    columns = np.array([[float(x) for x in row] for row in rows]).T
    return dict(zip((name.strip() for name in header), columns))
