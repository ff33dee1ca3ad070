"""Trajectories that stop and go on under Diffrax: a loop of solves, from restart to restart.

Each solve of a lane ends at its next jump or in the step where a guard fires, and the next one
begins there with a first step of its own. The native engine's `lane_restarts` does the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from diffrax import RESULTS
from jax import lax

from odeflow.engine.problem import Problem
from odeflow.engine.reduction import Reducer

#: Times that events may fire each other at one time.
_MOST_ROUNDS = 100


class Watch(NamedTuple):
    """What guards say of the last accepted step.

    `before` is whether each was true at its end; where one `fired`, the values before the step,
    and `t` and `y` are time and state there. Else they are those at the end of the step.
    """

    before: Any
    fired: Any
    t: Any
    y: Any


class WatchingSolver(diffrax.AbstractSolver):
    """Wraps a solver; takes the same steps, and ends the solve after one in which a guard fires.

    The state is `(wrapped state, Watch)`. A guard fires where it becomes true, which bisection
    finds on the dense output. The end comes as an error of Diffrax's, since its loop forgets the
    outcome `event_occurred` of a solver.
    """

    wrapped: diffrax.AbstractSolver
    guards: Callable[..., Any] = eqx.field(static=True)
    before: Any

    @property
    def term_structure(self) -> Any:  # pyright: ignore
        """See `diffrax.AbstractSolver`."""
        return self.wrapped.term_structure

    @property
    def interpolation_cls(self) -> Any:  # pyright: ignore
        """See `diffrax.AbstractSolver`."""
        return self.wrapped.interpolation_cls

    def order(self, terms: Any) -> Any:
        """See `diffrax.AbstractSolver.order`."""
        return self.wrapped.order(terms)

    def error_order(self, terms: Any) -> Any:
        """See `diffrax.AbstractSolver.error_order`."""
        return self.wrapped.error_order(terms)

    def init(self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any) -> Any:
        """See `diffrax.AbstractSolver.init`."""
        watch = Watch(self.before, jnp.asarray(False), jnp.asarray(t0), y0)
        return self.wrapped.init(terms, t0, t1, y0, args), watch

    def func(self, terms: Any, t0: Any, y0: Any, args: Any) -> Any:
        """See `diffrax.AbstractSolver.func`."""
        return self.wrapped.func(terms, t0, y0, args)

    def step(
        self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any, solver_state: Any, made_jump: Any
    ) -> Any:
        """See `diffrax.AbstractSolver.step`."""
        state, watch = solver_state
        y1, error, dense_info, state, result = self.wrapped.step(
            terms, t0, t1, y0, args, state, made_jump
        )
        path = self.wrapped.interpolation_cls(t0=t0, t1=t1, **dense_info)
        fires = lambda t, y: jnp.any(self.guards(t, y, args) & ~watch.before)
        now = self.guards(t1, y1, args)
        fired = jnp.any(now & ~watch.before)
        cut = self._bisected(lambda t: fires(t, path.evaluate(t)), fired, t0, t1)
        early = fired & (cut < t1)
        where = lambda a, b: jax.tree.map(lambda x, y: jnp.where(early, x, y), a, b)
        end = Watch(
            jnp.where(fired, watch.before, now),
            fired,
            jnp.where(early, cut, t1),
            where(path.evaluate(cut), y1),
        )
        result = RESULTS.where(fired, RESULTS.internal_error, result)
        return y1, error, dense_info, (state, end), result

    def _bisected(self, fires: Callable[..., Any], fired: Any, t0: Any, t1: Any) -> Any:
        """The first time at which guards fire, in a step at whose end they do."""
        rounds = jnp.finfo(t1.dtype).nmant + 12

        def halve(bracket: Any) -> Any:
            low, high, number = bracket
            middle = 0.5 * (low + high)
            here = fires(t0 + middle * (t1 - t0))
            return jnp.where(here, low, middle), jnp.where(here, middle, high), number + 1

        one = jnp.ones_like(t1)
        bracket = (jnp.zeros_like(one), one, jnp.asarray(0))
        _, high, _ = lax.while_loop(lambda x: fired & (x[2] < rounds), halve, bracket)
        return jnp.where(high < 1, t0 + high * (t1 - t0), t1)


class Segment(NamedTuple):
    """What one solve says of a lane.

    `values` are those at the times to save, `kept` the accumulators of what is reduced. `t` and
    `y` are where it ended, `fired` whether a guard made it end there.
    """

    t: Any
    y: Any
    values: Any
    kept: Any
    before: Any
    fired: Any
    result: Any
    num_steps: Any
    num_accepted_steps: Any
    non_finite: Any
    error_infinite: Any


class Course(NamedTuple):
    """A lane on its way: as `Segment`, and where its schedule and its outcome stand.

    `result` is a number of Diffrax's RESULTS.
    """

    t: Any
    y: Any
    args: Any
    jump: Any
    before: Any
    fired: Any
    values: Any
    kept: Any
    result: Any
    num_steps: Any
    num_accepted_steps: Any
    non_finite: Any
    error_infinite: Any
    stopped: Any
    done: Any


#: Solves from (t, y, args) to t1 with so many steps left: `(t, y, args, t1, steps, before, kept)`.
SolveSegment = Callable[..., Segment]


def guards_of(problem: Problem) -> Callable[..., Any] | None:
    """A function of `(t, y, args)` that says which guards hold, as an array; None without them."""
    conditions = [guard.condition for guard in problem.guards]
    if not conditions:
        return None
    return lambda t, y, args: jnp.stack([jnp.asarray(c(t, y, args), bool) for c in conditions])


def course(
    problem: Problem,
    solve: SolveSegment,
    reducer: Mapping[str, Reducer],
    start: tuple[Any, Any, Any],
    end: Any,
    jumps: tuple[Any, Any, Any],
) -> Course:
    """Solves a lane from `start`, its (t, y, args), to `end`, from restart to restart.

    `jumps` are times (jump,), amounts (jump, component) and values (jump, parameter). `values`
    have those right after a jump at its time.
    """
    model, config = problem.model, problem.solver
    t0, y0, args0 = start
    observe, observe_reduced = model.observer(problem.variables), model.observer(tuple(reducer))
    times = jnp.append(jumps[0], jnp.inf)
    happens = lambda jump, t: (times[jump] <= t) & (times[jump] <= end)
    guards = guards_of(problem)
    ts = None if problem.ts is None else jnp.asarray(problem.ts, t0.dtype)
    now = observe(t0, y0, args0)
    seen = observe_reduced(t0, y0, args0)
    width = () if ts is None else ts.shape
    first = Course(
        t=t0,
        y=y0,
        args=args0,
        jump=jnp.asarray(0),
        before=_armed(problem, guards, t0, y0, args0),
        fired=jnp.asarray(False),
        values=jax.tree.map(lambda x: jnp.zeros((*width, *x.shape), x.dtype), now),
        kept={name: r.start(t0, seen[name]) for name, r in reducer.items()},
        result=jnp.asarray(RESULTS.successful._value),
        num_steps=jnp.asarray(0),
        num_accepted_steps=jnp.asarray(0),
        non_finite=jnp.asarray(False),
        error_infinite=jnp.asarray(False),
        stopped=jnp.asarray(False),
        done=jnp.asarray(False),
    )

    def apply_jump(here: Course) -> Course:
        y, args = _jumped(problem, here, jumps)
        return here._replace(y=y, args=args, jump=here.jump + 1)

    def go_on(here: Course) -> Course:
        here = lax.while_loop(lambda x: happens(x.jump, x.t), apply_jump, here)
        endless = jnp.asarray(False)
        if guards is not None:
            here, endless = _settled(problem, guards, here)
        t, y, args = here.t, here.y, here.args
        seen = observe_reduced(t, y, args)
        kept = {name: r.jump(here.kept[name], t, seen[name]) for name, r in reducer.items()}
        values, later = observe(t, y, args), None
        if ts is not None:
            later = ts >= t
            values = _select(later, values, here.values)
        left = config.max_steps - here.num_steps
        ends = here.stopped | endless | (t >= end)
        runs = ~ends & (left > 0)
        t1 = jnp.where(runs, jnp.minimum(times[here.jump], end), t)
        one = solve(t, y, args, t1, left, here.before, kept)
        pick = lambda new, old: jax.tree.map(lambda a, b: jnp.where(runs, a, b), new, old)
        t, y = pick((one.t, one.y), (t, y))
        values = observe(t, y, args) if later is None else _select(later & runs, one.values, values)
        fired = runs & one.fired
        result = jnp.where(fired, RESULTS.successful._value, one.result)
        result = jnp.where(runs, result, RESULTS.max_steps_reached._value)
        result = jnp.where(ends, RESULTS.successful._value, result)
        result = jnp.where(endless, RESULTS.dt_min_reached._value, result)
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
            before=pick(one.before, here.before),
            fired=fired,
            result=result,
            num_steps=here.num_steps + jnp.where(runs, one.num_steps, 0),
            num_accepted_steps=here.num_accepted_steps + jnp.where(runs, one.num_accepted_steps, 0),
            non_finite=runs & one.non_finite,
            error_infinite=runs & one.error_infinite,
            done=~runs | failed | over,
        )

    return lax.while_loop(lambda here: ~here.done, go_on, first)


def _select(condition: Any, new: Any, old: Any) -> Any:
    """Where a condition over the times holds, the new values."""

    def one(a: Any, b: Any) -> Any:
        shape = condition.shape + (1,) * (b.ndim - condition.ndim)
        return jnp.where(condition.reshape(shape), jnp.broadcast_to(a, b.shape), b)

    return jax.tree.map(one, new, old)


def _armed(problem: Problem, guards: Any, t: Any, y: Any, args: Any) -> Any:
    """Whether each guard counts as true before a trajectory."""
    if guards is None:
        return ()
    initial = [guard.initial for guard in problem.guards]
    now = guards(t, y, args)
    return jnp.stack([now[i] if x is None else jnp.asarray(x) for i, x in enumerate(initial)])


def _jumped(problem: Problem, here: Course, jumps: Sequence[Any]) -> tuple[Any, Any]:
    """State and parameters after the next jump."""
    model, targets = problem.model, problem.jumps
    if targets is None:
        return here.y, here.args
    _, amounts, values = (x[here.jump] if x.shape[0] else x for x in jumps)
    y, args = list(model.flatten(here.y)), list(here.args)
    for i, number in enumerate(targets.components):
        y[number] = y[number] + amounts[i]
    for i, number in enumerate(targets.parameters):
        args[number] = values[i]
    return model.unflatten(y), model.Args(*args)


def _settled(problem: Problem, guards: Callable[..., Any], here: Course) -> tuple[Course, Any]:
    """A lane after the guards that fire at its time, and whether they do so without end."""
    model, stops = problem.model, len(problem.stops)

    def fires(here: Course) -> Any:
        return guards(here.t, here.y, here.args) & ~here.before

    def fire(state: tuple[Any, Any]) -> tuple[Any, Any]:
        here, number = state
        edges, y = fires(here), here.y
        for i, event in enumerate(model.events):
            new = model.assigned(event, here.t, y if event.sees_others else here.y, here.args)
            new = {
                name: jnp.where(edges[stops + i], value, getattr(y, name))
                for name, value in new.items()
            }
            y = y._replace(**new)
        before = guards(here.t, here.y, here.args)
        stopped = here.stopped | jnp.any(edges[:stops])
        return here._replace(y=y, before=before, stopped=stopped), number + 1

    def goes_on(state: tuple[Any, Any]) -> Any:
        here, number = state
        return jnp.any(fires(here)) & ~here.stopped & (number < _MOST_ROUNDS)

    here, number = lax.while_loop(goes_on, fire, (here, jnp.asarray(0)))
    # the loop ends where nothing fires any more: falling guards are then seen as such
    endless = (number >= _MOST_ROUNDS) & ~here.stopped
    return here._replace(before=guards(here.t, here.y, here.args)), endless
