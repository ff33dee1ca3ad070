"""Crossings at which states are kept: what crosses, as an observable of the model."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp

from odeflow.config.solver import SavedEventConfig
from odeflow.importers.expressions.evaluation import evaluate
from odeflow.importers.expressions.expression import Expression
from odeflow.importers.expressions.infix import parsed
from odeflow.problem.declaration import Variable
from odeflow.problem.model import Model
from odeflow.problem.problem import SavedEvent

_DIRECTIONS = {"up": 1, "down": -1, "both": 0}


def with_crossings(model: Model, events: Mapping[str, SavedEventConfig]) -> Model:
    """A model that observes the formulas of events, too, under names that no dataset has."""
    formulas = {
        _formula_name(name): parsed(event.crossing)
        for name, event in events.items()
        if not _is_variable(model, event.crossing)
    }
    if not formulas:
        return model

    def observables(t: Any, y: Any, args: Any) -> dict[str, Any]:
        own = model.observables(t, y, args) if model.observables_function else {}
        known = {"t": t, **args._asdict(), **y._asdict(), **own}
        return own | _values(formulas, known, jnp.asarray(t).dtype)

    known = model.variables()
    variables = {name: known[name] for name in model.observable_names}
    variables |= {name: Variable() for name in formulas}
    return replace(
        model,
        declared=replace(model.declared, observables=variables),
        observables_function=observables,
        hidden=(*model.hidden, *formulas),
    )


def saved_events(
    model: Model, events: Mapping[str, SavedEventConfig], states: Iterable[str]
) -> tuple[SavedEvent, ...]:
    """The events of a model of `with_crossings`; `states` are what is kept where none are named."""
    return tuple(
        SavedEvent(
            name,
            event.crossing.strip() if _is_variable(model, event.crossing) else _formula_name(name),
            event.threshold,
            _DIRECTIONS[event.direction],
            tuple(states if event.variables is None else event.variables),
            event.most,
        )
        for name, event in events.items()
    )


def _is_variable(model: Model, crossing: str) -> bool:
    return crossing.strip() in {*model.declared.states, *model.observable_names}


def _formula_name(event: str) -> str:
    return f"crossing of {event}"


def _values(formulas: Mapping[str, Expression], known: Any, dtype: Any) -> dict[str, Any]:
    found = evaluate(formulas.items(), known, jnp, dtype)
    return {name: found[name] for name in formulas}
