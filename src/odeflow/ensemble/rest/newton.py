"""The last steps to a steady state by Newton's method, and its derivatives by the implicit one.

At rest f(y, p) = 0, so J dy/dp = -df/dp; where something is conserved its amount stands in place of
a row. One lane after another runs the same program, so that none decides on another's bits.

Reference: Lakrisenko et al. (2023), Efficient computation of adjoint sensitivities at steady-state
in ODE models of biochemical reaction networks, PLoS Comput. Biol. 19.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.ensemble.rest.conserved import Field

_ITERATIONS = 12
#: The last step, in units of the tolerances, below which a state is at rest.
_SMALL = 1e-3
#: A finish may move a state by this part of itself, and so many absolute tolerances: further away
#: is another steady state than the one that was simulated.
_NEAR, _NEAR_ATOL = 1e-2, 1e4


def finish(field: Field, lanes: Any, rtol: float, atol: jax.Array) -> tuple[Any, Any]:
    """Moves states to where the field is zero.

    Arguments:
        field: of (t, y, args) over arrays.
        lanes: (t, y, args, start, rows, kept) with a leading axis of lanes: where they are, where
            they began, and what is conserved.
        rtol: relative tolerance.
        atol: absolute tolerance of each component.

    Returns:
        The states, and whether each is at rest, near where it was.
    """

    def one(lane: Any) -> Any:
        t, first, args, start, rows, kept = lane

        def step(y: jax.Array) -> jax.Array:
            rates = field(t, y, args)
            matrix = jax.jacfwd(lambda y: field(t, y, args))(y)
            right = jnp.where(kept, -rates, rows @ (start - y))
            return _solved(jnp.where(kept[:, None], matrix, rows), right[:, None])[:, 0]

        def on(state: Any) -> Any:
            y, _, number = state
            change = step(y)
            size = jnp.sqrt(jnp.mean((change / (atol + rtol * jnp.abs(y))) ** 2))
            return y + change, size, number + 1

        def going(state: Any) -> Any:
            _, size, number = state
            return (number < _ITERATIONS) & (size >= _SMALL)

        y, size, _ = jax.lax.while_loop(going, on, (first, jnp.asarray(jnp.inf), 0))
        moved = jnp.abs(y - first) <= _NEAR * jnp.abs(first) + _NEAR_ATOL * atol
        return y, (size < _SMALL) & moved.all()

    return jax.lax.map(one, lanes)


def derivatives(field: Field, lanes: Any) -> Any:
    """The derivatives of steady states.

    Arguments:
        field: of (t, y, args) over arrays.
        lanes: (t, y, args, of_args, of_start, rows, kept) with a leading axis of lanes; the
            derivatives of args and of the state at the start have one row per direction.

    Returns:
        Those of the states, one row per direction; NaN where they are not known.
    """

    def one(lane: Any) -> Any:
        t, y, args, of_args, of_start, rows, kept = lane
        matrix = jax.jacfwd(lambda y: field(t, y, args))(y)
        along = jax.vmap(lambda v: jax.jvp(lambda args: field(t, y, args), (args,), (v,))[1])
        right = jnp.where(kept, -along(of_args), of_start @ rows.T)
        return _solved(jnp.where(kept[:, None], matrix, rows), right.T).T

    return jax.lax.map(one, lanes)


def _solved(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """The solution of a linear system with rows of any size; the least one where it is singular."""
    size = jnp.abs(matrix).max(axis=1, keepdims=True)
    size = jnp.where(size > 0, size, 1.0)
    matrix, right = matrix / size, right / size
    found = jnp.linalg.solve(matrix, right)
    return jax.lax.cond(
        jnp.isfinite(found).all(),
        lambda: found,
        lambda: _least(matrix, right),
    )


def _least(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """The least solution where there is one, else NaN."""
    clean = jnp.nan_to_num(matrix)
    found = jnp.linalg.lstsq(clean, jnp.nan_to_num(right))[0]
    left_over = jnp.abs(clean @ found - right).max()
    solves = left_over <= 1e-9 * (jnp.abs(right).max() + jnp.finfo(float).tiny)
    return jnp.where(solves, found, jnp.nan)


def padded(size: int) -> np.ndarray:
    """The lanes that a program runs, the last one again and again up to a power of two.

    So it is compiled for few numbers of lanes.
    """
    lanes = 1 << int(np.ceil(np.log2(max(size, 1))))
    return np.minimum(np.arange(lanes), size - 1)
