"""The `solver` and `saveat` groups: the method, its step size control, and what is kept."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from odeflow.config.axis import Levels
from odeflow.config.base import (
    Distinct,
    Natural,
    PositiveReal,
    Real,
    Strict,
    VariableName,
    measured_in,
)
from odeflow.config.dates import Time
from odeflow.problem.methods import AUTO, METHODS, UnknownMethodError, candidates, find_method
from odeflow.problem.solver import Solver, Tolerances


class SolverConfig(Strict):
    """The method and its step size control. Names and defaults are Diffrax's."""

    method: str = Field(
        "tsit5",
        description="name of the method, see `config/solver/`; auto: chosen by a pilot of the "
        "design, and for each trajectory as it goes",
    )
    rtol: PositiveReal = Field(1e-6, description="relative tolerance")
    atol: PositiveReal | dict[VariableName, PositiveReal] = Field(
        1e-8,
        description="absolute tolerance, one number or {state: number}",
        json_schema_extra=measured_in("those of each state"),
    )
    stepsize_controller: Literal["pid", "constant"] = Field(
        "pid",
        description="adaptive steps by a PID controller, or constant steps: the first of dt0, then "
        "to equal parts of the span, as few as are no longer than dt0",
    )
    dt0: PositiveReal | None = Field(
        None,
        description="first step; null: chosen by the controller",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    dtmin: PositiveReal | None = Field(
        None,
        description="a step below this ends the trajectory with status dt_min_reached",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    dtmax: PositiveReal | None = Field(
        None,
        description="steps are clipped to this length",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    max_steps: Natural = Field(
        100_000,
        description="attempted steps that a trajectory may take",
        json_schema_extra=measured_in("steps"),
    )
    pcoeff: Real = Field(0.0, description="proportional coefficient of the PID controller")
    icoeff: Real = Field(1.0, description="integral coefficient of the PID controller")
    dcoeff: Real = Field(0.0, description="derivative coefficient of the PID controller")
    factormin: Annotated[Real, Field(gt=0, lt=1)] = Field(
        0.2, description="smallest factor between steps"
    )
    factormax: Annotated[Real, Field(gt=1)] = Field(
        10.0, description="largest factor between steps"
    )
    safety: Annotated[Real, Field(gt=0, le=1)] = Field(0.9, description="safety factor")
    root_finder_rtol: PositiveReal | None = Field(
        None, description="implicit methods: relative tolerance of the root find; null: rtol"
    )
    root_finder_atol: PositiveReal | None = Field(
        None,
        description="implicit methods: absolute tolerance of the root find; null: atol",
        json_schema_extra=measured_in("those of each state"),
    )
    delay_steps: Natural = Field(
        1024,
        description="steps that are kept for `model.delays`: no fewer than a trajectory takes "
        "within the longest of them, else it ends with status history_full",
        json_schema_extra=measured_in("steps"),
    )
    reject_drift: bool = Field(
        False,
        description="a step after which an invariant has drifted further than its part of "
        "verify.max_drift is taken again, shorter",
    )

    @property
    def is_chosen(self) -> bool:
        """Whether the method is chosen among several."""
        return self.method == AUTO

    @property
    def candidates(self) -> tuple[str, ...]:
        """The methods that may solve: the one there is, or those that `auto` chooses among."""
        return candidates(self.rtol) if self.is_chosen else (self.method,)

    def tolerances(self, states: Iterable[str]) -> Tolerances:
        """The tolerances of a problem with these states."""
        atol = self.atol if isinstance(self.atol, dict) else dict.fromkeys(states, self.atol)
        return Tolerances(self.rtol, atol)

    def solver(self, states: Iterable[str]) -> Solver:
        """The solver of a problem with these states, by the first of the candidates."""
        given = self.model_dump(exclude={"method", "rtol", "atol", "reject_drift"})
        return Solver(self.candidates[0], self.tolerances(states), **given)

    @field_validator("method")
    @classmethod
    def _known_method(cls, value: str) -> str:
        if value == AUTO:
            return value
        try:
            find_method(value)
        except UnknownMethodError as error:
            raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _keys_fit(self) -> "SolverConfig":
        if self.is_chosen and self.stepsize_controller == "constant":
            raise ValueError(
                "solver.stepsize_controller: method auto chooses among adaptive methods; "
                "take pid, or name a method"
            )
        method = METHODS[self.candidates[0]]
        if self.stepsize_controller == "pid" and not method.adaptive:
            raise ValueError(
                f"solver.stepsize_controller: {self.method} has no error estimate; "
                "use stepsize_controller: constant with dt0, or an adaptive method"
            )
        if self.stepsize_controller == "constant" and self.dt0 is None:
            raise ValueError("solver.dt0: constant steps need their length")
        if self.dtmin is not None and self.dtmax is not None and self.dtmin > self.dtmax:
            raise ValueError(f"solver.dtmin: {self.dtmin:g} is greater than dtmax {self.dtmax:g}")
        return self


_NUMBER = r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
#: A multiple of the value there was, written `x10` or `x1e-3`.
Factor = Annotated[str, StringConstraints(pattern=f"^x{_NUMBER}$")]


class SolverChange(Strict):
    """A rung of the retry ladder: the keys of `solver` that it changes, others stay.

    A value replaces what was there; `x10` multiplies it. A key that is not given is not changed,
    which is not the same as `null`.
    """

    method: str | None = None
    rtol: PositiveReal | Factor | None = None
    atol: PositiveReal | dict[VariableName, PositiveReal] | Factor | None = None
    stepsize_controller: Literal["pid", "constant"] | None = None
    dt0: PositiveReal | Factor | None = None
    dtmin: PositiveReal | Factor | None = None
    dtmax: PositiveReal | Factor | None = None
    max_steps: Natural | Factor | None = None
    pcoeff: Real | None = None
    icoeff: Real | None = None
    dcoeff: Real | None = None
    factormin: Real | None = None
    factormax: Real | None = None
    safety: Real | None = None
    root_finder_rtol: PositiveReal | Factor | None = None
    root_finder_atol: PositiveReal | Factor | None = None
    delay_steps: Natural | Factor | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _number_or_factor(cls, value: Any, info: ValidationInfo) -> Any:
        words = info.field_name in {"method", "stepsize_controller"}
        if isinstance(value, str) and not words and not re.fullmatch(f"[-+x]?{_NUMBER}", value):
            raise ValueError("expected a number, or a factor such as x10")
        return value

    @model_validator(mode="after")
    def _changes_something(self) -> "SolverChange":
        if not self.model_fields_set:
            raise ValueError("it changes nothing; name a key of solver, as in {max_steps: x10}")
        return self

    @model_serializer(mode="wrap")
    def _given(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in dump(self).items() if key in self.model_fields_set}


class SavedEventConfig(Strict):
    """Crossings of a threshold, at which times and states are kept: spikes, a section."""

    crossing: str = Field(
        description="what crosses it: a state, an observable, or a formula of these, of parameters "
        "and of t, such as `v - 0.5 * w`"
    )
    threshold: Real = Field(
        0.0, description="the threshold", json_schema_extra=measured_in("those of the crossing")
    )
    direction: Literal["up", "down", "both"] = Field("up", description="which crossings are kept")
    variables: Annotated[list[VariableName], Distinct] | None = Field(
        None, description="states and observables whose values are kept there; null: all states"
    )
    most: Natural = Field(
        1000, description="crossings of a trajectory that are kept; further ones are counted"
    )


class SaveAtConfig(Strict):
    """Which times and which variables of a trajectory are kept."""

    ts: Levels | list[Time] | None = Field(
        None,
        description="times to save, {linspace: [0, 120, 121]} or a list; null: only the end value",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    variables: Annotated[list[VariableName], Distinct] | None = Field(
        None, description="states and observables to keep; null: all"
    )
    sensitivities: Annotated[list[VariableName], Distinct] | None = Field(
        None,
        description="parameters, and states for their initial values: adds the derivatives "
        "d_<variable>_d_<axis> of what is kept; null: none",
    )
    steady_state: bool = Field(
        False,
        description="adds <variable>_steady, what is kept in the steady state that each trajectory "
        "goes to from its start; NaN where there is none",
    )
    events: dict[VariableName, SavedEventConfig] = Field(
        default_factory=dict,
        description="{name: {crossing: v, threshold: 0}}: adds <name>_time and <name>_<variable> "
        "at every crossing, one after another, <name>_count of them in each trajectory",
    )

    @field_validator("ts")
    @classmethod
    def _not_empty(cls, value: Levels | list[float] | None) -> Levels | list[float] | None:
        if isinstance(value, list) and not value:
            raise ValueError("an empty list of times; null saves the end value only")
        return value
