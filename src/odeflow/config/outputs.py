"""The `assemble`, `summary` and `runtime` groups."""

import importlib.util
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from odeflow.config.base import (
    Distinct,
    Integer,
    Natural,
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
from odeflow.config.solver import SolverChange

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


def needs_zarr(value: str) -> str:
    """The format; raises ValueError for one whose package is missing."""
    if value == "zarr" and importlib.util.find_spec("zarr") is None:
        raise ValueError("zarr is not installed: pip install zarr, or choose netcdf")
    return value


class AssembleConfig(Strict):
    """How the ensemble is stored."""

    format: Literal["netcdf", "zarr"] = Field(
        "netcdf", description="netcdf: one file, ensemble.nc; zarr: a folder, ensemble.zarr"
    )

    @field_validator("format")
    @classmethod
    def _installed(cls, value: str) -> str:
        return needs_zarr(value)

    @property
    def file(self) -> str:
        """The name of the file, or of the folder, that the ensemble is."""
        return "ensemble.zarr" if self.format == "zarr" else "ensemble.nc"


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
        list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])
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
        keys = ("variables", "residual_error", "nca", *FOLLOWED)
        return {key: tuple(getattr(self, key) or ()) for key in keys}

    @field_validator("functions")
    @classmethod
    def _references(cls, value: list[str]) -> list[str]:
        for reference in value:
            if not re.fullmatch(r"[^:]+:[A-Za-z_]\w*", reference):
                raise ValueError(f"{reference!r} is no function; write file.py:function")
        return value

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


#: More steps; then a stiff method; then a smaller first step, with a lower limit for the others.
DEFAULT_RETRY: list[dict[str, str]] = [
    {"max_steps": "x10"},
    {"method": "rodas5p"},
    {"dt0": "x1e-9", "dtmin": "x1e-3"},
    {"method": "kvaerno5"},
    {"method": "tsit5"},
]


#: Keys of `runtime` that cannot change a number, nor how it was made.
EFFORT = ("chunk_size", "threads", "max_failed")


class RuntimeConfig(Strict):
    """How the work is done; `engine`, `device`, `precision` and `retry` can touch the numbers."""

    engine: Literal["auto", "native", "diffrax"] = Field("auto", description="batch engine")
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto",
        description="where to solve; auto: native on the CPU, diffrax where JAX's first device is",
    )
    precision: Literal["float64", "float32"] = Field("float64", description="floating point type")
    chunk_size: Natural | Literal["auto"] = Field(
        "auto",
        description="trajectories per job; auto: about a minute of work, 2 GiB at most",
        json_schema_extra=measured_in("trajectories"),
    )
    threads: Natural | Literal["auto"] = Field(
        "auto",
        description="cores of one solving job; auto: those there are, shared among chunks",
        json_schema_extra=measured_in("cores"),
    )
    retry: list[SolverChange] = Field(
        [SolverChange.model_validate(change) for change in DEFAULT_RETRY],
        max_length=20,
        description="changes to the solver, one after another, for trajectories that failed; "
        "[]: none",
    )
    max_failed: Annotated[Real, Field(ge=0, le=1)] | None = Field(
        None, description="fraction of trajectories that may fail before the run does; null: any"
    )
