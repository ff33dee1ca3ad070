"""The three ways in which a call is solved, each with its solution: now, in a trace, by Diffrax."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from odeflow.api.by_diffrax import solve_inlined
from odeflow.api.call import CheckedCall
from odeflow.api.handles import Handle
from odeflow.api.inside_jax import solve_traced
from odeflow.api.jax_state import in_float64
from odeflow.api.slabs import solved_by_slabs
from odeflow.api.solution import EnsembleSolution, failure
from odeflow.engines.choice import Resources
from odeflow.problem.problem import Progress
from odeflow.problem.status import Status

_COUNTS = ("num_steps", "num_accepted_steps", "num_rejected_steps")


def solved(
    call: CheckedCall, handle: Handle, resources: Resources, progress: Progress | None
) -> EnsembleSolution:
    """The solution of a call whose numbers are all known, as NumPy arrays."""
    problem, times, place = call.plan.numbered(call.span)
    if handle.choice.name == "native":
        outcome = solved_by_slabs(handle, problem, call.batch, resources, progress)
    else:
        with in_float64():
            outcome = solved_by_slabs(handle, problem, call.batch, resources, progress)
    found, values = outcome.solution, outcome.values
    values = values if place is None else values[:, place]
    counts: dict[str, Any] = {name: getattr(found, name) for name in _COUNTS}
    ts = found.time_reached[:, None]
    if times is not None:
        times, lanes = times.copy(), len(found.status)
        ts = times[None] if lanes == 1 else np.broadcast_to(times, (lanes, len(times)))
    return _assembled(
        call, handle, ts, values, found.status, counts, found.time_reached, handle.choice
    )


def traced(call: CheckedCall, handle: Handle, resources: Resources) -> EnsembleSolution:
    """The solution of a call inside of a JAX transformation, by the native engine."""
    plan, dtype = call.plan, jnp.result_type(float)
    saving = plan.numbering.saving
    # a dt0 that is not given is not read
    span = jnp.stack([jnp.asarray(0.0 if x is None else x, dtype) for x in call.span])
    ts = jnp.zeros(0, dtype) if plan.ts is None else jnp.asarray(plan.ts)
    values, status, *counts, reached = solve_traced(
        handle, plan.numbering, span, ts, call.batch.traced(dtype), resources
    )
    times = reached[:, None]
    if not saving.ends_only:
        row = jnp.concatenate([span[:1][: saving.t0], ts.astype(dtype), span[1:2][: saving.t1]])
        times = jnp.broadcast_to(row[None], (len(status), len(row)))
    stats: dict[str, Any] = dict(zip(_COUNTS, counts))
    return _assembled(call, handle, times, values, status, stats, reached, handle.choice)


def inlined(call: CheckedCall, reason: str) -> EnsembleSolution:
    """The solution of a call by Diffrax, as a part of the caller's own program."""
    ts, ys, stats, status, reached = solve_inlined(**call.given)
    stats = stats | {"max_steps": call.plan.max_steps}
    return EnsembleSolution(ts, ys, stats, status, reached, _mask(call, status), "diffrax", reason)


def checked(solution: EnsembleSolution, throw: bool) -> EnsembleSolution:
    """The solution, which raises an error where a trajectory failed and `throw`."""
    if not throw:
        return solution
    if isinstance(solution.status, np.ndarray):
        message = failure(solution.status)
        if message is not None:
            raise RuntimeError(message)
        return solution
    fine = (solution.status == int(Status.success)) | (
        solution.status == int(Status.stopped_by_event)
    )
    message = "a trajectory failed; throw=False returns what there is, with `status`"
    return eqx.error_if(solution, ~jnp.all(fine), message)


def _assembled(
    call: CheckedCall,
    handle: Handle,
    ts: Any,
    values: Any,
    status: Any,
    stats: dict[str, Any],
    reached: Any,
    choice: Any,
) -> EnsembleSolution:
    """The solution of arrays with lanes first; the axis goes where there is one trajectory."""
    if call.batch.lanes is None:
        # arrays without axes, not NumPy's scalars
        ts, values, status, reached = (x[0, ...] for x in (ts, values, status, reached))
        stats = {name: count[0, ...] for name, count in stats.items()}
    layout = handle.outputs
    shape = values.shape[:-1]
    leaves = [
        values[..., part].reshape(*shape, *leaf.shape)
        for leaf, part in zip(layout.leaves, layout.parts)
    ]
    stats = stats | {"max_steps": call.plan.max_steps}
    ys = jax.tree.unflatten(layout.structure, leaves)
    mask = _mask(call, status)
    return EnsembleSolution(ts, ys, stats, status, reached, mask, choice.name, choice.reason)


def _mask(call: CheckedCall, status: Any) -> Any:
    """Which condition of the event ended a trajectory, in the structure of its `cond_fn`."""
    event = call.plan.event
    if event is None:
        return None
    stopped = status == int(Status.stopped_by_event)
    return jax.tree.map(lambda _: stopped, event.cond_fn, is_leaf=callable)
