"""What becomes of recorded doses on their way into a state: `model.compartments`."""

from pydantic import Field

from odeflow.config.base import Strict, measured_in
from odeflow.config.doses import Quantity
from odeflow.problem.formulas import formula_names
from odeflow.problem.records import Compartment


class CompartmentConfig(Strict):
    """How a recorded dose arrives in a state: numbers, parameters, or formulas of parameters."""

    bioavailability: Quantity = Field(
        1.0,
        description="the part of the amount that arrives",
        json_schema_extra=measured_in("1"),
    )
    lag: Quantity = Field(
        0.0,
        description="how much later it arrives",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    duration: Quantity | None = Field(
        None,
        description="of infusions with RATE -2: how long they take",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    rate: Quantity | None = Field(
        None,
        description="of infusions with RATE -1: how fast they are",
        json_schema_extra=measured_in("those of the state, per `model.time_units`"),
    )

    @property
    def compartment(self) -> Compartment:
        """The same as engines have it."""
        return Compartment(**dict(self))

    def named(self) -> set[str]:
        """All names that its quantities read."""
        texts = (value for value in dict(self).values() if isinstance(value, str))
        return {name for text in texts for name in formula_names(text)}
