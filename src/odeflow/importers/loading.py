"""A model of a config: its functions imported, supplied with data, traced once and checked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from odeflow.config.base import check_variable_name
from odeflow.config.model import ModelConfig
from odeflow.config.observables import Observables
from odeflow.files.errors import ConfigError
from odeflow.importers.complex_states import WithComplex
from odeflow.importers.functions import load_function
from odeflow.importers.initial import computed_start, with_computed
from odeflow.importers.inputs import read_inputs
from odeflow.importers.model_data import read_data
from odeflow.importers.supplied import Courses, GivenArgs, Supplied, users_own
from odeflow.importers.user_errors import check_signature, user_errors
from odeflow.problem.model import Model


def load_model(config: ModelConfig, study: Path | str = ".") -> Model:
    """The model of a config, its functions imported and traced once.

    Raises ConfigError where a function is missing, does not import, cannot be traced by JAX or
    returns the wrong structure (it names the state).
    """
    study = Path(study)
    supplied, given = _supplying(config, study)
    knots = given.courses.knots
    if config.vector_field is None:
        from odeflow.importers.sbml.field import imported_functions  # which imports libsbml

        imported = imported_functions(config, study)
        model = Model(
            config.declaration(),
            supplied(imported.vector_field),
            imported.observables and supplied(imported.observables),
            events=tuple(event.each(supplied) for event in imported.events),
            start=imported.start,
            fixed=imported.fixed,
            knots=knots,
        )
    else:
        function = load_function(config.vector_field, study, "model.vector_field")
        observables = None
        if config.observables is not None and config.observables.function is not None:
            observables = load_function(config.observables.function, study, "model.observables")
        observables = observables and supplied(observables)
        model = Model(config.declaration(), supplied(function), observables, knots=knots)
        if config.initial_functions:
            model = _computed(model, config, study, given)
    check_model(model)
    return model


def _computed(model: Model, config: ModelConfig, study: Path, given: GivenArgs) -> Model:
    """The model with the initial values that functions compute."""
    start = computed_start(config, study, model.declared, given)
    return replace(model, declared=with_computed(model.declared, start), start=start)


def load_invariants(config: ModelConfig, study: Path | str = ".") -> Model | None:
    """The model with its invariants as the only observables; None where it has none.

    An invariant may be called as an observable is. Raises ConfigError as `load_model` does.
    """
    invariants: Observables | None = config.invariants
    if invariants is None or invariants.function is None:
        return None
    study = Path(study)
    field = load_model(config, study).function
    supplied, given = _supplying(config, study)
    function = supplied(load_function(invariants.function, study, "model.invariants"))
    observed = config.model_copy(update={"observables": invariants})
    model = Model(observed.declaration(), field, function, knots=given.courses.knots)
    if config.initial_functions:
        model = _computed(model, config, study, given)
    try:
        check_model(model)
    except ConfigError as error:
        text = str(error).replace("model.observables:", "model.invariants:", 1)
        raise ConfigError(text) from error
    return model


def given_to(config: ModelConfig, study: Path) -> GivenArgs:
    """What a model's functions have for their `args`."""
    courses = Courses(read_inputs(config, study))
    return GivenArgs(config, read_data(config, study), config.plain_arrays, courses)


def _supplying(
    config: ModelConfig, study: Path
) -> tuple[Callable[[Callable[..., Any]], Callable[..., Any]], GivenArgs]:
    """What gives a function the model's arrays, data, inputs and delays, if any; and these."""
    given = given_to(config, study)

    def supplied(function: Callable[..., Any]) -> Callable[..., Any]:
        given_more = (config.data, config.arrays, config.inputs, config.delays)
        if any(given_more) or config.time_after_dose is not None:
            function = Supplied(function, given)
        if config.complex_states:
            states, split = list(config.states), lambda z: (jnp.real(z), jnp.imag(z))
            function = WithComplex(function, states, config.complex_states, jax.lax.complex, split)
        return function

    return supplied, given


def check_model(model: Model) -> None:
    """Traces field and observables once; raises ConfigError that says what is wrong."""
    t, y, args = model.example()
    declared = model.declared
    functions = [("model.vector_field", declared.origin, model.function, model.vector_field)]
    if model.observables_function is not None:
        origin, called = declared.observables_origin, model.observables_function
        functions.append(("model.observables", origin, called, model.observables))
    for key, origin, called, function in functions:
        written = users_own(called)
        check_signature(key, origin, written)
        with user_errors(key, origin, written):
            jax.eval_shape(function, t, y, args)
    for name in model.observable_names:
        try:
            check_variable_name(name)
        except ValueError as error:
            raise ConfigError(
                f"model.observables: {declared.observables_origin}: {error}"
            ) from None
