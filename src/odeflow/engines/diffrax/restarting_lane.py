"""One lane that stops and goes on: a solve of Diffrax for each of its segments."""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from odeflow.engines.diffrax.keeping import keepers, observed_names
from odeflow.engines.diffrax.lane_control import lane_controller
from odeflow.engines.diffrax.methods import diffrax_solver
from odeflow.engines.diffrax.outcome import LaneResult
from odeflow.engines.diffrax.reducing import ReducingSolver
from odeflow.engines.diffrax.restarts import Segment, course
from odeflow.engines.diffrax.watching import WatchingSolver
from odeflow.engines.shared.crossings import Crossings
from odeflow.engines.shared.watch import Watch
from odeflow.problem.problem import JumpTargets, Problem
from odeflow.problem.reductions import reducers


def restarting_lane(problem: Problem, jumps: int) -> Any:
    """As `plain_lane`, for trajectories that stop and go on."""
    model, config, dtype = problem.model, problem.solver, problem.dtype
    term = diffrax.ODETerm(model.vector_field)  # pyright: ignore[reportArgumentType]
    t0, t1 = (jnp.asarray(t, dtype) for t in (model.declared.t0, model.declared.t1))
    dt0 = None if config.dt0 is None else jnp.asarray(config.dt0, dtype)
    reducer = reducers(problem.reductions)
    watch = Watch(problem)
    crossings = Crossings(problem, watch) if watch else None
    ts = None if problem.ts is None else jnp.asarray(problem.ts, dtype)
    observer, kept_events = model.observer(problem.variables), keepers(problem)
    observe = model.observer(observed_names(problem, tuple(reducer)))
    carries = bool(reducer) or bool(kept_events)
    targets = problem.jumps or JumpTargets((), ())
    method = diffrax_solver(problem)

    def solve(t: Any, y: Any, args: Any, end: Any, steps: Any, memory: Any, kept: Any) -> Segment:
        solver: Any = method
        if crossings is not None:
            solver = WatchingSolver(solver, crossings, memory)
        if carries:
            each = tuple(reducer.items())
            solver = ReducingSolver(solver, observe, each, kept_events, problem.nodes, kept)
        saved = [diffrax.SubSaveAt(t1=True)]
        if ts is not None:
            saved.append(diffrax.SubSaveAt(ts=jnp.clip(ts, t, end), fn=observer))
        solution = diffrax.diffeqsolve(
            term,
            solver,
            t0=t,
            t1=end,
            dt0=dt0,
            y0=y,
            args=args,
            saveat=diffrax.SaveAt(subs=saved, controller_state=True, solver_state=True),
            stepsize_controller=lane_controller(problem, y, steps),
            max_steps=config.max_steps,
            throw=False,
            adjoint=diffrax.ForwardMode(),
        )
        controller, _ = solution.controller_state  # type: ignore
        _, reached, non_finite, error_infinite = controller
        state, y, fired = solution.solver_state, solution.ys[0], jnp.asarray(False)  # type: ignore
        y = jax.tree.map(lambda x: x[0], y)
        if carries:
            state, kept = state  # type: ignore
        if watch:
            memory, fired, t_fired, y_fired, _ = state[1]  # type: ignore
            reached = jnp.where(fired, t_fired, reached)
            y = jax.tree.map(lambda a, b: jnp.where(fired, a, b), y_fired, y)
        return Segment(
            t=reached,
            y=y,
            values={} if ts is None else solution.ys[1],  # type: ignore
            kept=kept,
            memory=memory,
            fired=fired,
            result=solution.result._value,
            num_steps=solution.stats["num_steps"],
            num_accepted_steps=solution.stats["num_accepted_steps"],
            non_finite=non_finite,
            error_infinite=error_infinite,
        )

    def lane(y0: Any, args: Any) -> LaneResult:
        count = len(model.declared.parameters)
        args, rest = args[:count], args[count:]
        end = t1
        if problem.own_ends:
            end, rest = rest[0], rest[1:]
        counted = None
        if problem.counted:
            counted, rest = rest[: len(problem.guards)], rest[len(problem.guards) :]
        sizes = (1, *map(len, targets))
        parts = jnp.split(rest, np.cumsum([jumps * size for size in sizes])[:-1])
        times, amounts, values = (
            part.reshape(jumps, size) for part, size in zip(parts, sizes, strict=True)
        )
        start = (t0, model.unflatten(tuple(y0)), model.Args(*args))
        schedule = (times[:, 0], amounts, values)
        done = course(problem, solve, reducer, start, end, schedule, counted)
        values = done.values
        if ts is None:
            values = jax.tree.map(lambda x: x[None], values)
        return LaneResult(
            values=values,
            reduced=done.kept,
            result=done.result,
            num_steps=done.num_steps,
            num_accepted_steps=done.num_accepted_steps,
            num_rejected_steps=done.num_steps - done.num_accepted_steps,
            time_reached=done.t,
            non_finite=done.non_finite,
            error_infinite=done.error_infinite,
            stopped=done.stopped,
            events_failed=done.failed,
            at_stop=done.memory.get("at_stop"),
        )

    return lane
