"""The states of a model: scalars, and arrays with named dimensions."""

import math
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from odeflow.config.arrays import shape_of
from odeflow.config.base import Natural, PositiveReal, Real, Strict, VariableName, measured_in
from odeflow.config.text import Text

#: Of an array state: what a config, and with it every file of results, still has room for.
_MOST_ENTRIES = 1_000_000


class EqualValues(Strict):
    """An array that has one value everywhere."""

    value: Real = Field(description="the value of all entries")
    shape: Annotated[list[Natural], Field(min_length=1)] = Field(
        description="how many entries each dimension has"
    )


def _filled(value: Any) -> Any:
    """The nested list that `{value, shape}` is short for; anything else as it is."""
    if not isinstance(value, dict):
        return value
    equal = EqualValues.model_validate(value)
    if math.prod(equal.shape) > _MOST_ENTRIES:
        raise ValueError(f"shape: more than {_MOST_ENTRIES:,} entries")
    return np.full(equal.shape, equal.value).tolist()


class StateConfig(Strict):
    """One state: a scalar, or an array with named dimensions."""

    initial: Annotated[
        Real | list[Any],
        BeforeValidator(_filled, json_schema_input_type=Real | list[Any] | EqualValues),
    ] = Field(
        description="initial value; a (nested) list, or {value, shape}, for an array state",
        json_schema_extra=measured_in("its own `units`"),
    )
    units: Text = Field("1", description="units, as printed on axes")
    long_name: Text | None = Field(None, description="what it is, in words; default: its name")
    dims: list[VariableName] = Field(
        default_factory=list, description="names of an array state's dimensions"
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
        return shape_of(self.initial, "initial")

    @property
    def least(self) -> float:
        """The least of the initial values."""
        return float(np.min(self.initial))
