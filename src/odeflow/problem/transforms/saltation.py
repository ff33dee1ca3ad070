"""Jumps of sensitivities where something switches at a time that depends on what is varied.

Where a trajectory switches at the time tau(p), its sensitivity s = dy/dp at a given time jumps,

    s+ = D s- + (D f- + h_t - f+) dtau/dp + h_p,    dtau/dp = -(g_y s- + g_p) / (g_t + g_y f-),

with the fields f- before and f+ after, the map y+ = h(t, y-, p) with D = h_y, and the g(t, y, p)
that is zero at tau. That is one derivative, taken along the switch: S = s- + f- dtau/dp is how the
state at the switch changes, h maps it, and s+ = S+ - f+ dtau/dp.

What can change by itself, the outcomes of comparisons (`Decisions`), is remembered by a trajectory
as a further state, and an event of the model's own fires where an outcome is another. Triggers of
events see remembered outcomes, so they change with them.

References: Hiskens and Pai, IEEE Trans. Circuits Syst. I 47, 204-220 (2000); Rozenvasser,
Automation and Remote Control 10, 1650-1659 (1967).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.problem.conditions.comparisons import Info
from odeflow.problem.conditions.decisions import Decisions
from odeflow.problem.model import Model, PointFunction

#: The state that remembers: by axis the derivative of the time of the last change, then outcomes.
MEMORY = "switch_memory"
#: Scalars up to which changes at one time are told apart, each with the derivative of its own time.
_MOST_TOLD_APART = 8
#: How much derivatives of one time may differ, relative to their size, and be one.
_SAME = 1e-5


class Parts(NamedTuple):
    """The state of a model with sensitivities, taken apart.

    `along` are the sensitivities, one record of the model's states per axis; `moved` (axis,) are
    the derivatives of the time of the last change; `held` (decision,) the outcomes remembered.
    """

    state: Any
    along: tuple[Any, ...]
    moved: Any
    held: Any


#: Of a model's args record: the model's own, and their derivatives along each axis.
Seeds = Callable[[Any], tuple[Any, tuple[Any, ...]]]


@runtime_checkable
class Moves(Protocol):
    """How the time of a dose moves along each axis, of (t, args); zero where none is given then."""

    def before(self, t: Any, args: Any) -> Any:
        """Of the dose that comes next."""
        ...

    def after(self, t: Any, args: Any) -> tuple[Any, Any]:
        """Of the one that came last, and whether it is given now."""
        ...


@dataclass(frozen=True, eq=False)
class Saltation:
    """The jumps of a model's sensitivities along `axes`.

    `seeds` gives the model's parameters, and their derivatives, from those of the model with
    sensitivities; `moving` are the numbers of the parameters whose derivative may not be zero.
    `doses` says how doses move, if they do; `conditions` are those of stops, which fire as the
    triggers of events do.
    """

    model: Model
    axes: Sequence[str]
    seeds: Seeds
    moving: frozenset[int]
    doses: Moves | None = None
    conditions: tuple[PointFunction, ...] = ()

    @cached_property
    def decisions(self) -> Decisions:
        """Those of the field, of the triggers and of the conditions."""
        model = self.model
        point = lambda function: (
            lambda t, y, args: function(t, model.unflatten(y), model.Args(*args))
        )
        watched = [*(event.trigger for event in model.events), *self.conditions]
        functions = [point(model.vector_field), *map(point, watched)]
        moves: Callable[[Info], bool] = lambda info: bool(info.y or info.args & self.moving)
        tracks = [moves, *(lambda info: True for _ in watched)]
        size, parameters = len(model.components), len(model.declared.parameters)
        return Decisions(tuple(functions), tuple(tracks), size, parameters)

    def __bool__(self) -> bool:
        return bool(self.decisions.number or self.model.events)

    @property
    def watches_states(self) -> bool:
        """Whether a decision may change at a time that is not known before."""
        return any(d.info.y for ds in self.decisions.each for d in ds)

    @property
    def memory(self) -> int:
        """How many numbers are remembered."""
        return len(self.axes) + self.decisions.number

    def parts(self, y: Any) -> Parts:
        """A state of the model with sensitivities, taken apart."""
        size, y = len(self.model.declared.states), tuple(y)
        records = [
            self.model.State(*y[i : i + size]) for i in range(0, (1 + len(self.axes)) * size, size)
        ]
        memory = y[-1] if self else jnp.zeros(len(self.axes))
        number = len(self.axes)
        return Parts(records[0], tuple(records[1:]), memory[:number], memory[number:])

    def joined(self, like: Any, parts: Parts) -> Any:
        """The opposite of `parts`; `like` is a record of the result's kind."""
        flat = [*parts.state, *(x for along in parts.along for x in along)]
        if self:
            flat.append(jnp.concatenate([parts.moved, parts.held]))
        return type(like)(*(jnp.asarray(x, o.dtype) for x, o in zip(flat, like, strict=True)))

    def outcomes(self, t: Any, state: Any, args: Any) -> Any:
        """All outcomes as they are."""
        return self.decisions.outcomes(t, self.model.flatten(state), tuple(args))

    def field(self, t: Any, state: Any, args: Any, held: Any) -> Any:
        """The derivative of the state, outcomes held."""
        flat = self.decisions.evaluate(0, t, self.model.flatten(state), tuple(args), held)
        return self.model.State(*(jnp.asarray(x, o.dtype) for x, o in zip(flat, state)))

    def smooth(self, memory: Any) -> PointFunction:
        """The vector field as long as the outcomes that depend on the state are those remembered.

        Where that is not finite, beyond the side on which it means anything, it is what it is.
        """
        remembered = memory[len(self.axes) :]

        def field(t: Any, state: Any, args: Any) -> Any:
            now = self.outcomes(t, state, args)
            held = self.field(t, state, args, jnp.where(self._by_state, remembered, now))
            real = self.model.vector_field(t, state, args)
            return jax.tree.map(lambda a, b: jnp.where(jnp.isfinite(a), a, b), held, real)

        return field

    @cached_property
    def _by_state(self) -> np.ndarray:
        """Which outcomes depend on the state; all others change at times known before."""
        each = [d for decisions in self.decisions.each for d in decisions]
        return np.repeat([bool(d.info.y) for d in each], [d.size for d in each])

    def settled(self, t: Any, parts: Parts, args: Any) -> Parts:
        """After all outcomes that are others now have changed, each at a time of its own."""
        own, seeds = self.seeds(args)
        flatten, number = self.model.flatten, self.decisions.number
        state, along, moved, held = parts
        if not number:
            return parts
        new = self.outcomes(t, state, own)
        before = self.field(t, state, own, held)
        value = lambda t, y, args: self.decisions.values(t, flatten(y), tuple(args), held, new)
        zero = jax.tree.map(jnp.zeros_like, own)
        along_time = (jnp.ones_like(t), before, zero)
        (_, outcomes), (speed, _) = jax.jvp(value, (t, state, own), along_time)
        shifts = [
            jax.jvp(value, (t, state, own), (jnp.zeros_like(t), s, seed))[1][0]
            for s, seed in zip(along, seeds)
        ]
        # one that does not change by itself does with what it depends on, or at a given time
        flips, moves = new != held, (outcomes != held) & (speed != 0)
        safe = jnp.where(moves, speed, 1.0)
        times = [jnp.where(moves, -shift / safe, 0.0) for shift in shifts]
        if self._told_apart:
            along = self._one_by_one(t, parts, own, before, flips, moves, new, times)
        else:
            once = [self._common(flips & moves, x) for x in times]
            after = self.field(t, state, own, new)
            along = tuple(_shifted(s, before, after, x) for s, x in zip(along, once))
        if self.model.events or self.conditions:
            which = flips & (jnp.arange(number) >= self.decisions.spans[0].stop)
            once = jnp.stack([self._common(which & moves, x) for x in times])
            # a number that says that there is none would end the trajectory
            once = jnp.where(once == once, once, no_derivative(t))
            moved = jnp.where(jnp.any(which), once, moved)
        return Parts(state, along, moved, new)

    @property
    def _told_apart(self) -> bool:
        return self.decisions.spans[0].stop <= _MOST_TOLD_APART

    def _one_by_one(
        self,
        t: Any,
        parts: Parts,
        args: Any,
        before: Any,
        flips: Any,
        moves: Any,
        new: Any,
        times: Sequence[Any],
    ) -> tuple[Any, ...]:
        """Sensitivities after changes at one time, in the order in which they are evaluated."""
        along, held = parts.along, parts.held
        latest = [jnp.zeros_like(t) for _ in times]
        for i in range(self.decisions.spans[0].stop):
            latest = [jnp.where(flips[i] & moves[i], x[i], old) for x, old in zip(times, latest)]
            held = jnp.where(jnp.arange(len(held)) == i, new, held)
            after = self.field(t, parts.state, args, held)
            along = tuple(
                _shifted(s, before, after, jnp.where(flips[i], x, 0.0))
                for s, x in zip(along, latest)
            )
            before = after
        return along

    def _common(self, which: Any, times: Any) -> Any:
        """The derivative of the time at which several change; not a number where they differ."""
        if not which.shape[0]:
            return jnp.zeros((), times.dtype)
        low = jnp.min(jnp.where(which, times, jnp.inf))
        high = jnp.max(jnp.where(which, times, -jnp.inf))
        size = jnp.maximum(jnp.abs(low), jnp.abs(high))
        one = jnp.where(high - low <= _SAME * size, high, jnp.nan)
        return jnp.where(jnp.any(which), one, 0.0)

    # what a trajectory does

    def leave(self, t: Any, y: Any, args: Any) -> Any:
        """Before something is given at a time, which may move; what changes by itself is first."""
        parts = self.settled(t, self.parts(y), args)
        if self.doses is not None:
            parts = self.moving_time(t, parts, args, self.doses.before(t, args), 1)
        if self.model.jumping is not None:
            parts = self._mapped(self.model.jumping.leave, t, parts, args)
        return self.joined(y, parts)

    def _mapped(self, function: PointFunction, t: Any, parts: Parts, args: Any) -> Parts:
        """After the model's own map of its state."""
        own, seeds = self.seeds(args)
        mapped = lambda state, args: function(t, state, args)
        along = (
            jax.jvp(mapped, (parts.state, own), (s, seed))[1] for s, seed in zip(parts.along, seeds)
        )
        return parts._replace(state=mapped(parts.state, own), along=tuple(along))

    def arrive(self, t: Any, y: Any, args: Any) -> Any:
        """After something is given."""
        own, _ = self.seeds(args)
        parts = self.parts(y)
        held = self.outcomes(t, parts.state, own)
        # what has changed by itself, in `leave`, keeps the derivative of its own time
        changes = jnp.any(self._of_watched(held) != self._of_watched(parts.held))
        moved = jnp.zeros_like(parts.moved)
        parts = parts._replace(held=held)
        if self.doses is not None:
            moved, given = self.doses.after(t, args)
            parts = self.moving_time(t, parts, args, moved, -1)
            moved = jnp.where(given, moved, 0.0)
        return self.joined(y, parts._replace(moved=jnp.where(changes, moved, parts.moved)))

    def _of_watched(self, outcomes: Any) -> Any:
        """Those of triggers and conditions among all outcomes."""
        return outcomes[self.decisions.spans[0].stop :]

    def moving_time(self, t: Any, parts: Parts, args: Any, moved: Any, sign: int) -> Parts:
        """With the sensitivities at a moving time for those at a given one, or (-1) back."""
        slope = self.field(t, parts.state, self.seeds(args)[0], parts.held)
        shifted = lambda s, time: jax.tree.map(lambda a, b: a + sign * b * time, s, slope)
        return parts._replace(along=tuple(map(shifted, parts.along, moved)))


def _shifted(along: Any, before: Any, after: Any, time: Any) -> Any:
    """A sensitivity after a change of the field at a time with this derivative."""

    def one(s: Any, a: Any, b: Any) -> Any:
        return s + jnp.where(a == b, 0.0, (a - b) * time)

    return jax.tree.map(one, along, before, after)


def no_derivative(t: Any) -> Any:
    """Stands for a derivative that does not exist."""
    return jnp.finfo(jnp.result_type(t)).max
