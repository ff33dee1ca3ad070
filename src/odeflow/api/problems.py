"""A call's structure and numbers as a `Problem`: the only place that fills odeflow's own records.

A state has no name here: the components of `y0` are one array, `y`, and those of `args` are
parameters by number. Where derivatives are asked for, the problem is twice as large: `s` is the
derivative of `y` along a direction, which obeys

    ds/dt = (df/dy) s + (df/dargs) d,    s(t0) given,

with `d` among the parameters. Its errors do not steer the steps, so that they are those of the
problem without it, as where Diffrax differentiates what its solver did.
"""

from collections.abc import Callable
from dataclasses import replace
from math import sqrt
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.api.events import guards_of
from odeflow.api.layout import PytreeLayout, layout_of
from odeflow.api.numbers import Numbers
from odeflow.api.structure import Structure
from odeflow.config.solver import SolverConfig
from odeflow.problem.declaration import Declaration, Parameter, State
from odeflow.problem.model import Model
from odeflow.problem.problem import Problem
from odeflow.problem.solver import SAFE_RTOL, Solver

#: Tolerances that no error comes near to; what is divided by them, and its square, stay normal.
_ANY = {"float64": 1e100, "float32": 1e15}
#: The states, and the first letters of parameters and observables, of values and of derivatives.
STATE, ALONG = "y", "s"
_ARG, _DIRECTION, _OUTPUT, _OUTPUT_ALONG = "a", "d", "o", "q"

PointFunction = Callable[[Any, Any, Any], Any]


def is_loose(rtol: float) -> bool:
    """Whether a tolerance is one at which steps are looked at for being wild: another program."""
    return rtol > SAFE_RTOL


def output_layout(structure: Structure) -> PytreeLayout:
    """The layout of what is saved at one time."""
    if structure.fn is None:
        return structure.y
    t, y, args = _example(structure)
    layout = layout_of(jax.eval_shape(structure.fn.function, t, y, args))
    if layout.size == 0:
        raise ValueError("SaveAt(fn=...) gives nothing to save")
    return layout


def make_problem(structure: Structure, numbers: Numbers, along: bool = False) -> Problem:
    """The problem of a structure, with derivatives along a direction where `along`.

    Raises ValueError where the vector field returns another structure than that of y0.
    """
    outputs = output_layout(structure)
    size, names = structure.y.size, _numbered(_ARG, structure.args.size)
    states, parameters = [STATE], names
    if along:
        states, parameters = [STATE, ALONG], names + _numbered(_DIRECTION, structure.args.size)
    declared = Declaration(
        "ensemble",
        numbers.t0,
        numbers.t1,
        {name: State(initial=np.ones(size), dims=(f"{name}_i",)) for name in states},
        {name: Parameter(value=1.0) for name in parameters},
        origin="the vector field",
        observables_origin="SaveAt(fn=...)",
    )
    observe = None if structure.fn is None else _observables(structure, outputs, along)
    model = Model(declared, _field(structure, along), observe)
    stops = ()
    if structure.event is not None and structure.seen is not None:
        condition, direction, inside = structure.event
        function = _called(structure, condition.function, structure.seen.keywords)
        stops = guards_of(function, direction, inside, model.example())
    return Problem(
        model=model,
        solver=_solver(structure, numbers, along),
        ts=_times(numbers),
        variables=_variables(structure, outputs, along),
        dtype=np.dtype(structure.precision),
        stops=stops,
    )


def with_numbers(
    problem: Problem, structure: Structure, numbers: Numbers, along: bool = False
) -> Problem:
    """A problem of the same structure with other numbers."""
    declared = replace(problem.model.declared, t0=numbers.t0, t1=numbers.t1)
    model = replace(problem.model, declared=declared)
    solver = _solver(structure, numbers, along)
    return replace(problem, model=model, solver=solver, ts=_times(numbers))


def saved_values(
    structure: Structure, values: dict[str, np.ndarray], along: bool = False
) -> np.ndarray:
    """What an engine saved, or its derivatives, as (lane, time, output)."""
    if structure.fn is None:
        return values[ALONG if along else STATE]
    letter = _OUTPUT_ALONG if along else _OUTPUT
    found = [value for name, value in values.items() if name[0] == letter]
    return np.stack(found, axis=-1)


