"""The groups of a config filled from the data set that `design.nonmem` names."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from odeflow.config.nonmem import NonmemConfig
from odeflow.config.validate import nearest
from odeflow.files.csv_cells import is_number
from odeflow.files.errors import ConfigError
from odeflow.importers.nonmem.sides import with_sides
from odeflow.importers.nonmem.table import KNOWN, MISSING, NonmemTable, read_nonmem
from odeflow.problem.records import (
    DOSE,
    MODELLED_DURATION,
    MODELLED_RATE,
    OBSERVATION,
    RESET,
    RESET_AND_DOSE,
    Record,
    apart_of,
    moments,
)


def with_nonmem(data: Mapping[str, Any], study: Path) -> dict[str, Any]:
    """The config's groups with the records of the data set, where `design.nonmem` names one.

    The model's time span is widened to hold all records. Raises ConfigError, one line that names
    the file, the line and the subject.
    """
    design, model = data.get("design"), data.get("model")
    given = design.get("nonmem") if isinstance(design, Mapping) else None
    if not isinstance(design, Mapping) or not isinstance(model, Mapping) or given is None:
        return dict(data)
    if given == "???":
        raise ConfigError("design.nonmem: needed but not given: the file of the data set")
    try:
        asked = NonmemConfig.model_validate({"file": given} if isinstance(given, str) else given)
    except ValidationError:
        return dict(data)  # the validation that follows says what is wrong
    table = read_nonmem(asked.file, asked.columns, study)
    records = _records(asked, model, table) | _occasions(design, table)
    records = with_sides(records) if asked.at_doses else records
    filled = {**design, "kind": "nonmem", "records": records, "size": None}
    return {**data, "design": filled, "model": _spanning(model, records)}


def _records(asked: NonmemConfig, model: Mapping[str, Any], table: NonmemTable) -> dict[str, Any]:
    """The columns of the config's records."""
    subject, time = table.numbers("ID"), table.numbers("TIME")
    amount, rate, interval = (table.numbers(name, 0.0) for name in ("AMT", "RATE", "II"))
    additional, steady = table.whole("ADDL"), table.whole("SS", (0, 1, 2))
    event = table.whole("EVID", range(5))
    if "EVID" not in table.columns:
        event = [DOSE if x else OBSERVATION for x in amount]
    states = list(model.get("states") or {})
    state = [_state(asked, table, row, states, event[row]) for row in range(len(time))]
    covariates = _covariates(asked, model, table, subject)
    columns = {
        "subject": subject, "time": time, "event": event, "state": state, "amount": amount,
        "rate": rate, "interval": interval, "additional": additional, "steady": steady,
    }  # fmt: skip
    _check_order(table, subject, time)
    for row, values in enumerate(zip(*columns.values())):
        _check_dose(table, row, Record._make([*values[1:], {}, {}]))
    carried, meanings = _carried(asked, table, event)
    return columns | {
        "covariates": covariates, "interpolation": asked.interpolation, "carried": carried,
        "meanings": meanings, "observed": _observed(asked, table, event, carried),
    }  # fmt: skip


def _occasions(design: Mapping[str, Any], table: NonmemTable) -> dict[str, Any]:
    """The occasion of each record, and the parameters that differ between these."""
    effects = design.get("random_effects")
    occasion = effects.get("occasion") if isinstance(effects, Mapping) else None
    of, by = (occasion.get(k) if isinstance(occasion, Mapping) else None for k in ("of", "by"))
    if not isinstance(of, Mapping) or not isinstance(by, str):
        return {}  # none are asked for, or the validation that follows says what is wrong
    if by not in table.columns:
        raise ConfigError(
            f"design.random_effects.occasion.by: no column {by!r} in {table.file}"
            f"{nearest(by, table.columns)}"
        )
    for row in range(len(table.lines)):
        if not table.has(row, by):
            raise table.mistake(row, f"{by} is missing; each record needs its occasion")
    return {"occasion": table.whole(by), "by_occasion": list(of)}


def _observed(
    asked: NonmemConfig,
    table: NonmemTable,
    event: Sequence[int],
    carried: Mapping[str, Sequence[float | None]],
) -> list[str | None]:
    """The variable that DV is of at each record; None where it is of none."""
    measured = next((x for name, x in carried.items() if name.upper() == "DV"), None)
    if measured is None or not asked.observed:
        return [None] * len(event)
    names = {name.upper(): name for name in table.columns}
    column = names.get("DVID", "CMT")
    found: list[str | None] = []
    for row, value in enumerate(measured):
        if value is None or event[row] != OBSERVATION:
            found.append(None)
        elif isinstance(asked.observed, str):
            found.append(asked.observed)
        else:
            text = table.columns[column][row].strip() if table.has(row, column) else ""
            variable = asked.observed.get(text, asked.observed.get(text.removesuffix(".0")))
            if variable is None:
                raise table.mistake(
                    row, f"design.nonmem.observed does not say what DV is where {column} is "
                    f"{text or 'missing'}; known: {', '.join(asked.observed)}"
                )  # fmt: skip
            found.append(variable)
    return found


def _state(
    asked: NonmemConfig, table: NonmemTable, row: int, states: Sequence[str], event: int
) -> str:
    """The state that CMT names; the first where it names none."""
    if not table.has(row, "CMT"):
        return states[0]
    text = table.columns["CMT"][row].strip()
    number = text.removesuffix(".0")
    if event == OBSERVATION and isinstance(asked.observed, dict) and number in asked.observed:
        return states[0]  # it says what was measured, and nothing goes into it
    state = asked.compartments.get(text, asked.compartments.get(number, text))
    if state not in states and number.isdecimal() and 1 <= int(number) <= len(states):
        state = states[int(number) - 1]
    if state not in states:
        known = ", ".join(f"{i} or {name}" for i, name in enumerate(states, start=1))
        raise table.mistake(
            row, f"CMT {text} is no compartment; known: {known}, and design.nonmem.compartments"
        )
    return state


