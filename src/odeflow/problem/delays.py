"""Delays: what a vector field reads of states as they were a while before.

To a model, the values are parameters behind its own, and so is how long before they are: every
function of it is one of (t, y, args) as ever. In `Lanes` the former are the history, the values
before t0; an engine that knows delays puts there what was, once that is after t0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from odeflow.files.errors import ConfigError
from odeflow.problem.formulas import formula_value

if TYPE_CHECKING:
    from odeflow.problem.declaration import Declaration
    from odeflow.problem.problem import Lanes

#: Families of methods that can be taken with delays.
WITH_DELAYS = ("explicit", "rosenbrock")
#: A number, the name of a parameter, or a formula of these.
Quantity = float | str


@dataclass(frozen=True)
class Delay:
    """The state `of` as it was `by` before; `history` is that before t0, None: as at t0."""

    of: str
    by: Quantity
    history: Quantity | None = None


class DelayPlaces(NamedTuple):
    """By number: components of the state, the parameters that have their values of a while before,
    and the parameter that is that while.
    """

    components: tuple[int, ...]
    values: tuple[int, ...]
    by: int


def value_names(name: str, shape: Sequence[int]) -> list[str]:
    """The parameters that have the values of a delay of a state of this shape."""
    if not shape:
        return [name]
    return ["_".join([name, *map(str, index)]) for index in np.ndindex(*shape)]


def while_name(name: str) -> str:
    """The parameter that is how long before a delay looks."""
    return f"{name}_delay"


def delay_places(declared: Declaration) -> tuple[DelayPlaces, ...]:
    """Where everything is, delay by delay."""
    parameters, first, start = list(declared.parameters), {}, 0
    for name, state in declared.states.items():
        first[name] = start
        start += state.initial.size
    result = []
    for name, delay in declared.delays.items():
        shape = declared.states[delay.of].shape
        values = tuple(parameters.index(one) for one in value_names(name, shape))
        components = tuple(first[delay.of] + i for i in range(len(values)))
        result.append(DelayPlaces(components, values, parameters.index(while_name(name))))
    return tuple(result)


def with_history(declared: Declaration, lanes: Lanes) -> Lanes:
    """Lanes whose parameters have the history and the length of each delay.

    Raises ConfigError for a length that is not positive.
    """
    if not declared.delays:
        return lanes
    args = np.array(lanes.args, float)
    numbers = dict(zip(declared.parameters, lanes.args))
    for (name, delay), places in zip(declared.delays.items(), delay_places(declared)):
        args[places.by] = while_of(name, delay, numbers)
        for component, value in zip(places.components, places.values):
            args[value] = (
                lanes.y0[component] if delay.history is None else _number(delay.history, numbers)
            )
    return replace(lanes, args=args)


def while_of(name: str, delay: Delay, numbers: Mapping[str, np.ndarray]) -> np.ndarray:
    """How long before a delay looks; raises ConfigError where that is not a while."""
    found = np.asarray(_number(delay.by, numbers), float)
    if not (np.isfinite(found) & (found > 0)).all():
        worst = np.nanmin(found) if np.isfinite(found).any() else np.nan
        raise ConfigError(
            f"model.delays.{name}.by: a delay is longer than 0, but {delay.by} is {worst:g}; "
            "raise what it is computed of"
        )
    return found


def _number(quantity: Quantity, numbers: Mapping[str, np.ndarray]) -> np.ndarray | float:
    return formula_value(quantity, numbers) if isinstance(quantity, str) else quantity
