"""`{between: doses}` in `summary`: a window from each dose to the next, the last to the end."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from odeflow.config.doses import DoseConfig
from odeflow.files.errors import ConfigError

#: Keys of `summary` whose records have a window.
_KEYS = ("crossings", "peaks", "time_above", "time_below", "integral_over", "slope")
_MOST_WINDOWS = 100


def with_dose_windows(data: Mapping[str, Any]) -> dict[str, Any]:
    """A config as plain data, with windows in place of each record that is `between: doses`.

    Raises ConfigError where no doses are given, and where their times are not numbers: windows
    are the same for all trajectories.
    """
    summary = data.get("summary")
    if not isinstance(summary, Mapping):
        return dict(data)
    found = dict(summary)
    for key in _KEYS:
        if isinstance(summary.get(key), Mapping):
            found[key] = {
                variable: _windows(f"summary.{key}.{variable}", asked, data)
                for variable, asked in summary[key].items()
            }
    return {**data, "summary": found}


def _windows(where: str, asked: Any, data: Mapping[str, Any]) -> Any:
    records = asked if isinstance(asked, list) else [asked]
    if not any(isinstance(one, Mapping) and one.get("between") is not None for one in records):
        return asked
    made = []
    for one in records:
        if not isinstance(one, Mapping) or one.get("between") is None:
            made.append(one)
            continue
        if one["between"] != "doses" or "from" in one or "to" in one:
            raise ConfigError(f"{where}.between: it is `doses`, and stands in place of from and to")
        times = _dose_times(where, data)
        rest = {name: value for name, value in one.items() if name not in ("between", "label")}
        label = one.get("label") or "dose"
        for number, (start, end) in enumerate(zip(times, [*times[1:], None]), start=1):
            made.append({**rest, "from": start, "to": end, "label": f"{label}_{number}"})
    return made


def _dose_times(where: str, data: Mapping[str, Any]) -> Sequence[float]:
    """When states are given something, each time once."""
    try:
        doses = [DoseConfig.model_validate(one) for one in data.get("doses") or ()]
    except (ValidationError, TypeError):
        return []  # which is said where the doses are validated
    times: set[float] = set()
    for dose in (one for one in doses if one.state is not None):
        for first in dose.dose.first_times:
            every = dose.every or 0.0
            if isinstance(first, str) or isinstance(every, str):
                name = first if isinstance(first, str) else every
                raise ConfigError(
                    f"{where}.between: the time of a dose is {name!r}, which may differ between "
                    "trajectories; give from and to"
                )
            times |= {first + number * every for number in range(dose.count)}
    if not times:
        raise ConfigError(
            f"{where}.between: no doses are given (for records of design.nonmem there is "
            "summary.nca); give from and to"
        )
    if len(times) > _MOST_WINDOWS:
        raise ConfigError(
            f"{where}.between: {len(times)} doses; at most {_MOST_WINDOWS} windows; give from, to"
        )
    return sorted(times)
