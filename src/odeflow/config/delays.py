"""The `delays` of a model: what its functions read of states as they were a while before."""

from collections.abc import Collection, Mapping

from pydantic import Field, model_validator

from odeflow.config.base import Strict, VariableName, measured_in
from odeflow.config.doses import Quantity
from odeflow.config.states import StateConfig
from odeflow.problem.declaration import Parameter, State
from odeflow.problem.delays import Delay, value_names, while_name
from odeflow.problem.formulas import formula_names


class DelayConfig(Strict):
    """A state as it was a while before, which the functions read as `args.<name>`."""

    of: VariableName = Field(description="the state")
    by: Quantity = Field(
        description="how long before: a number, a parameter or a formula of parameters, > 0",
        json_schema_extra=measured_in("`model.time_units`"),
    )
    history: Quantity = Field(
        "hold",
        description="what it was before t0: a number, a parameter or a formula of parameters; "
        "`hold`: its initial value",
        json_schema_extra=measured_in("those of the state"),
    )

    @property
    def delay(self) -> Delay:
        """The same as engines have it."""
        return Delay(self.of, self.by, None if self.history == "hold" else self.history)

    def named(self) -> dict[str, frozenset[str]]:
        """The names that each of its quantities reads."""
        delay = self.delay
        texts = {"by": delay.by, "history": delay.history}
        return {k: formula_names(x) for k, x in texts.items() if isinstance(x, str)}

    @model_validator(mode="after")
    def _positive(self) -> "DelayConfig":
        if not isinstance(self.by, str) and not self.by > 0:
            raise ValueError(f"by: {self.by:g} is not a while before; give a number > 0")
        return self


def check_delays(
    delays: Mapping[str, DelayConfig],
    states: Mapping[str, StateConfig],
    parameters: Collection[str],
    taken: Collection[str],
) -> None:
    """Raises ValueError for a name that is taken, or one that is not there."""
    names = {*taken}
    for name, delay in delays.items():
        if delay.of not in states:
            known = ", ".join(states)
            raise ValueError(f"delays.{name}.of: {delay.of!r} is not a state; known: {known}")
        for key, read in delay.named().items():
            for other in sorted(read - {*parameters}):
                known = ", ".join(parameters)
                raise ValueError(
                    f"delays.{name}.{key}: it may not depend on the state {other!r}, only on "
                    f"parameters: {known}"
                    if other in states
                    else f"delays.{name}.{key}: {other!r} is not a parameter; known: {known}"
                )
        own = {name, *value_names(name, states[delay.of].shape), while_name(name)}
        for other in sorted(own & names):
            raise ValueError(
                f"delays.{name}: {other!r} is something else in the model too; rename it"
            )
        names |= own


def delay_parameters(
    delays: Mapping[str, DelayConfig], states: Mapping[str, State]
) -> dict[str, Parameter]:
    """The parameters that stand for delays: their values, then their length."""
    found = {}
    for name, delay in delays.items():
        initial = states[delay.of].initial
        for one, value in zip(value_names(name, initial.shape), initial.flat):
            found[one] = Parameter(value=float(value))
        found[while_name(name)] = Parameter(value=1.0)
    return found
