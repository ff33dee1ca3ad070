"""Derivatives of observables along parameters that no state depends on, such as scaling factors.

They need no state of their own, so they cost next to nothing, unlike what `sensitivity` adds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from odeflow.problem.declaration import Variable
from odeflow.problem.derivative_names import sensitivity_attributes, sensitivity_names
from odeflow.problem.model import Model


def with_observable_derivatives(
    augmented: Model, model: Model, read: Mapping[str, Iterable[str]]
) -> Model:
    """The model with `d_<observable>_d_<axis>` for parameters that only observables read.

    Arguments:
        augmented: the model as `with_sensitivities` returns it, or `model` itself.
        model: the model without derivatives.
        read: of each parameter on which no state depends, the observables that read it.

    Returns:
        The augmented model with these observables; itself where there are none.
    """
    if not any(read.values()):
        return augmented
    names = {
        name: pair
        for axis, variables in read.items()
        for name, pair in sensitivity_names(variables, [axis], model.declared).items()
    }
    size, number = len(model.declared.states), len(model.declared.parameters)
    known = {**augmented.declared.observables}
    variables = model.variables()
    for name, (variable, axis) in names.items():
        units, words = variables[variable].units, variables[variable].long_name or variable
        known[name] = Variable(**sensitivity_attributes(units, words, axis, model.declared))

    def observables(t: Any, y: Any, args: Any) -> dict[str, Any]:
        state, own = model.State(*y[:size]), model.Args(*args[:number])
        result = dict(augmented.observables(t, y, args))
        for axis in read:
            value = getattr(own, axis)
            along = lambda x, axis=axis: model.observables(t, state, own._replace(**{axis: x}))
            _, slopes = jax.jvp(along, (value,), (jnp.ones_like(value),))
            result |= {n: slopes[variable] for n, (variable, of) in names.items() if of == axis}
        return result

    if not augmented.declared.observables:  # undeclared names are those that it returns
        known = {n: Variable() for n in augmented.observable_names} | known
    return replace(
        augmented,
        declared=replace(augmented.declared, observables=known),
        observables_function=observables,
        derivatives={**augmented.derivatives, **names},
    )