def _covariates(
    asked: NonmemConfig, model: Mapping[str, Any], table: NonmemTable, subject: Sequence[float]
) -> dict[str, list[float]]:
    """The values of parameters at each record; one that is missing is that before it."""
    found = {}
    parameters = list(model.get("parameters") or {})
    for parameter, column in asked.covariates.items():
        key = f"design.nonmem.covariates.{parameter}"
        if parameter not in parameters:
            raise ConfigError(
                f"{key}: not a parameter of the model{nearest(parameter, parameters)}"
            )
        if column not in table.columns:
            known = nearest(column, table.columns)
            raise ConfigError(f"{key}: no column {column!r} in {table.file}{known}")
        values = table.numbers(column, float("nan"))
        for row, value in enumerate(values):
            if value == value:
                continue
            if not row or subject[row] != subject[row - 1]:
                raise table.mistake(row, f"{column} is missing at the first record of a subject")
            values[row] = values[row - 1]
        found[parameter] = values
    return found


def _check_order(table: NonmemTable, subject: Sequence[float], time: Sequence[float]) -> None:
    """Records of a subject follow one another, and so do their times."""
    done: set[float] = set()
    for row in range(1, len(time)):
        if subject[row] != subject[row - 1]:
            done.add(subject[row - 1])
            if subject[row] in done:
                raise table.mistake(
                    row, "this subject was there before others; put its records together"
                )
        elif time[row] < time[row - 1]:
            raise table.mistake(
                row,
                f"TIME {time[row]:g} comes after {time[row - 1]:g}; sort the records of a subject "
                "by time, and let the clock go on after a reset",
            )


def _check_dose(table: NonmemTable, row: int, one: Record) -> None:
    """Whether what stands in the columns of a dose can be given."""
    if not one.gives:
        names = ("AMT", "RATE", "II", "ADDL", "SS")
        values = (one.amount, one.rate, one.interval, one.additional, one.steady)
        wrong = [name for name, value in zip(names, values) if value]
        if wrong and one.event in (OBSERVATION, RESET):
            raise table.mistake(
                row, f"{wrong[0]} is for doses, EVID {DOSE} and {RESET_AND_DOSE}, not {one.event}"
            )
        return
    if one.amount < 0:
        raise table.mistake(row, f"AMT is {one.amount:g}; a dose cannot be negative")
    if one.rate < 0 and one.rate not in (MODELLED_RATE, MODELLED_DURATION):
        raise table.mistake(
            row, f"RATE is {one.rate:g}; a rate above 0, 0 (bolus), -1 (rate modelled) or -2 "
            "(duration modelled) are allowed"
        )  # fmt: skip
    constant = one.amount == 0 and one.rate > 0
    if constant and not one.steady:
        raise table.mistake(row, "RATE without AMT is for a constant infusion at steady state (SS)")
    if one.interval < 0:
        raise table.mistake(row, f"II is {one.interval:g}; it cannot be negative")
    if one.steady and not one.interval and not constant:
        raise table.mistake(row, f"SS {one.steady} without II: the interval of the doses is needed")
    if constant and one.interval:
        raise table.mistake(row, "a constant infusion at steady state has no II; remove it")
    if one.additional and not one.interval:
        raise table.mistake(row, f"ADDL {one.additional} without II: their interval is needed")


def _carried(
    asked: NonmemConfig, table: NonmemTable, event: Sequence[int]
) -> tuple[dict[str, list[float | None]], dict[str, list[str]]]:
    """DV, where MDV does not say that it is none, and columns of no other use; text as numbers."""
    used = {*KNOWN, *asked.covariates.values()} - {"MDV"}
    missing = table.whole("MDV", (0, 1)) if "MDV" in table.columns else [0] * len(event)
    columns: dict[str, list[float | None]] = {}
    meanings = {}
    for name, texts in table.columns.items():
        if name in used or name == "MDV":
            continue
        given = [text.strip() for text in texts]
        given = [
            None if text in MISSING or text.upper() in ("NA", "NAN") else text for text in given
        ]
        if name.upper() == "DV":
            table.numbers(name, 0.0)  # which are numbers, or an error that names the line
            given = [None if gone else text for gone, text in zip(missing, given)]
        words = list(dict.fromkeys(text for text in given if text is not None))
        if not all(map(is_number, words)):
            meanings[name] = words
            numbers = {word: float(number) for number, word in enumerate(words)}
        else:
            numbers = {word: float(word) for word in words}
        columns[name] = [None if text is None else numbers[text] for text in given]
    return columns, meanings


def _spanning(model: Mapping[str, Any], records: Mapping[str, Any]) -> dict[str, Any]:
    """The model group with a time span that holds all records."""
    t0, t1 = model.get("t0", 0.0), model.get("t1")
    times = records["time"]
    t0 = min(float(t0) if isinstance(t0, int | float) else 0.0, min(times))
    t1 = max(float(t1) if isinstance(t1, int | float) else t0, max(times))
    apart = apart_of(t0, t1)
    rows: dict[float, list[Record]] = {}
    for subject, time, event in zip(records["subject"], times, records["event"]):
        rows.setdefault(subject, []).append(Record(time, event, "", 0, 0, 0, 0, 0, {}))
    last = max(moments(one, apart)[-1] for one in rows.values())
    return {**model, "t0": t0, "t1": max(t1, last)}
