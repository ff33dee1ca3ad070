"""Switching times that move with what events assign: a step ends there, and the next one begins.

An event may give a value such as the time of the last dose to a state whose derivative is zero, and
the field compare time with it: `t < y.last + 5`. Between events that is a comparison of time alone,
at a time that nobody knows beforehand. So each such comparison becomes a pair of events that change
nothing: one that fires where it becomes true, one where it becomes false.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from odeflow.problem.conditions.comparisons import Crossing, Degree, crossings, held_components
from odeflow.problem.model import Event, Model

#: Where the steps begin of what crosses such levels.
_SHIFTS = {"zero": 0.0, "integers": 0.0, "halves": 0.5}


def with_pauses(model: Model) -> tuple[Model, list[str]]:
    """The model with a pair of events for each comparison of time with what only events change.

    Beside it the lines of these comparisons.
    """
    if not model.events:
        return model, []
    field = lambda t, y, args: model.flat_vector_field(t, y, args)
    scalar = jax.ShapeDtypeStruct((), jnp.result_type(float))
    shapes = [scalar] * len(model.components), [scalar] * len(model.declared.parameters)
    found = [
        (number, crossing)
        for number, crossing in enumerate(crossings(field, scalar, *shapes, evaluate=False))
        if crossing.info.y and crossing.info.degree > Degree.steps
    ]
    held = held_components(model) if found else frozenset()
    found = [(n, c) for n, c in found if c.info.y <= held and c.levels in _SHIFTS]
    events = [event for n, c in found for event in _events(model, field, n, c)]
    lines = list(dict.fromkeys(crossing.where for _, crossing in found))
    return replace(model, events=(*model.events, *events)), lines


def _events(
    model: Model, field: Callable[..., Any], number: int, crossing: Crossing
) -> Sequence[Event]:
    """Those of the crossing of this number, a pair for each of its elements."""
    shift = _SHIFTS[crossing.levels]

    def values(t: Any, y: Any, args: Any) -> Any:
        value = crossings(field, t, model.flatten(y), list(args))[number].value
        if crossing.levels != "zero":
            # which of two neighbouring steps it is
            value = jnp.mod(jnp.floor(value - shift), 2.0) - 0.5
        return jnp.ravel(value)

    nothing = lambda t, y, args: {}
    event = lambda trigger: Event(trigger, nothing, uses_trigger_values=False, persistent=False)
    return [
        event(lambda *point, i=i, above=above: (values(*point)[i] >= 0) == above)
        for i in range(jax.eval_shape(values, *model.example()).size)
        for above in (True, False)
    ]
