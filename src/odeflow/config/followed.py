"""What `summary` asks of a variable's course beside plain metrics: crossings, peaks, windows."""

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from odeflow.config.base import Integer, PositiveReal, Real, Strict, VariableName, measured_in

_TIME = measured_in("`model.time_units`")
_VARIABLE = measured_in("those of the variable")
#: Times that each of them may keep: a variable of the dataset each.
_MOST_TIMES = 100


def _usable(label: str) -> str:
    if not re.fullmatch("[A-Za-z0-9_]{1,40}", label):
        raise ValueError("expected letters, digits and '_', at most 40 of them")
    return label


class Labelled(Strict):
    """One of what is asked of a variable, which may have a name of its own."""

    model_config = ConfigDict(serialize_by_alias=True)

    label: Annotated[str, AfterValidator(_usable)] | None = Field(
        None,
        description="what the names of its metrics end in; null: nothing, or its number where "
        "a variable has several",
    )


class Windowed(Labelled):
    """What counts between two times only."""

    from_: Real | None = Field(
        None,
        alias="from",
        description="start of what counts; null: `model.t0`",
        json_schema_extra=_TIME,
    )
    to: Real | None = Field(
        None,
        description="end of what counts; null: that of the trajectory",
        json_schema_extra=_TIME,
    )
    between: Literal["doses"] | None = Field(
        None,
        description="doses, in place of from and to: from each dose to the next, and from the last "
        "on; labelled dose_1, dose_2, ...",
    )

    @model_validator(mode="after")
    def _in_order(self) -> "Windowed":
        if self.between is not None:
            raise ValueError("between: windows are made of it where a config is composed")
        start, end = self.window
        if not start < end:
            raise ValueError(f"from ({start:g}) has to be before to ({end:g})")
        return self

    @property
    def window(self) -> tuple[float, float]:
        """Both times, infinite where they are not given."""
        start = -math.inf if self.from_ is None else self.from_
        return start, math.inf if self.to is None else self.to


class FirstTimeConfig(Labelled):
    """A threshold that a variable is first beyond at some time."""

    threshold: Real = Field(description="the threshold", json_schema_extra=_VARIABLE)


class TimeBeyondConfig(Windowed):
    """A threshold that a variable is beyond for some time."""

    threshold: Real = Field(description="the threshold", json_schema_extra=_VARIABLE)


class CrossingsConfig(Windowed):
    """Crossings of a threshold: their number, first, last, mean interval and frequency."""

    threshold: Real = Field(description="the threshold", json_schema_extra=_VARIABLE)
    direction: Literal["up", "down", "both"] = Field("up", description="which crossings count")
    times: Annotated[Integer, Field(ge=0, le=_MOST_TIMES)] = Field(
        0, description="times of the first so many, one variable each"
    )


class PeaksConfig(Windowed):
    """Peaks: their number, mean interval and frequency, times and heights of the first."""

    prominence: PositiveReal | None = Field(
        None,
        description="a peak has risen by more than this, and falls by it; null: ten tolerances",
        json_schema_extra=_VARIABLE,
    )
    times: Annotated[Integer, Field(ge=0, le=_MOST_TIMES)] = Field(
        0, description="times and heights of the first so many, one variable each"
    )


class WindowConfig(Windowed):
    """Two times, between which something is integrated."""


class ValueAtConfig(Labelled):
    """A time, at which a variable has a value."""

    time: Real = Field(description="the time", json_schema_extra=_TIME)


class SlopeConfig(Windowed):
    """Where the logarithm of a variable is fitted by a straight line."""

    last: Annotated[Integer, Field(ge=2)] | None = Field(
        None,
        description="the last so many saved times of a trajectory, instead of a time span",
        json_schema_extra=measured_in("saved times"),
    )

    @model_validator(mode="after")
    def _one_way(self) -> "SlopeConfig":
        if (self.last is None) == (self.from_ is None and self.to is None):
            raise ValueError("either a time span, from and to, or last, a number of saved times")
        return self


One = TypeVar("One", bound=Labelled)


def labelled(records: Sequence[One]) -> list[One]:
    """The records of one variable; where there are several, its number is the label of each that
    has none.
    """
    if len(records) == 1:
        return list(records)
    return [
        one if one.label is not None else one.model_copy(update={"label": str(number)})
        for number, one in enumerate(records, start=1)
    ]


def _told_apart(records: list[One]) -> list[One]:
    labels = [one.label for one in labelled(records)]
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(f"two have the label {label}; rename one")
    return records


def _listed(record: type[Labelled], key: str = "") -> Any:
    """A list of such records; of one it may be that alone, and a number for one with this `key`."""

    def listed(value: Any) -> Any:
        values = value if isinstance(value, list) else [value]
        plain = lambda one: bool(key) and not isinstance(one, dict | Labelled)
        return [{key: one} if plain(one) else one for one in values]

    one: Any = float | record if key else record
    checked = BeforeValidator(listed, json_schema_input_type=one | list[one])
    return Annotated[list[record], Field(min_length=1), checked, AfterValidator(_told_apart)]  # type: ignore[valid-type]


#: By variable one of them or a list.
FirstTimes = dict[VariableName, _listed(FirstTimeConfig, "threshold")]  # type: ignore[misc]
TimesBeyond = dict[VariableName, _listed(TimeBeyondConfig, "threshold")]  # type: ignore[misc]
CrossingsOf = dict[VariableName, _listed(CrossingsConfig, "threshold")]  # type: ignore[misc]
PeaksOf = dict[VariableName, _listed(PeaksConfig)]  # type: ignore[misc]
Windows = dict[VariableName, _listed(WindowConfig)]  # type: ignore[misc]
ValuesAt = dict[VariableName, _listed(ValueAtConfig, "time")]  # type: ignore[misc]
Slopes = dict[VariableName, _listed(SlopeConfig)]  # type: ignore[misc]
