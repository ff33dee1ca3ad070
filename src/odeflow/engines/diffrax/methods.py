"""Diffrax's solver objects by method name, with the settings of the `solver` group."""

import dataclasses
from typing import Any

import diffrax
import jax.numpy as jnp
import jax.tree_util as jtu
import optimistix as optx
from diffrax import RESULTS
from equinox.internal import ω

from odeflow.engines.diffrax import rosenbrock
from odeflow.engines.diffrax.lane_lu import RootLU
from odeflow.problem.methods import find_method
from odeflow.problem.problem import Problem

#: Errors of a root find that no step can tell from none: in roundings of the state, and in
#: relative tolerances of it.
_ROUNDINGS, _TOLERANCES = 16, 1e-3


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


class LaneVeryChord(diffrax.VeryChord):
    """Diffrax's chord iteration, its tolerance no lower than the state needs."""

    # within a step it is one for each component
    atol: float | ω  # pyright: ignore[reportInvalidTypeForm, reportIncompatibleVariableOverride]

    def step(self, fn: Any, y: Any, args: Any, *rest: Any) -> Any:
        """See `optimistix.AbstractRootFinder.step`."""
        return diffrax.VeryChord.step(_as_the_state(self, args), fn, y, args, *rest)


class LaneChord(optx.Chord):
    """Optimistix' chord iteration, its tolerance no lower than the state needs."""

    # within a step it is one for each component
    atol: float | ω  # pyright: ignore[reportInvalidTypeForm, reportIncompatibleVariableOverride]

    def step(self, fn: Any, y: Any, args: Any, *rest: Any) -> Any:
        """See `optimistix.AbstractRootFinder.step`."""
        return optx.Chord.step(_as_the_state(self, args), fn, y, args, *rest)

    def terminate(self, fn: Any, y: Any, args: Any, *rest: Any) -> Any:
        """See `optimistix.AbstractRootFinder.terminate`."""
        return optx.Chord.terminate(_as_the_state(self, args), fn, y, args, *rest)


def _as_the_state(finder: Any, args: Any) -> Any:
    """The root finder, its absolute tolerance no lower than what matters to the state.

    `args` are what Diffrax gives to the relation whose root is a stage of an ESDIRK method, a slope
    or a change of the state, or a change by implicit Euler. An error of a slope times the length of
    the step is one of the state. Where a slope is near zero and `atol` is next to nothing, the
    iteration would go on to far below the state's own tolerance, or rounding; it then stagnates, is
    taken for a failure, and the step for too long, however short it is.
    """
    length: Any = 1.0
    if len(args) == 8:
        _, _, _, _, _, state, _, length = args
    elif len(args) == 7:
        _, _, _, _, state, _, _ = args
    else:
        _, _, state, _, _ = args

    def least(y: Any) -> Any:
        relative = max(_ROUNDINGS * float(jnp.finfo(y.dtype).eps), _TOLERANCES * finder.rtol)
        return jnp.maximum(finder.atol, relative * jnp.abs(y) / length)

    return dataclasses.replace(finder, atol=jtu.tree_map(least, state) ** ω)


def diffrax_solver(problem: Problem) -> diffrax.AbstractSolver:
    """The solver object for a problem, with its root finder's tolerances.

    A Rosenbrock method looks at the same components as the native engine's, which knows from the
    field's derivatives which can be other than moderate.
    """
    solver = problem.solver
    method = find_method(solver.method)
    cls = _solver_class(method.diffrax_name)
    if issubclass(cls, rosenbrock.AbstractRosenbrock):
        from odeflow.engines.native.methods.differentiated_field import unbounded_components

        return cls(unbounded=unbounded_components(problem.model, problem.dtype))
    if not issubclass(cls, diffrax.AbstractImplicitSolver):
        return cls()
    root_finder = LaneChord if cls is ImplicitEuler else LaneVeryChord
    rtol, atol = solver.root_finder_tolerances
    settings: dict[str, Any] = {
        "root_finder": root_finder(rtol=rtol, atol=atol, linear_solver=RootLU())
    }
    return cls(**settings)


def _solver_class(name: str) -> type[diffrax.AbstractSolver]:
    if name == "ImplicitEuler":
        return ImplicitEuler
    return getattr(rosenbrock, name, None) or getattr(diffrax, name)
