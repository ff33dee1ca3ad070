"""Where a field contradicts the linear model that a Rosenbrock method puts in its place.

The stages of a Rosenbrock method, and its error estimate, are damped by the Jacobian at the start
of the step: what changes fast is taken for what has come to rest. Where the Jacobian is huge but
holds next to nowhere, as that of a root close to 0 or of K/x, a state would be held where it is,
for as long as you like, and the damped error estimate sees nothing.

A component is *contradicted* where the field at the last stage differs from what the linear model
has foretold by more than `MOST_CURVED` of that, and where the slopes at both ends do not explain
the change, by more than `MOST_AMISS` of what they stand for. A stiff component on its way to rest
is off its slopes too, but as foretold; one that moves along a curved manifold is off the linear
model, but moves as its slopes say. The error of a contradicted component is what was not foretold,
times the step, with nothing that damps it.

A component *leaps* where it gets to the other side of zero although its slopes lead away from zero
at both ends: across the pole of K/x, say. Its error is infinite.
"""

from typing import Any

import jax.numpy as jnp

MOST_CURVED, MOST_AMISS = 0.25, 0.5
#: In roundings of the linear terms of the field: what is below means nothing.
ROUNDINGS = 1e4


def contradicted(
    rows: Any,
    states: tuple[Any, Any, Any],
    slopes: tuple[Any, Any],
    jacobian: Any,
    drift: Any,
) -> Any:
    """The undamped error of the components `rows`, 0 where nothing is contradicted.

    `states` are those at the start, at the last stage, and after the step; `slopes` the field at
    the first two, `jacobian` that at the start, `drift` what the field changes with time alone, all
    times the length of the step.
    """
    y, end, y1 = states
    change = (end - y)[rows]
    first, last = (slope[rows] for slope in slopes)
    jacobian, drift = jacobian[rows], drift[rows]
    missed = jnp.abs(last - first - jacobian @ (end - y) - drift)
    foretold = jnp.abs(jacobian) @ jnp.abs(end - y) + jnp.abs(drift)
    noise = ROUNDINGS * jnp.finfo(y.dtype).eps * (jnp.abs(jacobian) @ jnp.abs(y))
    amiss = jnp.abs(2 * change - (first + last)) > MOST_AMISS * (jnp.abs(first) + jnp.abs(last))
    curved = missed > MOST_CURVED * foretold + noise
    y, end, y1 = y[rows], end[rows], y1[rows]
    leaps = (y * first > 0) & (end * last > 0) & ((y * jnp.sign(end) < 0) | (y * jnp.sign(y1) < 0))
    return jnp.where(leaps, jnp.inf, jnp.where(curved & amiss, missed, 0.0))
