"""Initial values that the study's functions compute from the parameters: loaded and tried."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from odeflow.config.model import ModelConfig
from odeflow.config.states import ComputedInitial
from odeflow.files.errors import ConfigError
from odeflow.importers.functions import load_function
from odeflow.importers.user_errors import check_signature, user_errors
from odeflow.problem.declaration import Declaration
from odeflow.problem.start import ComputedStart

#: Of (t, args), what functions are given for their `args`.
Given = Callable[[Any, Any], Any]


def initial_functions(config: ModelConfig, study: Path) -> dict[str, Callable[..., Any]]:
    """The study's functions of (args), by the state whose initial value each computes."""
    return {
        name: load_function(reference, study, f"model.states.{name}.initial")
        for name, reference in config.initial_functions.items()
    }


def part_of(config: ModelConfig, state: str) -> Callable[[Any], Any]:
    """What makes of the value of a state's function that of the state: a part, if it is complex."""
    initial = config.states[state].initial
    part = initial.part if isinstance(initial, ComputedInitial) else None
    return lambda value: value if part is None else getattr(value, part)


def computed_start(
    config: ModelConfig, study: Path, declared: Declaration, given: Given
) -> ComputedStart:
    """What computes initial values in place of those that are declared.

    Raises ConfigError where a function cannot be called or traced, or returns another shape.
    """
    functions = {}
    args = tuple(jnp.asarray(one.value, float) for one in declared.parameters.values())
    for name, function in initial_functions(config, study).items():
        key, reference = f"model.states.{name}.initial", config.initial_functions[name]
        check_signature(key, reference, function, ("args",))
        functions[name] = _called(function, given, declared.t0, part_of(config, name))
        with user_errors(key, reference, function, ("args",)):
            found = jax.eval_shape(functions[name], args)
        shape = declared.states[name].shape
        if found.shape != shape:
            raise ConfigError(
                f"{key}: {reference} returned shape {found.shape}; that of the state is {shape}, "
                "which an array's `{function, shape}` says"
            )
    return ComputedStart(functions, {n: one.value for n, one in declared.parameters.items()})


def with_computed(declared: Declaration, start: ComputedStart) -> Declaration:
    """The declaration with the initial values that there are without axes."""
    values: Mapping[str, Any] = start({})
    states = {
        name: replace(state, initial=values[name][..., 0]) if name in values else state
        for name, state in declared.states.items()
    }
    return replace(declared, states=states)


def _called(
    function: Callable[..., Any], given: Given, t0: float, part: Callable[[Any], Any]
) -> Callable[..., Any]:
    def called(args: tuple[Any, ...]) -> Any:
        t = jnp.asarray(t0, float)
        return part(jnp.asarray(function(given(t, args)))).astype(t.dtype)

    return called
