"""Knots: times at which what a field reads has a kink, but no jump.

Steps end at knots, so that each sees a smooth field and none passes over a change; since the field
is continuous there, they go on as they were, with their length and their last derivative. In which
of the pieces between knots a time lies is asked by `knots_passed`. It is an operation of its own
to what reads a field's jaxpr: nobody stops for it as for a comparison of time, and an engine that
knows which piece a step is in need not search.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from odeflow.problem.pieces import Pieces


@dataclass(frozen=True, eq=False)
class Knots:
    """The knots of a model, increasing."""

    times: Float[np.ndarray, " knot"]

    def passed(self, t: Any) -> Int[jax.Array, ""]:
        """How many there are up to a time, that itself included."""
        # no derivative: of a number of knots there is none
        t = jax.lax.stop_gradient(t)
        return knots_passed(jnp.asarray(self.times, jnp.result_type(t)), t)


@jax.jit
def knots_passed(times: Any, t: Any) -> Any:
    """How many of increasing times there are up to `t`, that itself included."""
    return jnp.searchsorted(times, t, side="right")


#: What an equation of a jaxpr that calls it is named.
KNOTS_PASSED = "knots_passed"


def piece_value(courses: Pieces, knots: Knots | None, t: Any, course: Any = 0) -> Any:
    """The value of one of several courses at a time.

    `knots` are those of the courses where they are continuous; where they jump, they are compared
    with time, for which engines stop.
    """
    dtype = jnp.result_type(t)
    if knots is not None:
        piece = knots.passed(t)
    else:
        piece = jnp.searchsorted(jnp.asarray(courses.knots, dtype), t, side="right")
    degrees = courses.coefficients.shape[2]
    rows = jnp.asarray(courses.coefficients.reshape(-1, degrees), dtype)
    terms = _entry(rows, course * len(courses.starts) + piece)
    value = terms[degrees - 1]
    if degrees > 1:
        elapsed = t - _entry(jnp.asarray(courses.starts, dtype), piece)
        for power in reversed(range(degrees - 1)):
            value = value * elapsed + terms[power]
    return value


def _entry(table: Any, place: Any) -> Any:
    return table.at[place].get(mode="promise_in_bounds", wrap_negative_indices=False)
