"""What a model with algebraic equations is: its mass matrix, and how a state comes to obey them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.problem.mass_matrix import MassMatrix

#: A function of `(t, y, args)` that gives a state; `y` and `args` are records.
Moving = Callable[[Any, Any, Any], Any]


class Algebraic(NamedTuple):
    """The algebraic equations of a model, whose vector field has the rows of `matrix`.

    `restored` gives the state that obeys them and for which M y is the same, NaN where none is
    found: what follows a dose, a switch or an event. `started` is that at t0, where other states
    than the algebraic ones may be free. Both may be differentiated.
    """

    matrix: MassMatrix
    restored: Moving
    started: Moving

    def each(self, change: Callable[[Moving], Moving]) -> "Algebraic":
        """The same with each of its functions changed."""
        return self._replace(restored=change(self.restored), started=change(self.started))


def rates(matrix: MassMatrix, field: Callable[[Any, Any], Any], t: Any, y: Any) -> Any:
    """The derivatives y' (component,) of a state y that obeys the algebraic rows of `field(t, y)`.

    They follow from these rows g by differentiation: 0 = g_t + g_y y'.

    Reference: Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed., section
    VII.1 (index reduction by differentiation).
    """
    if not matrix.algebraic:
        return field(t, y)
    algebraic = np.array(matrix.algebraic)
    directions = jnp.asarray(matrix.directions, y.dtype)
    given = field(t, y).at[algebraic].set(0.0)
    residual = lambda t, y: field(t, y)[algebraic]
    _, slope = jax.jvp(residual, (t, y), (jnp.ones_like(t), given))
    block = slopes_along(lambda y: residual(t, y), y, directions)
    return given - directions @ jnp.linalg.solve(block, slope)


def slopes_along(residual: Callable[[Any], Any], y: Any, directions: Any) -> Any:
    """The derivatives of residuals at a state along directions: rows and columns of a matrix."""
    columns = [jax.jvp(residual, (y,), (direction,))[1] for direction in directions.T]
    return jnp.stack(columns, axis=1)
