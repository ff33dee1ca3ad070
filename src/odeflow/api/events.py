"""Diffrax's `Event`: conditions that end a trajectory, as guards of the engines."""

from collections.abc import Callable
from typing import Any

import diffrax
import jax
import jax.numpy as jnp

from odeflow.api.refusal import NoCounterpartError
from odeflow.problem.problem import Guard

#: A function of (t, y, args), on the caller's own pytrees.
PointFunction = Callable[[Any, Any, Any], Any]


def condition_of(event: Any) -> tuple[Callable[..., Any], bool | None, bool] | None:
    """The condition of an event, its direction, and whether its time is found within a step."""
    if event is None:
        return None
    if not isinstance(event, diffrax.Event):
        raise TypeError(f"event: a diffrax.Event is needed, found {type(event).__name__}")
    conditions = jax.tree.leaves(event.cond_fn, is_leaf=callable)
    if len(conditions) != 1:
        raise NoCounterpartError(
            f"Event(cond_fn=...) with {len(conditions)} conditions",
            "combine them into one: which of them ended a trajectory is not recorded",
        )
    (direction,) = jax.tree.leaves(event.direction, is_leaf=lambda x: x is None)
    return conditions[0], direction, event.root_finder is not None


def guards_of(
    condition: PointFunction, direction: bool | None, inside: bool, example: tuple[Any, Any, Any]
) -> tuple[Guard, ...]:
    """Guards that fire where a condition ends a trajectory under Diffrax.

    A boolean is looked at after steps, and at t0. A number ends a trajectory where it changes
    sign: at that time itself if a root finder is given, else at the end of the step. Raises
    TypeError where the condition gives anything else.
    """
    found = jax.eval_shape(condition, *example)
    kinds: tuple[Any, ...] = (jnp.bool_, jnp.floating)
    is_scalar = isinstance(found, jax.ShapeDtypeStruct) and found.shape == ()
    if not is_scalar or not any(jnp.issubdtype(found.dtype, kind) for kind in kinds):
        raise TypeError("Event(cond_fn=...): it has to return one boolean or floating-point number")
    if jnp.issubdtype(found.dtype, jnp.bool_):
        return (Guard(condition, initial=False, inside=False, located=False),)
    above = Guard(lambda t, y, args: condition(t, y, args) > 0, inside=inside, located=inside)
    below = Guard(lambda t, y, args: condition(t, y, args) < 0, inside=inside, located=inside)
    if direction is None:
        return above, below
    if direction:
        return (above,)
    # as Diffrax has it, from above zero to zero or below
    return (Guard(lambda t, y, args: condition(t, y, args) <= 0, inside=inside, located=inside),)
