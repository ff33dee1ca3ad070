"""Events that have fired and not happened yet: what a lane remembers of each, and which is next.

Reference: SBML Level 3 Version 2 Core, section 4.11.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.problem.model import Event, Model

#: How often one event may have fired without having happened yet. One that is not persistent
#: never waits twice, since its trigger has to become false in between.
MOST_PENDING = 16
#: Firings one after another between which time does not pass, after which they are without end.
MOST_AT_ONE_TIME = 100
#: A Lehmer generator whose numbers are exact in float32 too, one of the three of Wichmann and
#: Hill, Appl. Stat. 31, 188-190 (1982).
_MULTIPLIER, _MODULUS, SEED = 171.0, 30269.0, 12345.0


class PendingEvents:
    """The events of a model as functions that change a lane's memory, see `watch.Memory`."""

    def __init__(self, model: Model, dtype: Any) -> None:
        self._model, self._dtype = model, dtype
        self._values = [self._shapes(event) for event in model.events]

    def _shapes(self, event: Event) -> dict[str, tuple[int, ...]]:
        """Shapes of what an event remembers from when it fires."""
        if not event.uses_trigger_values:
            return {}
        point = self._model.example(self._dtype)
        values = jax.eval_shape(
            lambda *x: {k: jnp.asarray(v) for k, v in event.assignments(*x).items()}, *point
        )
        return {name: values[name].shape for name in sorted(values)}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of what is remembered of them, by name."""
        shapes: dict[str, tuple[int, ...]] = {}
        if self._model.events:
            shapes |= {"next_due": (), "draw": (), "landed": (), "crowd": ()}
        for i, (event, values) in enumerate(zip(self._model.events, self._values)):
            pending = MOST_PENDING if event.persistent else 1
            shapes[f"due{i}"] = (pending,)
            size = sum(int(np.prod(shape)) for shape in values.values())
            if size:
                shapes[f"values{i}"] = (pending, size)
        return shapes

    def crowded(self, t: Any, lands: Any, memory: dict[str, Any]) -> Any:
        """Whether firings in steps follow each other so closely that time does not pass."""
        again = jnp.where(t > memory["landed"], 0.0, memory["crowd"] + 1)
        # more rounds at a landing are no further ones
        memory["crowd"] = jnp.where(lands, again, memory["crowd"])
        memory["landed"] = jnp.where(lands, t, memory["landed"])
        return memory["crowd"] > MOST_AT_ONE_TIME

    def fire(
        self, i: int, event: Event, rises: Any, holds: Any, here: Any, memory: dict[str, Any]
    ) -> Any:
        """Puts an event whose trigger has become true among those pending; whether that fails."""
        due = memory[f"due{i}"]
        if not event.persistent:
            due = jnp.where(holds, due, jnp.inf)
        free = due == jnp.inf
        # those pending come first
        place = rises & free & ~jnp.concatenate([jnp.zeros(1, bool), free[:-1]])
        delay = jnp.zeros_like(here[0])
        failed = rises & ~jnp.any(free)
        if event.delay is not None:
            delay = jnp.asarray(event.delay(*here), delay.dtype)
            failed |= rises & ~(delay >= 0)
        memory[f"due{i}"] = jnp.where(place, here[0] + delay, due)
        if f"values{i}" in memory:
            values = event.assignments(*here)
            parts = [
                jnp.ravel(jnp.broadcast_to(jnp.asarray(values[name], delay.dtype), shape))
                for name, shape in self._values[i].items()
            ]
            old = memory[f"values{i}"]
            memory[f"values{i}"] = jnp.where(place[:, None], jnp.concatenate(parts)[None], old)
        return failed

    def chosen(self, t: Any, y: Any, args: Any, memory: dict[str, Any]) -> list[Any]:
        """Which event is the next to happen, if any is due.

        Of those with a priority the one with the highest, and of equals one at random; after them
        those without, in their order. The numbers that decide are the same in each trajectory.
        """
        events = self._model.events
        ready = [jnp.min(memory[f"due{i}"]) <= t for i in range(len(events))]
        chosen = [jnp.asarray(False)] * len(events)
        taken = jnp.asarray(False)
        ranked = [i for i, event in enumerate(events) if event.priority is not None]
        if ranked:
            given = [jnp.asarray(events[i].priority(t, y, args), t.dtype) for i in ranked]  # type: ignore[misc]
            lowest = jnp.asarray(-jnp.inf, t.dtype)
            priority = [jnp.where(ready[i] & (p == p), p, lowest) for i, p in zip(ranked, given)]
            best = jnp.max(jnp.stack(priority))
            equal = [ready[i] & (p == best) for i, p in zip(ranked, priority)]
            number = sum(jnp.where(x, 1.0, 0.0) for x in equal)
            draw = memory["draw"]
            drawn = jnp.floor(draw / _MODULUS * number)
            before = jnp.zeros_like(t)
            for i, one in zip(ranked, equal):
                chosen[i] = one & (before == drawn)
                before = before + jnp.where(one, 1.0, 0.0)
                taken |= one
            product = _MULTIPLIER * draw
            following = product - jnp.floor(product / _MODULUS) * _MODULUS
            memory["draw"] = jnp.where(number > 1, following, draw)
        for i, event in enumerate(events):
            if event.priority is None:
                chosen[i] = ready[i] & ~taken
                taken |= ready[i]
        return chosen

    def happen(
        self, i: int, event: Event, happens: Any, here: Any, memory: dict[str, Any]
    ) -> Mapping[str, Any]:
        """What an event gives states, as one that is pending; it is pending no more."""
        t, y, args = here
        due = memory[f"due{i}"]
        first = due == jnp.min(due)
        later = jnp.cumsum(first.astype(t.dtype)) > 0  # from the first of those due next
        first &= ~jnp.concatenate([jnp.zeros(1, bool), later[:-1]])
        end = jnp.full((1,), jnp.inf, t.dtype)
        memory[f"due{i}"] = jnp.where(happens & later, jnp.concatenate([due[1:], end]), due)
        if f"values{i}" not in memory:
            return self._model.assigned(event, t, y, args)
        kept = memory[f"values{i}"]
        flat = jnp.sum(jnp.where(first[:, None], kept, 0.0), axis=0)
        shifted = jnp.concatenate([kept[1:], kept[:1]])
        memory[f"values{i}"] = jnp.where((happens & later)[:, None], shifted, kept)
        values, start = {}, 0
        for name, shape in self._values[i].items():
            size = int(np.prod(shape))
            values[name] = flat[start : start + size].reshape(shape)
            start += size
        return self._model.assigned(event, t, y, args, values)
