"""One lane that goes on from t0 to its end: a single solve of Diffrax."""

from typing import Any

import diffrax
import jax.numpy as jnp

from odeflow.engines.diffrax.keeping import keepers, observed_names
from odeflow.engines.diffrax.lane_control import lane_controller
from odeflow.engines.diffrax.methods import diffrax_solver
from odeflow.engines.diffrax.outcome import LaneResult
from odeflow.engines.diffrax.reducing import ReducingSolver
from odeflow.engines.diffrax.restarts import known_at, select_times
from odeflow.problem.problem import Problem
from odeflow.problem.reductions import reducers


def plain_lane(problem: Problem) -> Any:
    """The function of a lane's (y0, args), to be compiled, that gives its `LaneResult`."""
    model, config, dtype = problem.model, problem.solver, problem.dtype
    solver = diffrax_solver(problem)
    term = diffrax.ODETerm(model.vector_field)  # pyright: ignore[reportArgumentType]
    controller = lane_controller(problem, model.example(dtype)[1])
    t0, t1 = (jnp.asarray(t, dtype) for t in (model.declared.t0, model.declared.t1))
    dt0 = None if config.dt0 is None else jnp.asarray(config.dt0, dtype)
    reducer = reducers(problem.reductions)
    kept_events = keepers(problem)
    carries = bool(reducer) or bool(kept_events)
    if carries:
        observe = model.observer(observed_names(problem, tuple(reducer)))
        each = tuple(reducer.items())
        solver = ReducingSolver(solver, observe, each, kept_events, problem.nodes)
    ts = None if problem.ts is None else jnp.asarray(problem.ts, dtype)
    observer = model.observer(problem.variables)

    def lane(y0: Any, args: Any) -> LaneResult:
        end, times = t1, ts
        if problem.own_ends:
            *args, end = args
            times = None if ts is None else jnp.minimum(ts, end)
        saveat = diffrax.SaveAt(
            ts=times,
            t1=ts is None,
            fn=observer,
            controller_state=True,
            solver_state=carries,
        )
        solution = diffrax.diffeqsolve(
            term,
            solver,
            t0=t0,
            t1=end,
            dt0=dt0,
            y0=model.unflatten(tuple(y0)),
            args=model.Args(*args),
            saveat=saveat,
            stepsize_controller=controller,
            max_steps=config.max_steps,
            throw=False,
            adjoint=diffrax.ForwardMode(),
        )
        _, time_reached, non_finite, error_infinite = solution.controller_state  # type: ignore
        values: Any = solution.ys
        if times is not None:
            # Diffrax saves what is at t0 after the first step that it keeps
            start = model.unflatten(tuple(y0))
            at_start = known_at(start, observer(t0, start, model.Args(*args)))
            values = select_times(times <= t0, at_start, values)
        return LaneResult(
            values=values,
            reduced=solution.solver_state[1] if carries else {},  # type: ignore
            result=solution.result._value,
            num_steps=solution.stats["num_steps"],
            num_accepted_steps=solution.stats["num_accepted_steps"],
            num_rejected_steps=solution.stats["num_rejected_steps"],
            time_reached=time_reached,
            non_finite=non_finite,
            error_infinite=error_infinite,
            stopped=jnp.asarray(False),
            events_failed=jnp.asarray(False),
        )

    return lane