def _numbered(letter: str, number: int) -> list[str]:
    return [f"{letter}{i}" for i in range(number)]


def _variables(structure: Structure, outputs: PytreeLayout, along: bool) -> tuple[str, ...]:
    letters = [_OUTPUT, _OUTPUT_ALONG] if along else [_OUTPUT]
    if structure.fn is None:
        return (STATE, ALONG) if along else (STATE,)
    return tuple(name for letter in letters for name in _numbered(letter, outputs.size))


def _times(numbers: Numbers) -> np.ndarray | None:
    return None if numbers.ts is None else np.array(numbers.ts)


def _solver(structure: Structure, numbers: Numbers, along: bool) -> Solver:
    given: dict[str, Any] = {**dict(structure.words), **dict(numbers.solver)}
    if along:
        # the mean of squares is over twice as many components
        part = sqrt(0.5)
        given["rtol"] *= part
        given["atol"] = {STATE: given["atol"] * part, ALONG: _ANY[structure.precision]}
    # what is not given has the default of a config
    return SolverConfig.model_validate(given).solver([STATE, ALONG] if along else [STATE])


def _example(structure: Structure) -> tuple[Any, Any, Any]:
    """`(t, y, args)` of one trajectory, as shapes."""
    dtype = np.dtype(structure.precision)

    def shapes(layout: PytreeLayout) -> Any:
        return layout.pack(
            [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype or dtype) for leaf in layout.leaves]
        )

    return jax.ShapeDtypeStruct((), dtype), shapes(structure.y), shapes(structure.args)


def _vector(scalars: Any, dtype: Any) -> Any:
    return jnp.stack(tuple(scalars)) if len(scalars) else jnp.zeros((0,), dtype)


def _called(structure: Structure, function: Any, keywords: dict[str, Any]) -> PointFunction:
    """A function of the caller's pytrees as one of odeflow's records."""
    count = structure.args.size

    def called(t: Any, y: Any, args: Any) -> Any:
        numbers = structure.args.unflatten(_vector(args[:count], y[0].dtype))
        return function(t, structure.y.unflatten(y[0]), numbers, **keywords)

    return called


def _flat(structure: Structure, function: Any, layout: PytreeLayout, what: str) -> PointFunction:
    """The caller's function as one from vectors to a vector."""

    def flat(t: Any, y: Any, args: Any) -> Any:
        result = function(t, structure.y.unflatten(y), structure.args.unflatten(args))
        return layout.flatten(result, y.dtype, what)

    return flat


def _derived(structure: Structure, function: PointFunction) -> PointFunction:
    """The value of a function of vectors, and its derivative along `s` and the direction."""
    count = structure.args.size

    def derived(t: Any, y: Any, args: Any) -> tuple[Any, Any]:
        numbers, direction = (_vector(part, y[0].dtype) for part in (args[:count], args[count:]))
        return jax.jvp(lambda y, a: function(t, y, a), (y[0], numbers), (y[1], direction))

    return derived


def _field(structure: Structure, along: bool) -> PointFunction:
    flat = _flat(structure, structure.field.function, structure.y, "the vector field")
    if along:
        derived = _derived(structure, flat)
        return lambda t, y, args: dict(zip((STATE, ALONG), derived(t, y, args)))
    return lambda t, y, args: {STATE: flat(t, y[0], _vector(args, y[0].dtype))}


def _observables(structure: Structure, outputs: PytreeLayout, along: bool) -> PointFunction:
    assert structure.fn is not None
    flat = _flat(structure, structure.fn.function, outputs, "SaveAt(fn=...)")
    derived = _derived(structure, flat)

    def observed(t: Any, y: Any, args: Any) -> dict[str, Any]:
        if along:
            vectors = dict(zip((_OUTPUT, _OUTPUT_ALONG), derived(t, y, args)))
        else:
            vectors = {_OUTPUT: flat(t, y[0], _vector(args, y[0].dtype))}
        return {f"{k}{i}": v[i] for k, v in vectors.items() for i in range(outputs.size)}

    return observed
