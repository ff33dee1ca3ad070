"""The user's functions as scalar programs in the names of the lane loop."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from odeflow.engine.native.functions import LANE_FUNCTIONS
from odeflow.engine.native.program import Operand, Program
from odeflow.engine.native.translate import translate
from odeflow.model import Event, Model


def field_inputs(model: Model) -> list[str]:
    """Names of the inputs: t, y_<component>, p_<parameter>."""
    return [
        "t",
        *(f"y_{component.name}" for component in model.components),
        *(f"p_{name}" for name in model.config.parameters),
    ]


def field_program(model: Model, dtype: Any = np.float64) -> Program:
    """Derivatives of the components; raises `UntranslatableError` as `translate`."""
    size = len(model.components)

    def field(t: Any, *point: Any) -> tuple[Any, ...]:
        return model.flat_vector_field(t, point[:size], point[size:])

    return translate(field, field_inputs(model), dtype)


def observables_program(model: Model, names: Sequence[str], dtype: Any = np.float64) -> Program:
    """The observables of these names; raises as `field_program`."""
    size = len(model.components)

    def observed(t: Any, *point: Any) -> tuple[Any, ...]:
        values = model.flat_observables(t, point[:size], point[size:])
        return tuple(values[name] for name in names)

    return translate(observed, field_inputs(model), dtype)


def guards_program(
    model: Model, conditions: Sequence[Callable[..., Any]], dtype: Any = np.float64
) -> Program:
    """Whether conditions of (t, y, args) hold, as booleans; raises as `field_program`."""
    size = len(model.components)

    def holds(t: Any, *point: Any) -> tuple[Any, ...]:
        y, args = model.unflatten(point[:size]), model.Args(*point[size:])
        return tuple(jnp.asarray(condition(t, y, args), bool) for condition in conditions)

    return translate(holds, field_inputs(model), dtype)


def assignments_program(
    model: Model, event: Event, dtype: Any = np.float64
) -> tuple[Program, list[str]]:
    """What an event gives components of the state, and their names; raises as `field_program`."""
    size = len(model.components)
    names: list[str] = []

    def assigned(t: Any, *point: Any) -> tuple[Any, ...]:
        y, args = model.unflatten(point[:size]), model.Args(*point[size:])
        new = model.assigned(event, t, y, args)
        changed = [component.state in new for component in model.components]
        names[:] = [c.name for c, is_new in zip(model.components, changed) if is_new]
        return tuple(itertools.compress(model.flatten(y._replace(**new)), changed))

    return translate(assigned, field_inputs(model), dtype), names


def evaluated(
    program: Program, rename: Mapping[str, Operand], prefix: str
) -> tuple[list[str], list[str]]:
    """Statements of a program in the lane loop, and the expressions of its outputs."""
    return program.lines(rename, prefix, LANE_FUNCTIONS)
