"""Forward sensitivities: a model with the derivatives of its states as further states.

For the axis p, a parameter or an initial value, the sensitivity s = dy/dp obeys the variational
equation

    ds/dt = (df/dy) s + df/dp,    s(t0) = dy(t0)/dp,

whose right-hand side is one directional derivative of the vector field, `jax.jvp`. The engines see
a larger model and nothing else, so sensitivities take part in the control of the step size.

Reference: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 2nd ed., section
I.14; Hindmarsh et al., ACM Trans. Math. Softw. 31, 363-396 (2005), section 2.5.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.config.model import ModelConfig, Observables, State, Variable
from odeflow.config.root import Config
from odeflow.config.sensitivities import sensitivity_attributes, sensitivity_names
from odeflow.model import Model

#: A function of (t, state record, args record), differentiated in the last two.
PointFunction = Callable[[Any, Any, Any], Any]


def with_sensitivities(config: Config, model: Model) -> tuple[Config, Model]:
    """The experiment that solves for `saveat.sensitivities` too: its config and its model.

    Both are returned as they are where none is asked for. Else the model has the states and
    observables `d_<variable>_d_<axis>`, in the shape of the variable, and the config is about
    that model. The absolute tolerance of a sensitivity is that of its state over the size of the
    axis' nominal value, which is what CVODES takes.

    Raises ConfigError where a name is taken, or where JAX cannot differentiate the model.
    """
    axes = config.saveat.sensitivities
    if not axes:
        return config, model
    of_states = sensitivity_names(model.config.states, axes, model.config)
    variables = [*model.config.states, *model.observable_names]
    derivatives = sensitivity_names(variables, axes, model.config)
    augmented = Model(
        _model_config(model, derivatives),
        _vector_field(model, of_states),
        model.observables_function and _observables(model, derivatives),
        derivatives,
    )
    augmented.check()
    atol = config.solver.atol
    atols = atol if isinstance(atol, dict) else dict.fromkeys(model.config.states, atol)
    atols |= {name: atols[s] / _scale(model.config, axis) for name, (s, axis) in of_states.items()}
    kept = config.saveat.variables
    if kept is not None:
        kept = [*kept, *(name for name, (variable, _) in derivatives.items() if variable in kept)]
    changed = {
        "model": augmented.config,
        "solver": config.solver.model_copy(update={"atol": atols}),
        "saveat": config.saveat.model_copy(update={"variables": kept}),
    }
    return config.model_copy(update=changed), augmented


def _model_config(model: Model, derivatives: Mapping[str, tuple[str, str]]) -> ModelConfig:
    config, known = model.config, model.variables()
    states, observables = dict(config.states), {}
    for name in model.observable_names:
        observables[name] = known[name]
    for name, (variable, axis) in derivatives.items():
        units, words = known[variable].units, known[variable].long_name or variable
        attributes = sensitivity_attributes(units, words, axis, config)
        if variable in observables:
            observables[name] = Variable(**attributes)
        else:
            state = config.states[variable]
            initial = np.full(state.shape, float(variable == axis)).tolist()
            states[name] = State(initial=initial, dims=state.dims, **attributes)
    changed: dict[str, Any] = {"states": states}
    if config.observables is not None:
        function = config.observables.function
        changed["observables"] = Observables(function=function, variables=observables)
    return config.model_copy(update=changed)


def _vector_field(model: Model, derivatives: Mapping[str, tuple[str, str]]) -> PointFunction:
    def vector_field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        value, along = _derivatives(model, model.vector_field, t, y, args, derivatives)
        result = value._asdict()
        return result | {n: getattr(along[axis], s) for n, (s, axis) in derivatives.items()}

    return vector_field


def _observables(model: Model, derivatives: Mapping[str, tuple[str, str]]) -> PointFunction:
    def observables(t: Any, y: Any, args: Any) -> dict[str, Any]:
        value, along = _derivatives(model, model.observables, t, y, args, derivatives)
        observed = {n: pair for n, pair in derivatives.items() if pair[0] in value}
        return value | {name: along[axis][o] for name, (o, axis) in observed.items()}

    return observables


def _derivatives(
    model: Model,
    function: PointFunction,
    t: Any,
    y: Any,
    args: Any,
    derivatives: Mapping[str, tuple[str, str]],
) -> tuple[Any, dict[str, Any]]:
    """A function's value, and its derivative along each axis, at an augmented state."""
    state = model.State(*(getattr(y, name) for name in model.config.states))
    args = model.Args(*args)
    tangents: dict[str, dict[str, Any]] = {}
    for name, (variable, axis) in derivatives.items():
        if variable in model.config.states:
            tangents.setdefault(axis, {})[variable] = getattr(y, name)
    value, along = None, {}
    for axis, tangent in tangents.items():
        points, directions = [state], [model.State(**tangent)]
        if axis in model.config.parameters:
            points.append(getattr(args, axis))
            directions.append(jnp.ones_like(points[1]))

        def at(state: Any, *parameter: Any, axis: str = axis) -> Any:
            here = args._replace(**{axis: parameter[0]}) if parameter else args
            return function(t, state, here)

        # The value is computed once an axis; the engines share what is computed twice.
        value, along[axis] = jax.jvp(at, points, directions)
    return value, along


def _scale(config: ModelConfig, axis: str) -> float:
    """Size of the nominal value of an axis, 1 where that is zero."""
    if axis in config.parameters:
        value = abs(config.parameters[axis].value)
    else:
        value = float(np.abs(config.states[axis].initial).max())
    return value or 1.0
