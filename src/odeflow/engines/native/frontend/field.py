"""The user's functions as scalar programs: of the time, the state and the parameters."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from odeflow.engines.native.frontend.names import component_labels, parameter_names
from odeflow.engines.native.frontend.translate import translate
from odeflow.engines.native.program.program import Program
from odeflow.engines.native.program.refusal import UntranslatableError
from odeflow.engines.native.program.value import Value, inlined
from odeflow.engines.shared.watch import Watch
from odeflow.problem.model import Model


def field_inputs(model: Model) -> list[str]:
    """Names of the inputs: t, y_<component> and those of `parameter_names`."""
    return ["t", *(f"y_{n}" for n in component_labels(model)), *parameter_names(model)]


def flat_field(model: Model) -> Callable[..., tuple[Any, ...]]:
    """The vector field as a function of what `field_inputs` names."""
    return lambda t, *point: model.flat_vector_field(t, *_split(model, point))


def _split(model: Model, point: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    """The scalars of the state and the parameters among those behind t.

    What else there is, is not the model's: it is read by handlers of the translation.
    """
    size = len(model.components)
    return point[:size], point[size : size + len(model.declared.parameters)]


def _records(model: Model, point: Sequence[Any]) -> tuple[Any, Any]:
    """The same as records."""
    y, args = _split(model, point)
    return model.unflatten(y), model.Args(*args)


def field_program(model: Model, dtype: Any = np.float64) -> Program:
    """Derivatives of the components; raises `UntranslatableError` as `translate`."""
    return translate(flat_field(model), field_inputs(model), dtype)


def observables_program(model: Model, names: Sequence[str], dtype: Any = np.float64) -> Program:
    """The observables of these names; raises as `field_program`."""

    def observed(t: Any, *point: Any) -> tuple[Any, ...]:
        values = model.flat_observables(t, *_split(model, point))
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
    last = len(field_inputs(model)) - 1

    def flat(t: Any, *point: Any) -> list[Any]:
        remembered, memory = list(point[last:]), {}
        for name, shape in watch.shapes().items():
            parts = [remembered.pop(0) for _ in range(math.prod(shape))]
            memory[name] = jnp.stack(parts).reshape(shape) if shape else parts[0]
        y, args = _records(model, point)
        results = []
        for result in function(t, y, args, memory):
            if isinstance(result, Mapping):
                results += [jnp.ravel(result[name]) for name in watch.shapes()]
            else:
                results += model.flatten(result) if isinstance(result, model.State) else [result]
        return results

    return translate(flat, [*field_inputs(model), *memory_names(watch)], dtype)


def without_delays(model: Model, program: Program) -> Program:
    """The program; raises `UntranslatableError` where it reads a state as it was a while before."""
    names = parameter_names(model)
    delayed = {names[place] for delay in model.declared.delay_places for place in delay.values}
    read = {name for statement in program.statements for name in statement.reads()}
    if delayed & (read | {x for x in program.outputs if isinstance(x, str)}):
        why = "neither a stop nor the trigger of an event may read a delayed state"
        raise UntranslatableError("delay", why)
    return program


def lane_program(model: Model, function: Callable[..., Any], dtype: Any = np.float64) -> Program:
    """The components of the state that a function of (t, y, args) gives; raises as the field."""

    def flat(t: Any, *point: Any) -> tuple[Any, ...]:
        return model.flatten(function(t, *_records(model, point)))

    return translate(flat, field_inputs(model), dtype)


def step_program(model: Model, function: Callable[..., Any], dtype: Any = np.float64) -> Program:
    """What a function of (h, t, y, args) says of a step; raises as `field_program`."""

    def flat(h: Any, t: Any, *point: Any) -> Any:
        return function(h, t, *_records(model, point))

    return translate(flat, ["h", *field_inputs(model)], dtype)


def field_at(
    program: Program, t: Value, y: Sequence[Value], parameters: Sequence[Value]
) -> list[Value]:
    """The outputs of a program whose inputs are those of the field."""
    return inlined(t.builder, program, dict(zip(program.inputs, [t, *y, *parameters])))
