"""Diffrax's solver objects by method name, with the settings of the `solver` group."""

from typing import Any

import diffrax
import jax.numpy as jnp
import jax.tree_util as jtu
import optimistix as optx
from diffrax import RESULTS

from odeflow.config.solver import SolverConfig
from odeflow.engine import rosenbrock
from odeflow.engine.lane_lu import LaneLU
from odeflow.methods import find_method


class ImplicitEuler(diffrax.ImplicitEuler):
    """Diffrax's implicit Euler, with a failed root find rejecting the step.

    Diffrax 0.7 keeps such a step and reports the failure, so a lane ends where a smaller step
    would have gone on; its other implicit methods already do it as here.
    """

    def step(self, *args: Any, **kwargs: Any) -> Any:
        """See `diffrax.AbstractSolver.step`."""
        y1, y_error, dense_info, state, result = super().step(*args, **kwargs)
        converged = result == RESULTS.successful
        y_error = jtu.tree_map(lambda error: jnp.where(converged, error, jnp.inf), y_error)
        return y1, y_error, dense_info, state, RESULTS.successful


def diffrax_solver(solver: SolverConfig) -> diffrax.AbstractSolver:
    """The solver object that `solver.method` names, with its root finder's tolerances."""
    method = find_method(solver.method)
    cls = _solver_class(method.diffrax_name)
    if not issubclass(cls, diffrax.AbstractImplicitSolver):
        return cls()
    atol = min(solver.atol.values()) if isinstance(solver.atol, dict) else solver.atol
    root_finder = optx.Chord if cls is ImplicitEuler else diffrax.VeryChord
    settings: dict[str, Any] = {
        "root_finder": root_finder(
            rtol=solver.root_finder_rtol or solver.rtol,
            atol=solver.root_finder_atol or atol,
            linear_solver=LaneLU(),
        )
    }
    return cls(**settings)


def _solver_class(name: str) -> type[diffrax.AbstractSolver]:
    if name == "ImplicitEuler":
        return ImplicitEuler
    return getattr(rosenbrock, name, None) or getattr(diffrax, name)
