"""Fast reactions, which are in equilibrium at all times (SBML Level 2, section 4.13.6).

With s the rates of change by all else, v the kinetic laws of the fast reactions, and N what one
unit of each does to the states,

    dx/dt = s + N w,    v(t, x) = 0.

The equilibrium lasts where dv/dt = 0, which gives the fluxes w of the fast reactions:

    (v_x N) w = -(v_t + v_x s).

Reference: Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed., section VII.1
(index reduction by differentiation).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

#: From (t, x) to s (n,), v (m,) and N (n, m).
Parts = Callable[[Any, Any], tuple[Any, Any, Any]]
_ITERATIONS = 100


def equilibrium_field(parts: Parts, t: Any, x: Any) -> Any:
    """The rates of change (n,) of states x (n,) that are in the equilibrium."""
    s, _, N = parts(t, x)

    def law(t: Any, x: Any) -> Any:
        return parts(t, x)[1]

    change = jax.jvp(law, (t, x), (jnp.ones_like(t), s))[1]
    return s + N @ jnp.linalg.solve(_along_columns(law, t, x, N), -change)


def equilibrium(parts: Parts, t: Any, x: Any) -> Any:
    """The states (n,) into which the fast reactions alone bring x (n,).

    Implicit Euler steps of dx/dT = N v whose length doubles: they follow the reactions to the
    equilibrium that is stable, and end as Newton's method.

    Reference: Kelley and Keyes, SIAM J. Numer. Anal. 35, 508-523 (1998).
    """

    def step(i: Any, x: Any) -> Any:
        _, v, N = parts(t, x)
        slope = _along_columns(lambda t, x: parts(t, x)[1], t, x, N)
        damping = jnp.eye(len(v)) * 2.0 ** (20.0 - i)
        return x + N @ jnp.linalg.solve(damping - slope, v)

    return jax.lax.fori_loop(0, _ITERATIONS, step, x)


def _along_columns(law: Callable[[Any, Any], Any], t: Any, x: Any, N: Any) -> Any:
    """The matrix v_x N, one column per fast reaction."""
    columns = [jax.jvp(law, (t, x), (jnp.zeros_like(t), N[:, j]))[1] for j in range(N.shape[1])]
    return jnp.stack(columns, axis=1)
