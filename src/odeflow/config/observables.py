"""Observables and invariants of a model: where they are computed, their units and names."""

from pydantic import Field

from odeflow.config.base import FunctionReference, Strict, VariableName
from odeflow.config.text import Text


class VariableConfig(Strict):
    """Units and long name of an observable or invariant."""

    units: Text = Field(default="1", description="units, as printed on axes")
    long_name: Text | None = Field(
        default=None, description="what it is, in words; default: its name"
    )


class Observables(Strict):
    """Quantities computed from time, state and parameters along each trajectory."""

    function: FunctionReference | None = Field(
        None, description="module:function with the signature (t, y, args) -> {name: value}"
    )
    formulas: dict[VariableName, str] = Field(
        default_factory=dict,
        description="sbml, antimony: {name: formula} over what the file and its parameters name",
    )
    variables: dict[VariableName, VariableConfig] = Field(
        default_factory=dict, description="units and long_name of each"
    )
