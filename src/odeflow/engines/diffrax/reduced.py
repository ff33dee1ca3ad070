"""Algebraic equations under Diffrax: solved by a root find in the field, which is then an ODE's.

The field finds the algebraic states z that belong to t and M y, from those that it is given as a
guess, and gives the derivatives of all states there, z' by differentiation. So the derivatives of
the other states depend on nothing that the solver makes of z, and every method of Diffrax can be
taken. The native engine does otherwise: it puts M into its linear systems.

Reference: Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed., section VI.1
(the state space form method).
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx

from odeflow.engines.diffrax.lane_lu import LaneLU
from odeflow.problem.algebraic import rates
from odeflow.problem.mass_matrix import MassMatrix
from odeflow.problem.problem import Problem

#: Of the solver's tolerances, and in roundings, that of the root find.
_PART, _ROUNDINGS = 1e-2, 64
_MOST_STEPS = 50


class ShortStepNewton(optx.Newton):
    """Newton's method that ends when a step is within its tolerances.

    A residual may be in any units, so it is not asked for; nor is the rate of convergence, which
    means nothing where the search begins at the root, as it does here.
    """

    def terminate(
        self, fn: Any, y: Any, args: Any, options: Any, state: Any, tags: Any
    ) -> tuple[Any, Any]:
        """See `optimistix.AbstractRootFinder.terminate`."""
        is_lost = (state.step > 0) & ~jnp.isfinite(state.diffsize)
        failed = optx.RESULTS.nonlinear_divergence
        result = optx.RESULTS.where(is_lost, failed, optx.RESULTS.successful)
        return (state.diffsize < 1) | is_lost, result


def without_algebraic(problem: Problem) -> Problem:
    """The problem whose vector field gives derivatives of all states; itself for an ODE."""
    model = problem.model
    if model.algebraic is None:
        return problem
    matrix = model.algebraic.matrix
    algebraic = np.array(matrix.algebraic)
    directions = jnp.asarray(matrix.directions, problem.dtype)
    tolerances = problem.solver.tolerances
    least = _ROUNDINGS * float(jnp.finfo(problem.dtype).eps)
    finder = ShortStepNewton(
        max(_PART * tolerances.rtol, least),
        _PART * tolerances.least,
        linear_solver=LaneLU(),
        cauchy_termination=False,
    )

    def moved(z: Any, y: Any) -> Any:
        return y + directions @ (z - y[algebraic])

    def residual(z: Any, point: Any) -> Any:
        t, y, args = point
        return jnp.stack(model.flat_vector_field(t, tuple(moved(z, y)), args))[algebraic]

    def vector_field(t: Any, y: Any, args: Any) -> Any:
        point = (t, jnp.stack(model.flatten(y)), tuple(args))
        # the iteration is not differentiated: the last step has the derivatives of the root
        here = jax.lax.stop_gradient(point)
        found = optx.root_find(
            residual, finder, here[1][algebraic], here, max_steps=_MOST_STEPS, throw=False
        )
        z = jnp.where(found.result == optx.RESULTS.successful, found.value, jnp.nan)
        slopes = jax.jacfwd(residual)(z, here)
        z = z - jnp.linalg.solve(slopes, residual(z, point))
        field = lambda t, y: jnp.stack(model.flat_vector_field(t, tuple(y), tuple(args)))
        return model.unflatten(tuple(rates(matrix, field, t, moved(z, point[1]))))

    known = model.algebraic._replace(matrix=MassMatrix(matrix.size, (), {}))
    return replace(problem, model=replace(model, function=vector_field, algebraic=known))
