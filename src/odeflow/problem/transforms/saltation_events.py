"""The events and stops of a model with sensitivities, whose derivatives jump as `saltation` says.

What is watched are the outcomes of comparisons: an event fires where one is another, and the
model's own events and stops see those remembered.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from odeflow.problem.model import Event, PointFunction
from odeflow.problem.transforms.saltation import Parts, Saltation, no_derivative


@dataclass(frozen=True, eq=False)
class SaltationEvents:
    """What fires in a model with sensitivities, and what it does to them; `jumps` are its jumps."""

    jumps: Saltation

    def events(self) -> tuple[Event, ...]:
        """The events of the model with sensitivities: changes of outcomes, then the model's own."""
        watch = Event(self._changes, self._assigned, initial=True, uses_trigger_values=False)
        is_needed = self.jumps.watches_states or self.jumps.model.events or self.jumps.conditions
        watching = (watch,) if is_needed else ()
        own = (self._event(i, event) for i, event in enumerate(self.jumps.model.events))
        return (*watching, *own)

    def _changes(self, t: Any, y: Any, args: Any) -> Any:
        own, _ = self.jumps.seeds(args)
        parts = self.jumps.parts(y)
        # never equal, so that it does not matter which side a tie belongs to
        return jnp.any(jnp.abs(self.jumps.outcomes(t, parts.state, own) - parts.held) > 0.5)

    def _assigned(self, t: Any, y: Any, args: Any) -> Mapping[str, Any]:
        return self.jumps.joined(y, self.jumps.settled(t, self.jumps.parts(y), args))._asdict()

    def stops(self) -> tuple[PointFunction, ...]:
        """The conditions in the model with sensitivities: they change with what is remembered."""
        first = 1 + len(self.jumps.model.events)
        return tuple(self._remembered(first + i) for i in range(len(self.jumps.conditions)))

    def _remembered(self, number: int) -> PointFunction:
        """One of the functions that are watched, its outcomes held."""

        def holds(t: Any, y: Any, args: Any) -> Any:
            parts, known = self.jumps.parts(y), self.jumps.seeds(args)[0]
            point = t, self.jumps.model.flatten(parts.state), tuple(known)
            (outcome,) = self.jumps.decisions.evaluate(number, *point, parts.held)
            return outcome

        return holds

    def _event(self, number: int, event: Event) -> Event:
        def own(function: Callable[..., Any]) -> Callable[..., Any]:
            return lambda t, y, args: function(
                t, self.jumps.parts(y).state, self.jumps.seeds(args)[0]
            )

        def fired(t: Any, y: Any, args: Any) -> dict[str, Any]:
            return self._fired(event, t, self.jumps.parts(y), args)

        def placed(t: Any, y: Any, args: Any, kept: Mapping[str, Any]) -> Mapping[str, Any]:
            return self.jumps.joined(
                y, self._happened(event, t, self.jumps.parts(y), args, kept)
            )._asdict()

        return replace(
            event,
            trigger=self._remembered(1 + number),
            assignments=fired,
            delay=event.delay and own(event.delay),
            priority=event.priority and own(event.priority),
            uses_trigger_values=True,
            place=placed,
        )

    def _along(
        self, function: Callable[..., Any], t: Any, parts: Parts, args: Any, moved: Any
    ) -> tuple[Any, list[Any]]:
        """A function of (t, state, args), and its derivatives along the axes at a moving time."""
        own, seeds = self.jumps.seeds(args)
        value = function(t, parts.state, own)
        return value, [
            jax.jvp(function, (t, parts.state, own), (time, along, seed))[1]
            for time, along, seed in zip(moved, parts.along, seeds)
        ]

    def _fired(self, event: Event, t: Any, parts: Parts, args: Any) -> dict[str, Any]:
        """What is kept of an event until it happens: the derivatives of its time, and values."""
        moved = jnp.where(parts.moved == no_derivative(t), jnp.nan, parts.moved)
        parts = parts._replace(moved=moved)
        at = self.jumps.moving_time(t, parts, args, moved, 1)
        if event.delay is not None:
            delay = lambda *x: jnp.asarray(event.delay(*x), t.dtype)  # type: ignore[misc]
            _, more = self._along(delay, t, at, args, parts.moved)
            moved = moved + jnp.stack(more)
        kept = {"moved": moved}
        if event.uses_trigger_values:
            values, derivatives = self._along(_real(event.assignments, t), t, at, args, parts.moved)
            for name, value in values.items():
                kept[f"value_{name}"] = value
                kept |= {f"along{i}_{name}": d[name] for i, d in enumerate(derivatives)}
        return kept

    def _happened(
        self, event: Event, t: Any, parts: Parts, args: Any, kept: Mapping[str, Any]
    ) -> Parts:
        """State and sensitivities after an event; outcomes are those that hold then."""
        parts = self.jumps.settled(t, parts, args)
        moved = kept["moved"]
        at = self.jumps.moving_time(t, parts, args, moved, 1)
        if event.uses_trigger_values:
            names = [name.removeprefix("value_") for name in kept if name.startswith("value_")]
            values = {name: kept[f"value_{name}"] for name in names}
            derivatives = [
                {name: kept[f"along{i}_{name}"] for name in names}
                for i in range(len(self.jumps.axes))
            ]
        else:
            values, derivatives = self._along(_real(event.assignments, t), t, at, args, moved)
        if event.place is not None:
            place = _real(event.place, t)
            own, seeds = self.jumps.seeds(args)
            point = (t, parts.state, own, values)
            derivatives = [
                jax.jvp(place, point, (time, along, seed, derivative))[1]
                for time, along, seed, derivative in zip(moved, at.along, seeds, derivatives)
            ]
            values = place(*point)
        state = _replaced(parts.state, values)
        along = tuple(_replaced(s, d) for s, d in zip(at.along, derivatives))
        held = self.jumps.outcomes(t, state, self.jumps.seeds(args)[0])
        after = Parts(state, along, moved, held)
        return self.jumps.moving_time(t, after, args, moved, -1)


def _real(function: Callable[..., Any], t: Any) -> Callable[..., Any]:
    """A function that gives values by name, as floating-point numbers."""
    return lambda *x: {k: jnp.asarray(v, t.dtype) for k, v in function(*x).items()}


def _replaced(record: Any, values: Mapping[str, Any]) -> Any:
    """A record with new values, in the shape and type of the old ones."""
    old = record._asdict()
    shaped = lambda n, v: jnp.broadcast_to(jnp.asarray(v, old[n].dtype), old[n].shape)
    return record._replace(**{n: shaped(n, v) for n, v in values.items()})
