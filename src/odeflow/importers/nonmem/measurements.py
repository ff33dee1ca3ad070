"""DV of a data set as measurements: those of each subject are under a condition of its own."""

import numpy as np

from odeflow.config.root import Config
from odeflow.files.errors import ConfigError
from odeflow.importers.noise import noise_of
from odeflow.importers.petab.likelihood_data import Group, Measurements
from odeflow.problem.records import apart_of, moments

#: Columns that say that DV is a limit and no value, by their names in capitals.
_LIMITS = ("BLQ", "BLOQ", "BQL", "CENS")
_KEY = "analyse.estimate"


def read_recorded(config: Config) -> Measurements:
    """DV of all observations that MDV does not take out, subject by subject.

    Arguments:
        config: the experiment, whose design has records, with `analyse.estimate`.

    Returns:
        The rows in groups of one variable of one subject; times are those of records, set apart
        where their order counts.

    Raises:
        ConfigError: nothing says what DV is, or what its noise is, or it is a limit.
    """
    given, estimate, records = config.design.records, config.analyse.estimate, config.records
    assert given is not None and estimate is not None and records is not None
    rows = [row for row, variable in enumerate(given.observed) if variable is not None]
    if not rows:
        why = (
            "design.nonmem.observed: needed, the state or observable that DV is a value of"
            if any(value is not None for value in given.measured)
            else "design.nonmem: no observation has a DV (MDV 1 takes it out)"
        )
        raise ConfigError(f"{_KEY}: {why}")
    _refuse_limits(config, rows)
    subjects = given.subjects
    apart = apart_of(config.model.t0, config.model.t1)
    at = [time for subject in subjects for time in moments(records.of[subject], apart)]
    groups: dict[tuple[int, str], list[int]] = {}
    for row in rows:
        key = (subjects.index(given.subject[row]), str(given.observed[row]))
        groups.setdefault(key, []).append(row)
    place = {row: number for number, row in enumerate(rows)}
    made = []
    for (condition, variable), own in groups.items():
        if variable not in estimate.noise:
            raise ConfigError(
                f"{_KEY}.noise: nothing for {variable}; give {{{variable}: a number, the name of "
                "an estimated parameter, or {proportional, additive}}"
            )
        made.append(
            Group(
                variable,
                condition,
                np.array([place[row] for row in own]),
                np.array([at[row] for row in own]),
                np.array([given.measured[row] for row in own], float),
                "lin",
                "normal",
                *noise_of(estimate.noise[variable], variable),
            )
        )
    return Measurements(len(rows), [f"ID_{subject:g}" for subject in subjects], made)


def _refuse_limits(config: Config, rows: list[int]) -> None:
    given = config.design.records
    assert given is not None
    for name in (one for one in given.carried if one.upper() in _LIMITS):
        for row in rows:
            if given.carried[name][row]:
                raise ConfigError(
                    f"{_KEY}: {name} is {given.carried[name][row]:g} for ID {given.subject[row]:g} "
                    f"at time {given.time[row]:g}: a limit is no measurement, and its likelihood "
                    "(M3) is not known here; set MDV to 1 to leave it out"
                )
