"""Checks of `saveat.events`: formulas, names of variables, names in the dataset."""

from odeflow.config.root import Config
from odeflow.config.validate import nearest
from odeflow.files.errors import ConfigError
from odeflow.importers.expressions.expression import names
from odeflow.importers.expressions.infix import parsed


def check_saved_events(config: Config) -> None:
    """Raises ConfigError, one line, for an event that could not be found or not be named."""
    model, taken = config.model, {}
    states, observables = model.states, model.observables
    scalars = [name for name, state in states.items() if not state.shape]
    declared = observables.variables if observables else {}
    is_open = observables is not None and not declared  # names are known when it is loaded
    for name in (*states, *declared, *model.parameters):
        taken[name] = "something in the model"
    for event, asked in config.saveat.events.items():
        key = f"saveat.events.{event}"
        try:
            formula = parsed(asked.crossing)
        except ValueError as error:
            raise ConfigError(f"{key}.crossing: {error}") from None
        known = [*scalars, *declared, *model.parameters, "t"]
        for name in names(formula):
            if name in states and states[name].shape:
                raise ConfigError(f"{key}.crossing: {name} is an array; what crosses is a number")
            if name not in known and not is_open:
                raise ConfigError(
                    f"{key}.crossing: {name!r} is not a scalar state, an observable, a parameter "
                    f"or t{nearest(name, known)}"
                )
        kept = list(states) if asked.variables is None else asked.variables
        for name in kept:
            if name not in states and name not in declared and not is_open:
                raise ConfigError(
                    f"{key}.variables: {name!r} is not a state or observable"
                    f"{nearest(name, [*states, *declared])}"
                )
        for ending in ("", "_count", "_not_kept", "_time", *(f"_{name}" for name in kept)):
            name = event + ending
            if name in taken:
                raise ConfigError(
                    f"{key}: the dataset would call something of it {name}, as {taken[name]} is; "
                    "rename the event"
                )
            taken[name] = f"something of the event {event}"
