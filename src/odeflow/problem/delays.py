"""Delays: what a vector field reads of states as they were a while before.

To a model, the values are parameters behind its own, and so is how long before they are: every
function of it is one of (t, y, args) as ever. In `Lanes` the former are the history, the values
before t0; an engine that knows delays puts there what was, once that is after t0.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from odeflow.files.errors import ConfigError
from odeflow.problem.formulas import formula_value

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


def delay_places(
    delays: Mapping[str, Delay],
    shapes: Mapping[str, tuple[int, ...]],
    parameters: Sequence[str],
) -> tuple[DelayPlaces, ...]:
    """Where everything is, delay by delay, among states of these shapes and the parameters."""
    sizes = [math.prod(shape) for shape in shapes.values()]
    first = dict(zip(shapes, accumulate(sizes, initial=0)))
    number = {name: i for i, name in enumerate(parameters)}
    result = []
    for name, delay in delays.items():
        values = tuple(number[one] for one in value_names(name, shapes[delay.of]))
        components = tuple(first[delay.of] + i for i in range(len(values)))
        result.append(DelayPlaces(components, values, number[while_name(name)]))
    return tuple(result)


def while_of(name: str, delay: Delay, numbers: Mapping[str, np.ndarray]) -> np.ndarray:
    """How long before a delay looks; raises ConfigError where that is not a while."""
    found = np.asarray(quantity_value(delay.by, numbers), float)
    if not (np.isfinite(found) & (found > 0)).all():
        worst = np.nanmin(found) if np.isfinite(found).any() else np.nan
        raise ConfigError(
            f"model.delays.{name}.by: a delay is longer than 0, but {delay.by} is {worst:g}; "
            "raise what it is computed of"
        )
    return found


def quantity_value(quantity: Quantity, numbers: Mapping[str, np.ndarray]) -> np.ndarray | float:
    """The value of a number, a parameter or a formula of parameters."""
    return formula_value(quantity, numbers) if isinstance(quantity, str) else quantity
