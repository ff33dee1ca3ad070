"""Guards and events while solving: what a lane remembers of them, and what it does where one fires.

Written in JAX for one lane: the Diffrax engine calls it, the native engine translates it.

Reference: SBML Level 3 Version 2 Core, section 4.11.
"""

from collections.abc import Mapping
from enum import IntEnum
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from odeflow.engines.shared.pending_events import SEED, PendingEvents
from odeflow.engines.shared.stop_values import stop_shapes
from odeflow.problem.conditions.compared import Kind, compared, just_after, kinds, where_equal
from odeflow.problem.conditions.comparisons import crossings, held_components
from odeflow.problem.problem import Problem

#: Rounds at one time after which events set each other off without end.
MOST_ROUNDS = 10_000
#: What a lane remembers, by name: arrays of floating-point numbers.
#: `guard` (guard,): 1 where the guard counts as true, 2 where it holds only here and has to become
#: false right after. `found` (guard,): where the search in a step has ended here, whether it found
#: that the guard holds, 1 or -1, else 0: what is compared there is equal but for rounding, which
#: may be another in the next look. `pending` (): how many jumps are to come, where a guard asks.
#: With events, `next_due` (): when the next event is due; `draw` (): the last number drawn;
#: `landed` (): the time of the last firing in a step, `crowd` (): how many there were one after
#: another at that time; and of event i `due<i>` (pending,): when each time that it has fired is
#: due, the earliest to fire first, infinite where nothing is pending; `values<i>` (pending, value):
#: what each of them assigns, where it has been computed. `at_stop` (number,): what the model says
#: where a stop has fired, see `Problem.at_stop`.
Memory = Mapping[str, Float[Array, "..."]]


class RoundOutcome(IntEnum):
    """What a round of events has come to."""

    nothing = 0
    event = 1
    stop = 2
    failure = 3


