"""The states of a model: scalars, and arrays with named dimensions."""

import math
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from odeflow.config.arrays import shape_of
from odeflow.config.base import (
    FunctionReference,
    Natural,
    PositiveReal,
    Real,
    Strict,
    VariableName,
    is_function_reference,
    measured_in,
)
from odeflow.config.text import Text

#: Of an array state: what a config, and with it every file of results, still has room for.
_MOST_ENTRIES = 1_000_000


class EqualValues(Strict):
    """An array that has one value everywhere."""

    value: Real = Field(description="the value of all entries")
    shape: Annotated[list[Natural], Field(min_length=1)] = Field(
        description="how many entries each dimension has"
    )


class ComputedInitial(Strict):
    """Initial values that a function computes from the parameters."""

    function: FunctionReference = Field(
        description="module:function, or file.py:function of the study; (args) -> value"
    )
    shape: list[Natural] = Field(
        default_factory=list, description="how many entries each dimension has; []: a scalar"
    )
    part: Literal["real", "imag"] | None = Field(
        None, description="not for you to set: the part of a complex value that the state is"
    )


def _filled(value: Any) -> Any:
    """The record or nested list that something shorter stands for; anything else as it is."""
    if isinstance(value, str) and is_function_reference(value):
        value = {"function": value}
    if not isinstance(value, dict):
        return value
    if "function" in value:
        return ComputedInitial.model_validate(value)
    equal = EqualValues.model_validate(value)
    if math.prod(equal.shape) > _MOST_ENTRIES:
        raise ValueError(f"shape: more than {_MOST_ENTRIES:,} entries")
    return np.full(equal.shape, equal.value).tolist()


class StateConfig(Strict):
    """One state: a scalar, or an array with named dimensions."""

    initial: Annotated[
        Real | list[Any] | ComputedInitial,
        BeforeValidator(
            _filled,
            json_schema_input_type=Real | list[Any] | EqualValues | ComputedInitial | str,
        ),
    ] = Field(
        description="initial value; a (nested) list, or {value, shape}, for an array state; a "
        "file with it; models.py:function or {function, shape}: computed from the parameters",
        json_schema_extra=measured_in("its own `units`"),
    )
    units: Text = Field("1", description="units, as printed on axes")
    long_name: Text | None = Field(None, description="what it is, in words; default: its name")
    dims: list[VariableName] = Field(
        default_factory=list, description="names of an array state's dimensions"
    )
    dtype: Literal["real", "complex"] = Field(
        "real",
        description='complex: `y.<name>` is complex, initial is "1+2j" or [1, 2]; everywhere else '
        "it is two states, `<name>_real` and `<name>_imag`",
    )
    scale: PositiveReal = Field(
        1.0,
        description="what one solver.atol for all states is multiplied by for this one; sbml, "
        "antimony: the size of the compartment that an amount is in, where that is below 1",
    )

    @model_validator(mode="after")
    def _shape_fits_dims(self) -> "StateConfig":
        if len(self.shape) != len(self.dims):
            raise ValueError(
                f"initial has {len(self.shape)} dimension(s) but dims names {len(self.dims)}: "
                "an array state needs one name per dimension, such as dims: [x]"
            )
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the state: () for a scalar."""
        if isinstance(self.initial, ComputedInitial):
            return tuple(self.initial.shape)
        return shape_of(self.initial, "initial")

    @property
    def computed_by(self) -> str | None:
        """The function that computes the initial values; None where they are numbers."""
        return self.initial.function if isinstance(self.initial, ComputedInitial) else None

    @property
    def initial_values(self) -> np.ndarray:
        """The initial values; NaN where a function computes them."""
        if isinstance(self.initial, ComputedInitial):
            return np.full(self.shape, np.nan)
        return np.asarray(self.initial, float)
