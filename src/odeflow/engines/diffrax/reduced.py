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
    # ends by the size of its steps: a residual may be in any units
    finder = optx.Newton(
        max(_PART * tolerances.rtol, least),
        _PART * tolerances.least,
        linear_solver=LaneLU(),
        cauchy_termination=False,
    )

    def vector_field(t: Any, y: Any, args: Any) -> Any:
        field = lambda t, y: jnp.stack(model.flat_vector_field(t, tuple(y), tuple(args)))
        given = jnp.stack(model.flatten(y))

        def moved(z: Any, y: Any) -> Any:
            return y + directions @ (z - y[algebraic])

        def residual(z: Any, point: Any) -> Any:
            t, y = point
            return field(t, moved(z, y))[algebraic]

        found = optx.root_find(
            residual,
            finder,
            given[algebraic],
            (t, given),
            max_steps=_MOST_STEPS,
            adjoint=optx.ImplicitAdjoint(linear_solver=LaneLU()),
            throw=False,
        )
        z = jnp.where(found.result == optx.RESULTS.successful, found.value, jnp.nan)
        return model.unflatten(tuple(rates(matrix, field, t, moved(z, given))))

    known = model.algebraic._replace(matrix=MassMatrix(matrix.size, (), {}))
    return replace(problem, model=replace(model, function=vector_field, algebraic=known))
