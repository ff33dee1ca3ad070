"""LU factorisation for one small system per lane, in plain JAX."""

from typing import Any

import jax.numpy as jnp
import lineax
from jax import lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int


class LaneLU(lineax.AbstractLinearSolver):
    """LU with partial pivoting whose every operation runs over all lanes at once.

    Lineax's LU calls LAPACK once per lane, and compares structures in a way that fails inside
    `jax.shard_map`. For the small systems of one trajectory, loops over rows that `vmap` turns
    into vector operations are faster, and the same for every lane.

    Reference: Golub and Van Loan, Matrix Computations, 4th ed., algorithm 3.4.1.
    """

    def init(self, operator: Any, options: dict[str, Any]) -> Any:
        """Factors the operator's matrix."""
        del options
        return _factor(operator.as_matrix())

    def compute(self, state: Any, vector: Any, options: dict[str, Any]) -> Any:
        """Solves for one right-hand side; the operator maps a structure to the same structure."""
        del options
        flat, unravel = ravel_pytree(vector)
        return unravel(_substitute(state[0], state[1], flat)), lineax.RESULTS.successful, {}

    def transpose(self, state: Any, options: dict[str, Any]) -> Any:
        """Not needed: solves here are never differentiated backwards."""
        raise NotImplementedError("LaneLU has no transpose: odeflow integrates forward only")

    def conj(self, state: Any, options: dict[str, Any]) -> Any:
        """Real systems are their own conjugate."""
        return state, options

    def assume_full_rank(self) -> bool:
        """A singular matrix gives a non-finite solution, which rejects the step."""
        return True


class RootLU(LaneLU):
    """`LaneLU` for the matrix of a root find, which only has to lead to the root.

    A row that is not finite, or whose entries are so large that products of two overflow, is the
    identity's: the Jacobian of a field has no such row to give, as that of a root at 0, so that
    component is iterated as it is. The iteration then converges for short steps, or the step is
    rejected.
    """

    def init(self, operator: Any, options: dict[str, Any]) -> Any:
        """Factors the operator's matrix, rows that are of no use left out."""
        del options
        matrix = operator.as_matrix()
        sizes = jnp.sum(jnp.abs(matrix), axis=1)
        usable = sizes < jnp.sqrt(jnp.finfo(matrix.dtype).max)
        identity = jnp.eye(matrix.shape[0], dtype=matrix.dtype)
        return _factor(jnp.where(usable[:, None], matrix, identity))


def _factor(a: Float[Array, "n n"]) -> tuple[Float[Array, "n n"], Int[Array, " n"]]:
    """Both factors in one matrix (unit lower triangle not stored), and the row order."""
    n = a.shape[0]
    rows = jnp.arange(n)

    def eliminate(k: Any, carry: Any) -> Any:
        a, order = carry
        pivot = jnp.argmax(jnp.where(rows >= k, jnp.abs(a[:, k]), -1.0))
        swap = jnp.where(rows == k, pivot, jnp.where(rows == pivot, k, rows))
        a, order = a[swap], order[swap]
        factor = jnp.where(rows > k, a[:, k] / a[k, k], 0.0)
        reduced = a - factor[:, None] * jnp.where(rows > k, a[k], 0.0)[None, :]
        return reduced.at[:, k].set(jnp.where(rows > k, factor, a[:, k])), order

    return lax.fori_loop(0, n, eliminate, (a, rows))


def _substitute(
    lu: Float[Array, "n n"], order: Int[Array, " n"], b: Float[Array, " n"]
) -> Float[Array, " n"]:
    n = lu.shape[0]
    rows = jnp.arange(n)

    def forward(k: Any, x: Any) -> Any:
        return x - jnp.where(rows > k, lu[:, k], 0.0) * x[k]

    def backward(i: Any, x: Any) -> Any:
        k = n - 1 - i
        x = x.at[k].set(x[k] / lu[k, k])
        return x - jnp.where(rows < k, lu[:, k], 0.0) * x[k]

    return lax.fori_loop(0, n, backward, lax.fori_loop(0, n, forward, b[order]))
