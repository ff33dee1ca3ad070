"""A data set of NONMEM's layout as a design: where it is, and its records as numbers."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator

from odeflow.config.base import Integer, Real, Strict, VariableName, measured_in
from odeflow.config.compartments import CompartmentConfig
from odeflow.problem.axis_names import occasion_name
from odeflow.problem.records import Record, Records


class NonmemConfig(Strict):
    """A data set and what its columns mean."""

    file: str = Field(description="a CSV file of the study, in NONMEM's layout")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="{NONMEM's name: the column's name}, as {ID: subject, TIME: hours}, where a "
        "column is called otherwise",
    )
    compartments: dict[str, VariableName] = Field(
        default_factory=dict,
        description="{what stands in CMT: state}, as {1: gut, depot: gut}; default: the state of "
        "that name, or of that number among the states, from 1",
    )
    covariates: dict[VariableName, str] = Field(
        default_factory=dict, description="{parameter: column} that gives its value at each record"
    )
    interpolation: Literal["previous", "next"] = Field(
        "previous",
        description="a covariate between records: previous, that of the record before (LOCF); "
        "next, that of the record after (NOCB), as in NONMEM",
    )

    observed: VariableName | dict[str, VariableName] = Field(
        default_factory=dict,
        description="what DV is a value of, a state or observable; with several {what stands in "
        "DVID, or in CMT without that column: variable}",
    )

    at_doses: bool = Field(
        False, description="values right before and right after each dose record are kept too"
    )

    @field_validator("compartments", "observed", mode="before")
    @classmethod
    def _numbers_are_names(cls, value: Any) -> Any:
        return (
            {str(key): state for key, state in value.items()} if isinstance(value, dict) else value
        )


def _from_text(value: Any) -> Any:
    """The items of a column, of which a point stands for none."""
    return (
        [None if item == "." else item for item in value.split()]
        if isinstance(value, str)
        else value
    )


def _as_text(items: list[Any]) -> str:
    return " ".join("." if item is None else str(item) for item in items)


_Item = TypeVar("_Item")
#: A column as it is stored: one text, since a config with a hundred thousand items takes seconds.
Column = Annotated[
    list[_Item], BeforeValidator(_from_text), PlainSerializer(_as_text, str, when_used="json")
]


class RecordsConfig(Strict):
    """The records of a data set, column by column, in its order."""

    subject: Column[Real] = Field(description="ID, of each record")
    time: Column[Real] = Field(
        description="TIME", json_schema_extra=measured_in("`model.time_units`")
    )
    event: Column[Annotated[Integer, Field(ge=0, le=4)]] = Field(description="EVID")
    state: Column[VariableName] = Field(description="the state that CMT means")
    amount: Column[Real] = Field(
        description="AMT", json_schema_extra=measured_in("those of the state")
    )
    rate: Column[Real] = Field(
        description="RATE",
        json_schema_extra=measured_in("those of the state, per `model.time_units`"),
    )
    interval: Column[Real] = Field(
        description="II", json_schema_extra=measured_in("`model.time_units`")
    )
    additional: Column[Annotated[Integer, Field(ge=0)]] = Field(description="ADDL")
    steady: Column[Annotated[Integer, Field(ge=0, le=2)]] = Field(description="SS")
    covariates: dict[VariableName, Column[Real]] = Field(
        default_factory=dict, description="values of parameters at each record"
    )
    interpolation: Literal["previous", "next"] = Field(
        "previous", description="that of design.nonmem"
    )
    occasion: Column[Annotated[Integer, Field(ge=0)]] = Field(
        default_factory=list, description="the occasion of each record, where there are some"
    )
    by_occasion: list[VariableName] = Field(
        default_factory=list, description="parameters that have a value in each occasion"
    )
    observed: Column[VariableName | None] = Field(
        default_factory=list, description="the variable that DV is of, where it is one"
    )
    carried: dict[str, Column[Real | None]] = Field(
        default_factory=dict, description="columns that are kept for records of which values are"
    )
    meanings: dict[str, list[str]] = Field(
        default_factory=dict, description="of columns of text: what their numbers stand for"
    )

    @property
    def subjects(self) -> list[float]:
        """The subjects in their order."""
        return list(dict.fromkeys(self.subject))

    @property
    def occasions(self) -> list[int]:
        """The numbers of the occasions in order."""
        return sorted({*self.occasion})

    @property
    def occasion_columns(self) -> dict[str, str]:
        """Names of the columns of values in occasions, and the parameter of each."""
        return {
            occasion_name(name, number): name
            for name in self.by_occasion
            for number in self.occasions
        }

    @property
    def is_kept(self) -> list[bool]:
        """Of which records values are kept."""
        return [event in (0, 2) for event in self.event]

    @property
    def measured(self) -> list[float | None]:
        """DV of each record, where it has one."""
        found = [column for name, column in self.carried.items() if name.upper() == "DV"]
        return found[0] if found else [None] * len(self.subject)

    def records(
        self, compartments: Mapping[str, CompartmentConfig], time_after_dose: str | None = None
    ) -> Records:
        """The same as engines have it."""
        of: dict[float, list[Record]] = {}
        names = list(self.covariates)
        rows: Iterable[tuple] = zip(
            self.subject, self.time, self.event, self.state, self.amount, self.rate,
            self.interval, self.additional, self.steady, *self.covariates.values(), strict=True,
        )  # fmt: skip
        for number, (subject, *rest) in enumerate(rows):
            values = dict(zip(names, rest[8:]))
            changing = {x: occasion_name(x, self.occasion[number]) for x in self.by_occasion}
            of.setdefault(subject, []).append(Record._make([*rest[:8], values, changing]))
        own = {name: one.compartment for name, one in compartments.items()}
        return Records(of, own, self.interpolation, time_after_dose)
