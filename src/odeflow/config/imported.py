"""Records of the `model` group that importers fill in."""

from typing import Annotated

from pydantic import Field

from odeflow.config.base import Integer, Real, Strict, VariableName, measured_in


class ChangeConfig(Strict):
    """What an experiment changes in an imported model, at its start or at a time."""

    by: VariableName = Field(description="the parameter that has the experiment's number")
    number: Annotated[Integer, Field(ge=1)] = Field(
        description="the experiment's number; `by` is the negative of it before it begins"
    )
    time: Real | None = Field(
        None,
        description="when; null: at the start",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    formulas: dict[str, str] = Field(
        min_length=1, description="{id in the file: formula of its new value}"
    )


class EditConfig(Strict):
    """An attribute of the SBML file that SED-ML changes before the file is read."""

    target: str = Field(description="XPath of the attribute")
    value: str | None = Field(description="its new value; null: it is taken away")
