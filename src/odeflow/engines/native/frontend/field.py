"""The user's functions as scalar programs in the names of the lane loop."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from odeflow.engines.native.frontend.names import component_labels, parameter_names
from odeflow.engines.native.frontend.translate import translate
from odeflow.engines.native.program.functions import LANE_FUNCTIONS
from odeflow.engines.native.program.program import Operand, Program
from odeflow.engines.shared.watch import Watch
from odeflow.problem.model import Model


def field_inputs(model: Model) -> list[str]:
    """Names of the inputs: t, y_<component>, p_<parameter>, by their numbers."""
    return ["t", *(f"y_{n}" for n in component_labels(model)), *parameter_names(model)]


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


def memory_names(watch: Watch) -> list[str]:
    """Names of the scalars that a lane remembers of its guards and events."""
    return [
        "_".join([name, *map(str, index)])
        for name, shape in watch.shapes().items()
        for index in np.ndindex(shape)
    ]


def watch_program(
    model: Model, watch: Watch, function: Callable[..., Any], dtype: Any = np.float64
) -> Program:
    """What a function of (t, y, args, memory) of a `Watch` gives; raises as `field_program`.

    A state among it is flattened to its components, a memory to `memory_names`.
    """
    size, last = len(model.components), len(model.components) + len(model.declared.parameters)

    def flat(t: Any, *point: Any) -> list[Any]:
        remembered, memory = list(point[last:]), {}
        for name, shape in watch.shapes().items():
            parts = [remembered.pop(0) for _ in range(math.prod(shape))]
            memory[name] = jnp.stack(parts).reshape(shape) if shape else parts[0]
        y, args = model.unflatten(point[:size]), model.Args(*point[size:last])
        results = []
        for result in function(t, y, args, memory):
            if isinstance(result, Mapping):
                results += [jnp.ravel(result[name]) for name in watch.shapes()]
            else:
                results += model.flatten(result) if isinstance(result, model.State) else [result]
        return results

    return translate(flat, [*field_inputs(model), *memory_names(watch)], dtype)


def lane_program(model: Model, function: Callable[..., Any], dtype: Any = np.float64) -> Program:
    """The components of the state that a function of (t, y, args) gives; raises as the field."""
    size = len(model.components)

    def flat(t: Any, *point: Any) -> tuple[Any, ...]:
        return model.flatten(function(t, model.unflatten(point[:size]), model.Args(*point[size:])))

    return translate(flat, field_inputs(model), dtype)


def step_program(model: Model, function: Callable[..., Any], dtype: Any = np.float64) -> Program:
    """What a function of (h, t, y, args) says of a step; raises as `field_program`."""
    size = len(model.components)

    def flat(h: Any, t: Any, *point: Any) -> Any:
        return function(h, t, model.unflatten(point[:size]), model.Args(*point[size:]))

    return translate(flat, ["h", *field_inputs(model)], dtype)


def evaluated(
    program: Program, rename: Mapping[str, Operand], prefix: str
) -> tuple[list[str], list[str]]:
    """Statements of a program in the lane loop, and the expressions of its outputs."""
    return program.lines(rename, prefix, LANE_FUNCTIONS)
