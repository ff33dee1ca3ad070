"""Steps that end at a model's knots under Diffrax, as under `engines.native.methods.knot_steps`."""

from typing import Any

import diffrax
import jax.numpy as jnp
from jaxtyping import Array, Float


class KnotController(diffrax.AbstractStepSizeController):
    """Wraps a Diffrax controller: its steps end at the next of `knots`, where they go that far.

    After that the next step is as long as the one was that a knot has cut short. What is left up to
    a knot is shared by two steps where one is not enough.

    The state is `(wrapped state, planned length of the step, end of the solve)`.
    """

    wrapped: diffrax.AbstractStepSizeController
    knots: Float[Array, " knot"]

    def wrap(self, direction: Any) -> "KnotController":
        """Part of Diffrax's interface; integration here is always forward."""
        del direction
        return self

    def init(self, terms: Any, t0: Any, t1: Any, *known: Any) -> Any:
        """First step and controller state, see `diffrax.AbstractStepSizeController.init`."""
        end, state = self.wrapped.init(terms, t0, t1, *known)
        return jnp.minimum(end, self._next(t0, t1)), (state, jnp.zeros_like(end), t1)

    def adapt_step_size(self, *known: Any) -> Any:
        """See `diffrax.AbstractStepSizeController.adapt_step_size`."""
        *given, (state, planned, t1) = known
        adapt: Any = self.wrapped.adapt_step_size
        keep, t, end, jumps, state, result = adapt(*given, state)
        dt = end - t
        dt = jnp.where(keep & (planned > dt), planned, dt)
        knot = self._next(t, t1)
        end, half = t + dt, t + 0.5 * (knot - t)
        end = jnp.where(end >= knot, knot, jnp.where(end > half, half, end))
        return keep, t, end, jumps, (state, dt, t1), result

    def _next(self, t: Any, t1: Any) -> Any:
        """The first knot after a time; infinite where there is none up to `t1`."""
        ends = jnp.append(self.knots, jnp.inf)
        knot = ends[jnp.searchsorted(self.knots, t, side="right")]
        return jnp.where(knot <= t1, knot, jnp.inf)
