"""Guards and events while solving: what a lane remembers of them, and what happens where they fire.

Written in JAX for one lane: the Diffrax engine calls it, the native engine translates it.

Reference: SBML Level 3 Version 2 Core, section 4.11.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from odeflow.problem.conditions.compared import Kind, compared, just_after, kinds, where_equal
from odeflow.problem.conditions.comparisons import crossings, held_components
from odeflow.problem.model import Event
from odeflow.problem.problem import Problem, Solution
from odeflow.problem.status import Status, has_failed

#: How often one event may have fired without having happened yet. One that is not persistent
#: never waits twice, since its trigger has to become false in between.
MOST_PENDING = 16
#: Rounds at one time after which events set each other off without end.
MOST_ROUNDS = 10_000
#: Firings one after another between which time does not pass, after which they are without end.
MOST_AT_ONE_TIME = 100
#: A Lehmer generator whose numbers are exact in float32 too, one of the three of Wichmann and
#: Hill, Appl. Stat. 31, 188-190 (1982).
_MULTIPLIER, _MODULUS, _SEED = 171.0, 30269.0, 12345.0

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


class Outcome(IntEnum):
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
        self._values = [self._shapes(event) for event in self._model.events]
        self._delayed = [(i, e) for i, e in enumerate(self._model.events) if e.delay is not None]
        self._at_stop = stop_shapes(problem)
        self._counts_jumps = problem.jumps is not None and any(s.after_all for s in problem.stops)

    def __bool__(self) -> bool:
        return bool(self._problem.guards)

    def _shapes(self, event: Event) -> dict[str, tuple[int, ...]]:
        """Shapes of what an event remembers from when it fires."""
        if not event.uses_trigger_values:
            return {}
        point = self._model.example(self._problem.dtype)
        values = jax.eval_shape(
            lambda *x: {k: jnp.asarray(v) for k, v in event.assignments(*x).items()}, *point
        )
        return {name: values[name].shape for name in sorted(values)}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the memory, by name."""
        guards = (len(self._problem.guards),)
        shapes: dict[str, tuple[int, ...]] = {"guard": guards, "found": guards}
        if self._counts_jumps:
            shapes["pending"] = ()
        if self._at_stop:
            shapes["at_stop"] = (sum(int(np.prod(x)) for x in self._at_stop.values()),)
        if self._model.events:
            shapes |= {"next_due": (), "draw": (), "landed": (), "crowd": ()}
        for i, (event, values) in enumerate(zip(self._model.events, self._values)):
            pending = MOST_PENDING if event.persistent else 1
            shapes[f"due{i}"] = (pending,)
            size = sum(int(np.prod(shape)) for shape in values.values())
            if size:
                shapes[f"values{i}"] = (pending, size)
        return shapes

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
        fill = {"draw": _SEED, "next_due": jnp.inf, "landed": -jnp.inf}
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
        """Of which it is asked whether they are equal."""
        return np.array([kind.equal for kind in self._kinds for _ in range(kind.number)], bool)

    @cached_property
    def _asks_if_equal(self) -> Bool[np.ndarray, " guard"]:
        """Which guards ask whether numbers are equal that move."""
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
            failed |= self._crowded(t, jnp.any(found != 0), memory)
        for i, event in enumerate(self._model.events):
            guard = self._stops + i
            failed |= self._fire(i, event, rises[guard], now[guard], (t, y, args), memory)
        memory["guard"] = jnp.where(now & self._leaves(t, y, args), 2.0, now).astype(dtype)
        happens, new = jnp.asarray(False), y
        chosen = self._chosen(t, y, args, memory)
        for i, event in enumerate(self._model.events):
            this = chosen[i] & ~stopped & ~failed
            assigned = self._happen(i, event, this, (t, y, args), memory)
            changed = {k: jnp.where(this, v, getattr(new, k)) for k, v in assigned.items()}
            new, happens = new._replace(**changed), happens | this
        if self._model.events:
            # what has been found holds as long as what is compared does not change
            here, there = self._own(t, y, args), self._own(t, new, args)
            same = [jnp.all(a == b) for a, b in zip(here, there, strict=True)]
            memory["found"] = jnp.where(happens & jnp.stack(same), found, 0.0)
            due = [jnp.min(memory[f"due{i}"]) for i in range(len(self._model.events))]
            memory["next_due"] = jnp.min(jnp.stack(due))
        outcome = jnp.where(happens, float(Outcome.event), float(Outcome.nothing))
        outcome = jnp.where(failed, float(Outcome.failure), outcome)
        return new, memory, jnp.where(stopped, float(Outcome.stop), outcome)

    def _leaves(self, t: Any, y: Any, args: Any) -> Bool[Array, " guard"]:
        """Which guards hold only here, and not right after: of events that give new values to
        states which their triggers compare, and so may be set to where these change.
        """
        leaves = [jnp.asarray(False)] * len(self._problem.guards)
        for i in self._returning:
            trigger = self._model.events[i].trigger
            rates = jnp.ones_like(t), self._model.vector_field(t, y, args)
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

    def _crowded(self, t: Any, lands: Any, memory: dict[str, Any]) -> Any:
        """Whether firings in steps follow each other so closely that time does not pass."""
        again = jnp.where(t > memory["landed"], 0.0, memory["crowd"] + 1)
        # more rounds at a landing are no further ones
        memory["crowd"] = jnp.where(lands, again, memory["crowd"])
        memory["landed"] = jnp.where(lands, t, memory["landed"])
        return memory["crowd"] > MOST_AT_ONE_TIME

    def _fire(
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

    def _chosen(self, t: Any, y: Any, args: Any, memory: dict[str, Any]) -> list[Any]:
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

    def _happen(
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


def stop_shapes(problem: Problem) -> dict[str, tuple[int, ...]]:
    """Shapes of what is kept of a stop, by name."""
    states, pairs = problem.model.declared.states, problem.model.derivatives
    shape = lambda name: states[name].shape if name in pairs and name in states else ()
    return {name: shape(name) for name in problem.at_stop}


def with_stop_values(
    problem: Problem, solution: Solution, kept: Float[np.ndarray, "lane number"] | None
) -> Solution:
    """The solution with what the model says of stops; `kept` has the numbers of `stop_shapes`."""
    model = problem.model
    if model.stopping is None or kept is None:
        return solution
    stopped = solution.status == Status.stopped_by_event
    otherwise = np.where(has_failed(solution.status), np.nan, 0.0)
    values, reduced, times = dict(solution.values), dict(solution.reduced), {}
    start = 0
    for name, shape in stop_shapes(problem).items():
        size = int(np.prod(shape))
        said = kept[:, start : start + size].reshape(-1, *shape)
        start += size
        if name in model.stopping.names:
            times[name] = np.where(stopped, said, otherwise).astype(problem.dtype)
            continue
        where = stopped.reshape(-1, *[1] * len(shape))
        if problem.ts is None and name in values:
            values[name] = np.where(where[:, None], said[:, None], values[name])
        if f"{name}_final" in reduced:
            reduced[f"{name}_final"] = np.where(where, said, reduced[f"{name}_final"])
    return replace(solution, values=values, reduced=reduced, time_derivatives=times)


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
