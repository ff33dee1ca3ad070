"""The `doses` and `stop` of an experiment: what happens to a trajectory at times or conditions."""

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from odeflow.config.base import (
    Integer,
    Natural,
    PositiveReal,
    Real,
    Strict,
    VariableName,
    check_variable_name,
    measured_in,
)
from odeflow.problem.doses import Dose, SteadyState, Stop
from odeflow.problem.formulas import formula_names, is_formula


def _number_or_text(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("expected a number, the name of an axis or a parameter, or a formula")
    return value


def _finite_or_usable(value: float | str) -> float | str:
    if isinstance(value, str):
        if not is_formula(value):
            return check_variable_name(value)
        names = formula_names(value)
        if not names:
            raise ValueError(f"{value!r} names nothing; write a number, or a formula of names")
        for name in names:
            check_variable_name(name)
    elif not math.isfinite(value):
        raise ValueError("expected a finite number")
    return value


#: A number, the name of an axis or a parameter that has it, or a formula of such names.
Quantity = Annotated[
    float | str, BeforeValidator(_number_or_text), AfterValidator(_finite_or_usable)
]


class DoseConfig(Strict):
    """A bolus or an infusion into a state, or a parameter's new value, at one or more times."""

    state: VariableName | None = Field(None, description="the state that receives the dose")
    index: list[Annotated[Integer, Field(ge=0)]] = Field(
        default_factory=list, description="of an array state: which component, from 0"
    )
    amount: Quantity | None = Field(
        None,
        description="what the state receives",
        json_schema_extra=measured_in("those of the state"),
    )
    duration: Quantity | None = Field(
        None,
        description="an infusion: how long; the state receives the amount at a constant rate",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    rate: Quantity | None = Field(
        None,
        description="an infusion: its rate, instead of a duration",
        json_schema_extra=measured_in("those of the state, per `model.time_units`"),
    )
    parameter: VariableName | None = Field(None, description="the parameter that is switched")
    value: Quantity | None = Field(
        None,
        description="the parameter's value from then on",
        json_schema_extra=measured_in("those of the parameter"),
    )
    time: Quantity | None = Field(
        None, description="when", json_schema_extra=measured_in("`model.time_units`")
    )
    times: list[Quantity] | None = Field(
        None,
        min_length=1,
        description="when, several times",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    every: Quantity | None = Field(
        None,
        description="repeats it (or all of its times) after this time",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    count: Natural = Field(1, description="how often, with `every`; the first time counts")

    @model_validator(mode="after")
    def _keys_fit(self) -> "DoseConfig":
        if (self.state is None) == (self.parameter is None):
            raise ValueError("a dose names either the state that receives it or a parameter")
        if self.state is not None:
            _need(self, "amount", f"the amount that {self.state} receives")
            _refuse(self, ("value",), "only for a parameter")
            if self.duration is not None and self.rate is not None:
                raise ValueError("an infusion has either a duration or a rate")
        else:
            _need(self, "value", f"the new value of {self.parameter}")
            _refuse(self, ("amount", "duration", "rate", "index"), "only for a state")
        if (self.time is None) == (self.times is None):
            raise ValueError("either time or times is needed")
        if (self.every is None) != (self.count == 1):
            raise ValueError("every and count (2 or more) belong together")
        if isinstance(self.every, float) and not self.every > 0:
            raise ValueError(f"every has to be greater than 0, not {self.every:g}")
        return self

    @property
    def dose(self) -> Dose:
        """The dose as engines have it."""
        times = None if self.times is None else tuple(self.times)
        return Dose(**{**dict(self), "index": tuple(self.index), "times": times})

    @property
    def number_of_jumps(self) -> int:
        """Times at which something changes."""
        return len(self.dose.first_times) * self.count * (2 if self.dose.is_infusion else 1)


def _need(dose: DoseConfig, key: str, what: str) -> None:
    if getattr(dose, key) is None:
        raise ValueError(f"{key} is needed: {what}")


def _refuse(dose: DoseConfig, keys: tuple[str, ...], why: str) -> None:
    for key in keys:
        if getattr(dose, key) not in (None, []):
            raise ValueError(f"{key} is {why}")


class SteadyStateConfig(Strict):
    """Tolerances of the derivative at which a trajectory counts as steady."""

    rtol: PositiveReal | None = Field(None, description="relative to the state; null: solver.rtol")
    atol: PositiveReal | None = Field(
        None,
        description="absolute; null: the least of solver.atol",
        json_schema_extra=measured_in("those of the states, per `model.time_units`"),
    )


class StopConfig(Strict):
    """Conditions that end a trajectory, whichever comes first."""

    above: dict[VariableName, Real] = Field(
        default_factory=dict,
        description="{variable: threshold}: where it rises above that",
        json_schema_extra=measured_in("those of the variable"),
    )
    below: dict[VariableName, Real] = Field(
        default_factory=dict,
        description="{variable: threshold}: where it falls below that",
        json_schema_extra=measured_in("those of the variable"),
    )
    steady_state: SteadyStateConfig | None = Field(
        None,
        description="where the norm of the derivative is below atol + rtol times that of the state",
    )

    @property
    def stop(self) -> Stop:
        """The conditions as engines have them."""
        steady = self.steady_state
        return Stop(self.above, self.below, steady and SteadyState(steady.rtol, steady.atol))
