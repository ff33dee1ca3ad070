"""Dates as times: where a model's units of time are those since a date, as CF writes them."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

from odeflow.config.base import Real
from odeflow.files.errors import ConfigError, shown

#: CF's units of time that last equally long always, in seconds; months and years do not.
_SECONDS = {"day": 86_400.0, "hour": 3_600.0, "minute": 60.0, "second": 1.0, "millisecond": 1e-3}
_SINCE = re.compile(r"(?P<unit>\S+)\s+since\s+(?P<date>.+)")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}.*")
#: What may be a date; durations may not.
_TIMES = (
    *("model.t0", "model.t1", "model.inputs.*.time", "saveat.ts", "design.axes.t1"),
    *("doses.*.time", "doses.*.times"),
)


def _refuse_dates(value: Any) -> Any:
    if isinstance(value, str) and _DATE.fullmatch(value):
        raise ValueError(
            f"{shown(value)} is a date; for dates write `model.time_units: days since 2026-01-01`"
        )
    return value


#: A time: a number or, in a file, a date.
Time = Annotated[Real, BeforeValidator(_refuse_dates, json_schema_input_type=float | str)]


def reference_date(time_units: str) -> tuple[float, datetime] | None:
    """Seconds of a unit and the date that times count from; None where they count from none.

    Raises ValueError for units that do not last equally long, and for what is no date.
    """
    found = _SINCE.fullmatch(time_units.strip())
    if found is None:
        return None
    unit, date = found["unit"], found["date"]
    seconds = _SECONDS.get(unit.lower().removesuffix("s"))
    if seconds is None:
        known = ", ".join(f"{name}s" for name in _SECONDS)
        raise ValueError(f"{shown(unit)} since a date: the unit has to be one of {known}")
    return seconds, _date(date)


def is_date(text: str) -> bool:
    """Whether a text has the form of a date."""
    return _DATE.fullmatch(text.strip()) is not None


def time_of_date(text: str, time_units: str) -> float:
    """A date as a time, in units that count from a date; raises ValueError for what is none."""
    reference = reference_date(time_units)
    assert reference is not None
    seconds, start = reference
    return (_date(text) - start).total_seconds() / seconds


def with_dates(data: Mapping[str, Any]) -> dict[str, Any]:
    """A config as plain data, its dates replaced by times in the model's units.

    Raises ConfigError for what looks like a date and is none, and for units that are none of CF's.
    """
    model = data.get("model")
    units = model.get("time_units") if isinstance(model, Mapping) else None
    try:
        reference = reference_date(units) if isinstance(units, str) else None
    except ValueError as error:
        raise ConfigError(f"model.time_units: {error}") from None
    if reference is None:
        return dict(data)
    assert isinstance(units, str)

    def time(value: Any, key: str) -> Any:
        if isinstance(value, list):
            return [time(one, f"{key}.{place}") for place, one in enumerate(value)]
        if isinstance(value, Mapping):
            return {law: time(one, f"{key}.{law}") for law, one in value.items()}
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            return value
        try:
            return time_of_date(value, units)
        except ValueError as error:
            raise ConfigError(f"{key}: {error}") from None

    found: Any = dict(data)
    for path in _TIMES:
        found = _replaced(found, path.split("."), "", time)
    return found


def _replaced(data: Any, path: Sequence[str], where: str, time: Callable[[Any, str], Any]) -> Any:
    """Data with what is at a path changed, if anything is there; `*` stands for each."""
    if not path:
        return time(data, where.removesuffix("."))
    key, rest = path[0], path[1:]
    if key == "*" and isinstance(data, list):
        return [_replaced(one, rest, f"{where}{place}.", time) for place, one in enumerate(data)]
    if key == "*" and isinstance(data, Mapping):
        return {k: _replaced(one, rest, f"{where}{k}.", time) for k, one in data.items()}
    if isinstance(data, Mapping) and key in data:
        return {**data, key: _replaced(data[key], rest, f"{where}{key}.", time)}
    return data


def _date(text: str) -> datetime:
    try:
        date = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{shown(text)} is not a date; write 2026-03-01 or 2026-03-01T12:30:00"
        ) from None
    if date.tzinfo is not None:
        raise ValueError(f"{shown(text)}: dates are without a time zone; leave it out")
    return date
