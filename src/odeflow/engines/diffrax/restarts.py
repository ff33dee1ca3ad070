"""Trajectories that stop and go on under Diffrax: a loop of solves, from restart to restart.

Each solve of a lane ends at its next jump or in the step where a guard fires, and the next one
begins there with a first step of its own. `engines.native.loop.lane_restarts` does the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from diffrax import RESULTS
from jax import lax

from odeflow.engines.diffrax.keeping import keepers
from odeflow.engines.shared.watch import MOST_ROUNDS, Memory, RoundOutcome, Watch
from odeflow.problem.problem import SAME_TIME_ULPS, Problem
from odeflow.problem.reductions import Reducer


class Segment(NamedTuple):
    """What one solve says of a lane.

    `values` are those at the times to save, `kept` the accumulators of what is reduced. `t` and
    `y` are where it ended, `fired` whether a guard made it end there.
    """

    t: Any
    y: Any
    values: Any
    kept: Any
    memory: Memory
    fired: Any
    result: Any
    num_steps: Any
    num_accepted_steps: Any
    non_finite: Any
    error_infinite: Any


class LaneProgress(NamedTuple):
    """A lane on its way: as `Segment`, and where its schedule and its outcome stand.

    `result` is a number of Diffrax's RESULTS; `failed` is whether events did.
    """

    t: Any
    y: Any
    args: Any
    jump: Any
    memory: Memory
    fired: Any
    values: Any
    kept: Any
    result: Any
    num_steps: Any
    num_accepted_steps: Any
    non_finite: Any
    error_infinite: Any
    stopped: Any
    failed: Any
    done: Any


#: Solves from (t, y, args) to t1 with `steps` steps left: `(t, y, args, t1, steps, memory, kept)`.
SolveSegment = Callable[..., Segment]


def course(
    problem: Problem,
    solve: SolveSegment,
    reducer: Mapping[str, Reducer],
    start: tuple[Any, Any, Any],
    end: Any,
    jumps: tuple[Any, Any, Any],
    counted: Any = None,
) -> LaneProgress:
    """Solves a lane from `start`, its (t, y, args), to `end`, from restart to restart.

    `jumps` are times (jump,), amounts (jump, component) and values (jump, parameter), `counted` is
    what guards count as before t0, if lanes say it. `values` have those right after a jump.
    """
    model, config = problem.model, problem.solver
    t0, y0, args0 = start
    observe, observe_reduced = model.observer(problem.variables), model.observer(tuple(reducer))
    times = jnp.append(jumps[0], jnp.inf)
    happens = lambda jump, t: (times[jump] <= t) & (times[jump] <= end)
    watch = Watch(problem)
    ts = None if problem.ts is None else jnp.asarray(problem.ts, t0.dtype)
    now = observe(t0, y0, args0)
    seen = observe_reduced(t0, y0, args0)
    width = () if ts is None else ts.shape
    first = LaneProgress(
        t=t0,
        y=y0,
        args=args0,
        jump=jnp.asarray(0),
        memory=dict(watch.start(t0, y0, args0, counted)) if watch else {},
        fired=jnp.asarray(False),
        values=jax.tree.map(lambda x: jnp.zeros((*width, *x.shape), x.dtype), now),
        kept={name: r.start(t0, seen[name]) for name, r in reducer.items()}
        | {keeper.key: keeper.start(t0.dtype) for keeper in keepers(problem)},
        result=jnp.asarray(RESULTS.successful._value),
        num_steps=jnp.asarray(0),
        num_accepted_steps=jnp.asarray(0),
        non_finite=jnp.asarray(False),
        error_infinite=jnp.asarray(False),
        stopped=jnp.asarray(False),
        failed=jnp.asarray(False),
        done=jnp.asarray(False),
    )

    def apply_jump(here: LaneProgress) -> LaneProgress:
        y, args = _jumped(problem, here, jumps)
        memory = dict(here.memory)
        if memory:
            # what was found in the step is not of the state after the jump
            memory["found"] = jnp.zeros_like(memory["found"])
        return here._replace(y=y, args=args, jump=here.jump + 1, memory=memory)

    def go_on(here: LaneProgress) -> LaneProgress:
        here = lax.while_loop(lambda x: happens(x.jump, x.t), apply_jump, here)
        if "pending" in here.memory:
            to_come = happens(here.jump, end).astype(t0.dtype)
            here = here._replace(memory={**here.memory, "pending": to_come})
        if watch:
            here = _settled(watch, here)
        t, y, args = here.t, here.y, here.args
        seen = observe_reduced(t, y, args)
        jumped = {name: r.jump(here.kept[name], t, seen[name]) for name, r in reducer.items()}
        kept = here.kept | jumped
        values, later = observe(t, y, args), None
        if ts is not None:
            # times that are this one but for rounding have the value after what happens here
            slack = SAME_TIME_ULPS * jnp.finfo(ts.dtype).eps * abs(t)
            values = select_times(ts >= t - slack, known_at(y, values), here.values)
            late = here.stopped & (ts > t) & (ts <= jnp.minimum(t + slack, end))
            t = jnp.max(jnp.where(late, ts, t))
            later = ts > t
        here = here._replace(t=t)
        left = config.max_steps - here.num_steps
        ends = here.stopped | here.failed | (t >= end)
        runs = ~ends & (left > 0)
        t1 = jnp.where(runs, jnp.minimum(times[here.jump], end), t)
        one = solve(t, y, args, t1, left, here.memory, kept)
        pick = lambda new, old: jax.tree.map(lambda a, b: jnp.where(runs, a, b), new, old)
        t, y = pick((one.t, one.y), (t, y))
        values = (
            observe(t, y, args) if later is None else select_times(later & runs, one.values, values)
        )
        fired = runs & one.fired
        result = jnp.where(fired, RESULTS.successful._value, one.result)
        result = jnp.where(runs, result, RESULTS.max_steps_reached._value)
        result = jnp.where(ends, RESULTS.successful._value, result)
        failed = result != RESULTS.successful._value
        # a lane at the end of its segment is there, whatever the next step would have been
        arrived = runs & (t >= t1)
        failed = failed & ~arrived
        result = jnp.where(arrived, RESULTS.successful._value, result)
        over = (t >= end) & ~fired & ~happens(here.jump, t)
        return here._replace(
            t=t,
            y=y,
            values=values,
            kept=pick(one.kept, kept),
            memory=pick(one.memory, here.memory),
            fired=fired,
            result=result,
            num_steps=here.num_steps + jnp.where(runs, one.num_steps, 0),
            num_accepted_steps=here.num_accepted_steps + jnp.where(runs, one.num_accepted_steps, 0),
            non_finite=runs & one.non_finite,
            error_infinite=runs & one.error_infinite,
            done=~runs | failed | over,
        )

    return lax.while_loop(lambda here: ~here.done, go_on, first)


def known_at(y: Any, values: Any) -> Any:
    """What is observed at a state; NaN where that is not finite, as the native engine has it."""
    finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves(y)]))
    return jax.tree.map(lambda x: jnp.where(finite, x, jnp.nan), values)


def select_times(condition: Any, new: Any, old: Any) -> Any:
    """Where a condition over the times holds, the new values."""

    def one(a: Any, b: Any) -> Any:
        shape = condition.shape + (1,) * (b.ndim - condition.ndim)
        return jnp.where(condition.reshape(shape), jnp.broadcast_to(a, b.shape), b)

    return jax.tree.map(one, new, old)


def _jumped(problem: Problem, here: LaneProgress, jumps: Sequence[Any]) -> tuple[Any, Any]:
    """State and parameters after the next jump."""
    model, targets = problem.model, problem.jumps
    if targets is None:
        return here.y, here.args
    _, amounts, values = (x[here.jump] if x.shape[0] else x for x in jumps)
    before = here.y if model.jumping is None else model.jumping.leave(here.t, here.y, here.args)
    y, args = list(model.flatten(before)), list(here.args)
    for i, number in enumerate(targets.components):
        y[number] = y[number] + amounts[i]
    for i, number in enumerate(targets.parameters):
        args[number] = values[i]
    y, args = model.unflatten(y), model.Args(*args)
    return y if model.jumping is None else model.jumping.arrive(here.t, y, args), args


def _settled(watch: Watch, here: LaneProgress) -> LaneProgress:
    """A lane after the guards and events of its time; `stopped` or `failed` where they end it."""

    def round(state: tuple[Any, ...]) -> tuple[Any, ...]:
        y, memory, _, number = state
        return *watch.round(here.t, y, here.args, memory), number + 1

    def goes_on(state: tuple[Any, ...]) -> Any:
        return (state[2] == RoundOutcome.event) & (state[3] < MOST_ROUNDS)

    first = (here.y, here.memory, jnp.full_like(here.t, RoundOutcome.event), jnp.asarray(0))
    y, memory, outcome, _ = lax.while_loop(goes_on, round, first)
    stopped = outcome == RoundOutcome.stop
    failed = ~stopped & (outcome != RoundOutcome.nothing)
    return here._replace(y=y, memory=memory, stopped=stopped, failed=failed)
