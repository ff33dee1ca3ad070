"""What the native engine cannot take, inside of `jit`, `grad` and `vmap`: Diffrax itself, inlined.

There a callback cannot run another JAX program, and need not: Diffrax becomes a part of the
caller's program, with its own derivatives.
"""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
from diffrax import RESULTS

from odeflow.problem.status import Status

#: Status of what Diffrax says; anything else is a root find that failed.
_STATUS = (
    (RESULTS.successful, Status.success),
    (RESULTS.max_steps_reached, Status.max_steps_reached),
    (RESULTS.dt_min_reached, Status.dt_min_reached),
    (RESULTS.event_occurred, Status.stopped_by_event),
)


def solve_inlined(
    y0: Any, args: Any, in_axes: Any, saveat: Any, **known: Any
) -> tuple[Any, Any, dict[str, Any], Any, Any]:
    """`(ts, ys, stats, status, time_reached)` by `jax.vmap` of `diffrax.diffeqsolve`.

    `in_axes` is a pair, or None where there is one trajectory. `known` are further arguments of
    `diffeqsolve`.
    """
    both = diffrax.SaveAt(subs=[saveat.subs, diffrax.SubSaveAt(t1=True, fn=lambda t, y, args: t)])

    def one(y0: Any, args: Any) -> tuple[Any, Any, dict[str, Any], Any, Any]:
        found = diffrax.diffeqsolve(y0=y0, args=args, saveat=both, throw=False, **known)
        (ts, (end,)), (ys, _) = found.ts, found.ys  # type: ignore[misc]
        missed = jnp.isinf(ts)
        clear = lambda x: jnp.where(jnp.reshape(missed, (-1, *[1] * (x.ndim - 1))), jnp.nan, x)
        status = jnp.asarray(int(Status.nonlinear_solve_failed), jnp.int8)
        for result, code in _STATUS:
            status = jnp.where(found.result == result, jnp.asarray(int(code), jnp.int8), status)
        counts = ("num_steps", "num_accepted_steps", "num_rejected_steps")
        stats = {name: found.stats[name] for name in counts}
        return ts, jax.tree.map(clear, ys), stats, status, end

    return (one if in_axes is None else jax.vmap(one, in_axes=in_axes))(y0, args)
