"""The experiment table of version 2: which conditions hold from when on."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from odeflow.importers.petab.conditions import Condition, Setting
from odeflow.importers.petab.tables import TableRow

_WHERE = "in the condition table"


@dataclass(frozen=True)
class Period:
    """From `time` on, what the conditions that begin there set, by the quantities' ids."""

    time: float
    row: TableRow
    settings: Mapping[str, Setting]


@dataclass(frozen=True)
class Experiment:
    """Periods one after another; `before` is the one that has come to rest."""

    row: TableRow
    before: Period | None
    periods: tuple[Period, ...]

    @property
    def all_periods(self) -> list[Period]:
        """All of them, in order."""
        return [*([] if self.before is None else [self.before]), *self.periods]

    @property
    def first(self) -> Mapping[str, Setting]:
        """What is set where the simulation begins; at rest before, where it was."""
        if self.before is not None:
            return self.before.settings
        return self.periods[0].settings if self.periods else {}

    @property
    def after_rest(self) -> Mapping[str, Setting]:
        """What is set at the start of what has been at rest before."""
        return self.periods[0].settings if self.before is not None and self.periods else {}


def read_experiments(
    rows: Iterable[TableRow], conditions: Mapping[str, Condition]
) -> dict[str, Experiment]:
    """The experiments by id; raises ConfigError with file, row and column."""
    found: dict[str, dict[float, list[TableRow]]] = {}
    for row in rows:
        periods = found.setdefault(row.identifier("experimentId"), {})
        periods.setdefault(_time(row), []).append(row)
    return {name: _experiment(periods, conditions) for name, periods in found.items()}


def start_of(experiments: Mapping[str, Experiment], is_at_zero: bool) -> float:
    """When simulations begin; raises ConfigError where they do at different times.

    Arguments:
        experiments: all of them.
        is_at_zero: whether something is simulated without an experiment.
    """
    times = [(x.periods[0].row, x.periods[0].time) for x in experiments.values() if x.periods]
    start = 0.0 if is_at_zero or not times else times[0][1]
    for row, time in times:
        if time != start:
            raise row.mistake(
                "time", f"begins at {time:g}, another experiment at {start:g}; all need one start"
            )
    return start


def _time(row: TableRow) -> float:
    """When a period begins, minus infinity where it has come to rest."""
    if row.text("time").lower() in ("-inf", "-infinity"):
        return -math.inf
    return row.number_in("time")


def _experiment(
    periods: Mapping[float, list[TableRow]], conditions: Mapping[str, Condition]
) -> Experiment:
    made = [_period(time, periods[time], conditions) for time in sorted(periods)]
    before = made[0] if math.isinf(made[0].time) else None
    return Experiment(made[0].row, before, tuple(made[before is not None :]))


def _period(time: float, rows: list[TableRow], conditions: Mapping[str, Condition]) -> Period:
    settings: dict[str, Setting] = {}
    for row in rows:
        if not row.has("conditionId"):
            continue
        name = row.known("conditionId", row.identifier("conditionId"), conditions, _WHERE)
        for target, setting in conditions[name].settings.items():
            if target in settings:
                raise row.mistake(
                    "conditionId",
                    f"{name} sets {target}, as another condition does at the same time; keep one",
                )
            settings[target] = setting
    return Period(time, rows[0], settings)
