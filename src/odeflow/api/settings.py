"""Diffrax's term, solver and step size controller as odeflow's method and numbers."""

from collections.abc import Callable
from typing import Any, NamedTuple

import diffrax
import lineax
import optimistix
from jax.core import Tracer

from odeflow.api.refusal import NoCounterpartError
from odeflow.problem.methods import METHODS

#: Methods by their Diffrax classes; Rosenbrock methods are odeflow's own classes.
_NAMES = {method.diffrax_name: name for name, method in METHODS.items()}
#: Steps of a solve for which Diffrax would set no limit.
_UNLIMITED = 2**31 - 1


class Settings(NamedTuple):
    """The keys of a solver: `words` decide its program, `numbers` may change from call to call.

    A number that is not given is missing. `rtol` and `atol` are always there. `given` are the
    names of the numbers, that of the first step included.
    """

    words: tuple[tuple[str, Any], ...]
    numbers: tuple[tuple[str, float], ...]
    given: tuple[str, ...]
    rtol: float


def vector_field_of(terms: Any) -> Callable[..., Any]:
    """The function of `(t, y, args)` in a term; raises where it is not an ordinary one."""
    if type(terms) is diffrax.ODETerm:
        return terms.vector_field
    if isinstance(terms, diffrax.AbstractTerm):
        raise NoCounterpartError(
            f"diffrax.{type(terms).__name__}",
            "only ordinary differential equations are solved, diffrax.ODETerm(vector_field); "
            "stochastic, controlled and split ones need diffrax.diffeqsolve",
        )
    if callable(terms):
        raise TypeError("terms: wrap the function, as in diffrax.ODETerm(vector_field)")
    raise TypeError(f"terms: a diffrax.ODETerm is needed, found {type(terms).__name__}")


def settings_of(solver: Any, controller: Any, has_dt0: bool, max_steps: int | None) -> Settings:
    """Method and numbers of Diffrax's solver and controller; raises for what is not known here."""
    method, root_finder = _method(solver)
    kind, words, numbers = _controller(controller)
    if kind == "constant" and not has_dt0:
        raise ValueError("dt0: diffrax.ConstantStepSize needs the length of a step, found None")
    if kind == "pid" and not METHODS[method].adaptive:
        raise ValueError(
            f"stepsize_controller: diffrax.{type(solver).__name__} has no error estimate; take "
            "diffrax.ConstantStepSize() and dt0, or an adaptive solver"
        )
    limit = _UNLIMITED if max_steps is None else int(max_steps)
    if limit < 1:
        raise ValueError(f"max_steps: {max_steps} steps; at least 1 is needed, or None")
    numbers |= root_finder | {"max_steps": limit}
    words = {"method": method, "stepsize_controller": kind} | words
    given = (*numbers, "dt0") if has_dt0 else tuple(numbers)
    return Settings(tuple(words.items()), tuple(numbers.items()), given, numbers["rtol"])


def number(name: str, value: Any) -> float:
    """One number that the caller gave; raises TypeError where it is something else."""
    if isinstance(value, Tracer):
        raise TypeError(
            f"{name} is traced by JAX: of what may change inside of jit, grad and vmap there are "
            "y0, args, t0, t1, dt0 and SaveAt(ts=...)"
        )
    try:
        return float(value)
    except TypeError as error:
        raise TypeError(f"{name}: one number for all trajectories is needed") from error


def _method(solver: Any) -> tuple[str, dict[str, float]]:
    """The name of a method, and the tolerances of its root finds where they are given."""
    from odeflow.engines.diffrax import rosenbrock

    cls = type(solver)
    own = getattr(rosenbrock, cls.__name__, None)
    name = _NAMES.get(cls.__name__)
    if name is None or cls not in (own, getattr(diffrax, cls.__name__, None)):
        known = ", ".join(_NAMES)
        raise NoCounterpartError(f"the solver {cls.__name__}", f"take one of {known}")
    finder = getattr(solver, "root_finder", None)
    return name, {} if finder is None else _root_finder(cls.__name__, finder)


def _root_finder(solver: str, finder: Any) -> dict[str, float]:
    expected = optimistix.Chord if solver == "ImplicitEuler" else diffrax.VeryChord
    what = f"{solver}(root_finder={type(finder).__name__}(...))"
    default = getattr(diffrax, solver)().root_finder
    if not isinstance(finder, expected):
        raise NoCounterpartError(what, f"take {expected.__name__}, the default")
    for field in ("kappa", "linear_solver"):
        given = getattr(finder, field, None)
        same = isinstance(given, lineax.AutoLinearSolver) or given == getattr(default, field, None)
        if not same:
            raise NoCounterpartError(what, f"{field} cannot be set")
    tolerances = {"root_finder_rtol": finder.rtol, "root_finder_atol": finder.atol}
    return {key: float(x) for key, x in tolerances.items() if isinstance(x, int | float)}


def _controller(controller: Any) -> tuple[str, dict[str, Any], dict[str, float]]:
    """The kind of a controller, its coefficients, and its other numbers."""
    tolerances = {"rtol": 1e-6, "atol": 1e-8}  # of what does not ask for them
    if type(controller) is diffrax.ConstantStepSize:
        return "constant", {}, tolerances
    what = f"diffrax.{type(controller).__name__}"
    if type(controller) is not diffrax.PIDController:
        raise NoCounterpartError(what, "take PIDController or ConstantStepSize")
    if controller.norm is not optimistix.rms_norm:
        raise NoCounterpartError(f"{what}(norm=...)", "errors are measured by the rms norm")
    if controller.error_order is not None:
        raise NoCounterpartError(f"{what}(error_order=...)", "the order is that of the solver")
    if controller.dtmin is not None and controller.force_dtmin:
        raise NoCounterpartError(
            f"{what}(dtmin=..., force_dtmin=True)",
            "a step below dtmin ends the trajectory here; pass force_dtmin=False",
        )
    value = lambda name: number(f"PIDController.{name}", getattr(controller, name))
    coefficients = {name: value(name) for name in ("pcoeff", "icoeff", "dcoeff")}
    names = ["rtol", "atol", "factormin", "factormax", "safety"]
    names += [name for name in ("dtmin", "dtmax") if getattr(controller, name) is not None]
    numbers = {name: value(name) for name in names}
    for name in ("rtol", "atol"):
        if not numbers[name] > 0:
            raise ValueError(f"PIDController.{name}: {numbers[name]:g}; it has to be above 0")
    return "pid", coefficients, numbers