class Watch:
    """The guards and events of one problem as functions of a lane's (t, y, args) and memory."""

    def __init__(self, problem: Problem) -> None:
        self._problem, self._model = problem, problem.model
        self._stops = len(problem.stops)
        self._pending = PendingEvents(self._model, problem.dtype)
        self._delayed = [(i, e) for i, e in enumerate(self._model.events) if e.delay is not None]
        self._at_stop = stop_shapes(problem)
        self._counts_jumps = problem.jumps is not None and any(s.after_all for s in problem.stops)

    def __bool__(self) -> bool:
        return bool(self._problem.guards)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the memory, by name."""
        guards = (len(self._problem.guards),)
        shapes: dict[str, tuple[int, ...]] = {"guard": guards, "found": guards}
        if self._counts_jumps:
            shapes["pending"] = ()
        if self._at_stop:
            shapes["at_stop"] = (sum(int(np.prod(x)) for x in self._at_stop.values()),)
        return shapes | self._pending.shapes()

    def start(self, t: Any, y: Any, args: Any, counted: Any = None) -> Memory:
        """The memory of a trajectory before its t0; `counted` is what guards count as there, as
        the state at t0 says unless it is given.
        """
        dtype = jnp.result_type(t)
        if counted is None:
            now = self._holds(t, y, args, {})
            initial = [guard.initial for guard in self._problem.guards]
            counted = [now[i] if x is not False else jnp.asarray(x) for i, x in enumerate(initial)]
            counted = jnp.stack(counted)
        fill = {"draw": SEED, "next_due": jnp.inf, "landed": -jnp.inf}
        memory = {
            name: jnp.full(shape, fill.get(name, jnp.inf if name.startswith("due") else 0.0), dtype)
            for name, shape in self.shapes().items()
        }
        return memory | {"guard": counted.astype(dtype)}

    def _holds(self, t: Any, y: Any, args: Any, memory: Memory) -> Bool[Array, " guard"]:
        holds = []
        for guard in self._problem.guards:
            condition = jnp.asarray(guard.condition(t, y, args), bool)
            if guard.after_all and "pending" in memory:
                condition &= memory["pending"] == 0
            if guard.after_all and "next_due" in memory:
                condition &= memory["next_due"] == jnp.inf
            holds.append(condition)
        return jnp.stack(holds)

    def compared(self, t: Any, y: Any, args: Any, memory: Memory) -> tuple[Any, Any]:
        """Both sides of the comparisons of which it depends inside of a step what fires."""
        due = memory.get("next_due", jnp.zeros_like(t))
        return compared(self._looked_at, (t, y), (args, due), self._still)

    def _looked_at(self, t: Any, y: Any, args: Any, next_due: Any) -> list[Any]:
        guards = [guard for guard in self._problem.guards if guard.inside]
        conditions = [guard.condition(t, y, args) for guard in guards]
        return [*conditions, t >= next_due] if self._delayed else conditions

    @cached_property
    def smooth(self) -> Bool[np.ndarray, " comparison"]:
        """Which of what they compare is smooth; the rest changes in steps."""
        return np.array([kind.smooth for kind in self._kinds for _ in range(kind.number)], bool)

    @cached_property
    def equal(self) -> Bool[np.ndarray, " comparison"]:
        """The comparisons that ask whether numbers are equal."""
        return np.array([kind.equal for kind in self._kinds for _ in range(kind.number)], bool)

    @cached_property
    def _asks_if_equal(self) -> Bool[np.ndarray, " guard"]:
        """Which guards test whether changing numbers are equal."""
        t, y, args = self._model.example(self._problem.dtype)
        conditions = [guard.condition for guard in self._problem.guards]
        found = [kinds(condition, (t, y), (args,), self._still) for condition in conditions]
        return np.array([any(kind.equal for kind in one) for one in found], bool)

    @cached_property
    def _kinds(self) -> list[Kind]:
        t, y, args = self._model.example(self._problem.dtype)
        return kinds(self._looked_at, (t, y), (args, jnp.zeros_like(t)), self._still)

    @cached_property
    def _still(self) -> list[bool]:
        """That time moves, and which states do not, between jumps and events."""
        model = self._model
        held = held_components(model)
        moving = {c.state for i, c in enumerate(model.components) if i not in held}
        return [False, *(name not in moving for name in model.declared.states)]

    @property
    def number_of_comparisons(self) -> int:
        """How many of them there are."""
        return len(self.smooth)

    def fires(self, t: Any, y: Any, args: Any, memory: Memory, met: Any = None) -> tuple[Any, Any]:
        """Whether anything has to happen at (t, y), and which guards hold there.

        `met` (comparison,) are numbers that are equal there, though they may not round to it.

        That is so where a guard has become true, or has not become false though it should; where an
        event is due, or one that waits is to be forgotten since its trigger is false again.
        """
        now = self._holds(t, y, args, memory)
        if met is not None:
            now = self._where_met(t, y, args, memory, now, met)
        fires = jnp.any(now & (memory["guard"] != 1))
        if self._delayed:
            fires |= t >= memory["next_due"]
        for i, event in self._delayed:
            if not event.persistent:
                fires |= ~now[self._stops + i] & (memory[f"due{i}"][0] < jnp.inf)
        return fires, now

    def at_start(self, t: Any, y: Any, args: Any, memory: Memory) -> Any:
        """What guards count as at the start of a step: of those that held at its time only, that
        they do no more.
        """
        guard = memory["guard"]
        if not self.equal.any():
            return guard
        passed = ~self._holds(t, y, args, memory) & self._asks_if_equal
        return jnp.where(passed, 0.0, guard).astype(guard.dtype)

    def _where_met(
        self, t: Any, y: Any, args: Any, memory: Memory, now: Any, met: Any
    ) -> Bool[Array, " guard"]:
        due = memory.get("next_due", jnp.zeros_like(t))
        found = iter(where_equal(self._looked_at, (t, y), (args, due), self._still, met))
        guards = self._problem.guards
        return jnp.stack(
            [
                jnp.asarray(next(found), bool) if guard.inside else now[i]
                for i, guard in enumerate(guards)
            ]
        )

    def round(self, t: Any, y: Any, args: Any, memory: Memory) -> tuple[Any, Memory, Any]:
        """State, memory and outcome after the guards that have become true at (t, y) have fired
        and of all events that are due one, of highest priority, has happened.

        Nothing happens any more where a stop fires, or where events fail: one has fired more often
        than can be kept, its delay is negative or not a number, or it fires again before time
        passes, or before what it has assigned makes its trigger false.
        """
        dtype = jnp.result_type(t)
        found = memory["found"]
        now = jnp.where(found == 0, self._holds(t, y, args, memory), found > 0)
        rises = now & (memory["guard"] == 0)
        stopped = jnp.any(rises[: self._stops])
        memory, failed = dict(memory), jnp.asarray(False)
        if self._at_stop and self._model.stopping is not None:
            fired = rises[: self._stops]
            said = self._model.stopping.values(t, y, args, fired)
            flat = jnp.concatenate([jnp.ravel(said[name]).astype(dtype) for name in self._at_stop])
            memory["at_stop"] = jnp.where(stopped, flat, memory["at_stop"])
        if self._model.events:
            failed = jnp.any((found > 0) & (memory["guard"] == 2))
            failed |= self._pending.crowded(t, jnp.any(found != 0), memory)
        for i, event in enumerate(self._model.events):
            guard = self._stops + i
            failed |= self._pending.fire(i, event, rises[guard], now[guard], (t, y, args), memory)
        memory["guard"] = jnp.where(now & self._leaves(t, y, args), 2.0, now).astype(dtype)
        happens, new = jnp.asarray(False), y
        chosen = self._pending.chosen(t, y, args, memory)
        for i, event in enumerate(self._model.events):
            this = chosen[i] & ~stopped & ~failed
            assigned = self._pending.happen(i, event, this, (t, y, args), memory)
            changed = {k: jnp.where(this, v, getattr(new, k)) for k, v in assigned.items()}
            new, happens = new._replace(**changed), happens | this
        if self._model.events and self._model.algebraic is not None:
            restored = self._model.algebraic.restored(t, new, args)
            new = jax.tree.map(lambda x, old: jnp.where(happens, x, old), restored, new)
        if self._model.events:
            # what has been found holds as long as what is compared does not change
            here, there = self._own(t, y, args), self._own(t, new, args)
            same = [jnp.all(a == b) for a, b in zip(here, there, strict=True)]
            memory["found"] = jnp.where(happens & jnp.stack(same), found, 0.0)
            due = [jnp.min(memory[f"due{i}"]) for i in range(len(self._model.events))]
            memory["next_due"] = jnp.min(jnp.stack(due))
        outcome = jnp.where(happens, float(RoundOutcome.event), float(RoundOutcome.nothing))
        outcome = jnp.where(failed, float(RoundOutcome.failure), outcome)
        return new, memory, jnp.where(stopped, float(RoundOutcome.stop), outcome)

    def _leaves(self, t: Any, y: Any, args: Any) -> Bool[Array, " guard"]:
        """Which guards hold only here, and not right after: of events that give new values to
        states which their triggers compare, and so may be set to where these change.
        """
        leaves = [jnp.asarray(False)] * len(self._problem.guards)
        for i in self._returning:
            trigger = self._model.events[i].trigger
            rates = jnp.ones_like(t), self._model.rates(t, y, args)
            leaves[self._stops + i] = ~just_after(trigger, (t, y), rates, (args,))
        return jnp.stack(leaves)

    @cached_property
    def _returning(self) -> list[int]:
        """Numbers of the events that assign to states which their own trigger compares."""
        model, found = self._model, []
        t, y, args = model.example(self._problem.dtype)
        for i, event in enumerate(model.events):
            names = jax.eval_shape(lambda *x, e=event: model.assigned(e, *x), t, y, args)
            own = {n for n, component in enumerate(model.components) if component.state in names}
            trigger = lambda t, y, args, e=event: e.trigger(
                t, model.unflatten(y), model.Args(*args)
            )
            read = crossings(trigger, t, model.flatten(y), list(args), evaluate=False)
            if any(own & crossing.info.y for crossing in read):
                found.append(i)
        return found

    def _own(self, t: Any, y: Any, args: Any) -> list[Any]:
        """What each guard compares, one side less the other."""
        guards = [guard.condition for guard in self._problem.guards]
        sides = [compared(condition, (t, y), (args,)) for condition in guards]
        return [left - right for left, right in sides]


def counted_before(
    problem: Problem,
    y0: Float[np.ndarray, "component lane"],
    args: Float[np.ndarray, "parameter lane"],
) -> Float[np.ndarray, "guard lane"]:
    """What guards count as in trajectories with this state and these parameters before t0.

    So a jump at t0 may let one of them fire there, as it would at any other time.
    """
    model, watch = problem.model, Watch(problem)
    t = jnp.asarray(model.declared.t0, problem.dtype)

    def counted(y: Any, args: Any) -> Any:
        return watch.start(t, model.unflatten(tuple(y)), model.Args(*args))["guard"]

    found = jax.jit(jax.vmap(counted, in_axes=1, out_axes=1))
    return np.asarray(found(y0.astype(problem.dtype), args.astype(problem.dtype)))
