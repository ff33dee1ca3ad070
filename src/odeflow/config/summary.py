"""The `summary` group: metrics of trajectories, and quantiles over the ensemble."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from odeflow.config.base import (
    Distinct,
    FunctionReference,
    Integer,
    PositiveReal,
    Real,
    Strict,
    VariableName,
    measured_in,
)
from odeflow.config.followed import (
    CrossingsOf,
    FirstTimes,
    PeaksOf,
    Slopes,
    TimesBeyond,
    ValuesAt,
    Windows,
)
from odeflow.config.vpc import VpcConfig

#: Keys of `summary` that ask of a variable by its name.
FOLLOWED = (
    "first_time_above",
    "first_time_below",
    "crossings",
    "peaks",
    "time_above",
    "time_below",
    "integral_over",
    "value_at",
    "slope",
)

Metric = Literal[
    "final", "min", "max", "mean", "integral", "time_of_min", "time_of_max", "amplitude"
]


class ResidualErrorConfig(Strict):
    """The error with which a variable is measured."""

    proportional: Annotated[Real, Field(ge=0)] = Field(
        0.0,
        description="standard deviation as a part of the value",
        json_schema_extra=measured_in("1"),
    )
    additive: Annotated[Real, Field(ge=0)] = Field(
        0.0,
        description="standard deviation beside that",
        json_schema_extra=measured_in("those of the variable"),
    )
    seed: Annotated[Integer, Field(ge=0)] = Field(0, description="seed of the errors, >= 0")

    @model_validator(mode="after")
    def _is_an_error(self) -> "ResidualErrorConfig":
        if not self.proportional and not self.additive:
            raise ValueError("an error needs proportional or additive above 0")
        return self


class NcaConfig(Strict):
    """The dosing intervals that a variable is analysed in."""

    times: Annotated[list[Real], Distinct] = Field(
        min_length=1,
        description="the starts of intervals, which are saved times, as their ends are",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    tau: PositiveReal = Field(
        description="how long they are", json_schema_extra=measured_in("`model.time_units`")
    )


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class SummaryConfig(Strict):
    """Metrics of each trajectory and quantiles over the ensemble.

    Where no times are saved, and where trajectories may jump or end, metrics are computed while
    solving.
    """

    variables: Annotated[list[VariableName], Distinct] | None = Field(
        None, description="states and observables to summarise; null: all"
    )
    metrics: Annotated[list[Metric], Distinct] = Field(
        ["final", "min", "max", "mean", "integral", "time_of_max", "amplitude"],
        description="metrics of every trajectory, one variable <variable>_<metric> each",
    )
    first_time_above: FirstTimes = Field(
        default_factory=dict,
        description="{variable: threshold} or a list of them, first time it is above",
        json_schema_extra=measured_in("those of the variable"),
    )
    first_time_below: FirstTimes = Field(
        default_factory=dict,
        description="{variable: threshold} or a list of them, first time it is below",
        json_schema_extra=measured_in("those of the variable"),
    )
    crossings: CrossingsOf = Field(
        default_factory=dict,
        description="{variable: {threshold: ...}}: how often and when it crosses that",
    )
    peaks: PeaksOf = Field(
        default_factory=dict,
        description="{variable: {}}: how many peaks it has, when and how high they are",
    )
    time_above: TimesBeyond = Field(
        default_factory=dict,
        description="{variable: threshold}: how long it is above",
        json_schema_extra=measured_in("those of the variable"),
    )
    time_below: TimesBeyond = Field(
        default_factory=dict,
        description="{variable: threshold}: how long it is below",
        json_schema_extra=measured_in("those of the variable"),
    )
    integral_over: Windows = Field(
        default_factory=dict,
        description="{variable: {from: ..., to: ...}}: its integral between two times",
    )
    value_at: ValuesAt = Field(
        default_factory=dict,
        description="{variable: time}: its value then",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    slope: Slopes = Field(
        default_factory=dict,
        description="{variable: {from: ..., to: ...}}: slope of its logarithm, and half-life",
    )
    functions: Annotated[
        list[FunctionReference], BeforeValidator(_listed, json_schema_input_type=str | list[str])
    ] = Field(
        default_factory=list,
        description="the study's own metrics: `file.py:function`, one or a list, of a saved course "
        "and the parameters, which returns {name: number}",
    )
    function_units: dict[VariableName, str] = Field(
        default_factory=dict, description="{name: units} of all that these functions return"
    )
    residual_error: dict[VariableName, ResidualErrorConfig] = Field(
        default_factory=dict,
        description="{variable: {proportional, additive, seed}}: what would be measured of it, "
        "<variable>_with_error, and quantiles of that",
    )
    nca: dict[VariableName, NcaConfig] = Field(
        default_factory=dict,
        description="{variable: {times, tau}}: noncompartmental analysis of dosing intervals, "
        "<variable>_cmax, _tmax, _trough, _auc_tau, _half_life and _accumulation",
    )
    vpc: dict[VariableName, VpcConfig] = Field(
        default_factory=dict,
        description="{variable: {bins, quantiles, band, group}}: a visual predictive check of the "
        "replicates of a data set, <variable>_vpc_observed and _vpc_simulated",
    )
    group: VariableName | None = Field(
        None,
        description="an axis, `subject` or `condition`, whose values part the trajectories: "
        "quantiles of each part too, <variable>_quantiles_by_group",
    )
    quantiles: list[Annotated[Real, Field(ge=0, le=1)]] = Field(
        [0.05, 0.25, 0.5, 0.75, 0.95], description="quantiles over the ensemble at each time"
    )

    @property
    def named(self) -> dict[str, tuple[str, ...]]:
        """The variables that each of its keys names, by the key."""
        keys = ("variables", "residual_error", "nca", "vpc", *FOLLOWED)
        return {key: tuple(getattr(self, key) or ()) for key in keys}

    @model_validator(mode="after")
    def _both(self) -> "SummaryConfig":
        if bool(self.functions) != bool(self.function_units):
            raise ValueError(
                "functions and function_units belong together: {name: units} of all that the "
                "functions return"
            )
        return self

    @field_validator("quantiles")
    @classmethod
    def _increasing(cls, value: list[float]) -> list[float]:
        if any(a >= b for a, b in zip(value, value[1:])):
            raise ValueError("quantiles must increase")
        return value
