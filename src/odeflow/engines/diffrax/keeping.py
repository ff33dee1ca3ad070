"""Crossings at which states are kept, in Diffrax's loop: what `ReducingSolver` carries of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from odeflow.problem.problem import Problem, SavedEvent
from odeflow.problem.step_curves import passages

#: How many there were, and what is kept of the first: (most, time and scalars).
Kept = tuple[Any, Any]


@dataclass(frozen=True)
class EventKeeper:
    """Keeps the time and the variables of one saved event; `key` is its name beside those of what
    is reduced, which have no blank.
    """

    event: SavedEvent
    width: int

    @property
    def key(self) -> str:
        """See the class."""
        return f"event {self.event.name}"

    def start(self, dtype: Any) -> Kept:
        """Nothing yet."""
        return jnp.asarray(0), jnp.full((self.event.most, self.width), jnp.nan, dtype)

    def update(
        self,
        kept: Kept,
        t: Any,
        h: Any,
        seen: Sequence[Mapping[str, Any]],
        at: Callable[[Any], Mapping[str, Any]],
    ) -> Kept:
        """After a step of length h from t; `seen` are variables at its nodes, `at` gives them at
        a time in it.
        """
        event, (count, rows) = self.event, kept
        values = [variables[event.crosses] for variables in seen]
        for found, place in passages(values, event.threshold, event.direction):
            time = t + h * (0.5 + 0.5 * place)
            here = at(time)
            row = jnp.concatenate(
                [time[None], *(jnp.ravel(here[name]) for name in event.variables)]
            )
            # beyond the last row nothing is written
            index = jnp.where(found, count, event.most)
            rows = rows.at[index].set(row, mode="drop")
            count = count + found
        return count, rows


def keepers(problem: Problem) -> tuple[EventKeeper, ...]:
    """One for each of a problem's saved events."""
    return tuple(EventKeeper(event, problem.event_width(event)) for event in problem.events)


def observed_names(problem: Problem, reduced: Sequence[str]) -> tuple[str, ...]:
    """The variables that are looked at in every step."""
    named = [name for event in problem.events for name in (event.crosses, *event.variables)]
    return tuple(dict.fromkeys([*reduced, *named]))
