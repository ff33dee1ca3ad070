"""Forward sensitivities: a model with the derivatives of its states as further states.

For the axis p, a parameter or an initial value, the sensitivity s = dy/dp obeys the variational
equation

    ds/dt = (df/dy) s + df/dp,    s(t0) = dy(t0)/dp,

whose right-hand side is one directional derivative of the vector field, `jax.jvp`. The engines see
a larger model and nothing else, so sensitivities take part in the control of the step size. Where
something switches at a time that depends on p, s jumps, see `saltation`.

Reference: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 2nd ed., section
I.14; Hindmarsh et al., ACM Trans. Math. Softw. 31, 363-396 (2005), section 2.5.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.files.errors import ConfigError
from odeflow.problem.conditions.compared import kinds
from odeflow.problem.conditions.comparisons import held_components
from odeflow.problem.conditions.decisions import HiddenDecisionError
from odeflow.problem.declaration import Declaration, State, Variable
from odeflow.problem.derivative_names import sensitivity_attributes, sensitivity_names
from odeflow.problem.doses import Stop
from odeflow.problem.model import Jumping, Model
from odeflow.problem.problem import Lanes
from odeflow.problem.solver import Solver, Tolerances
from odeflow.problem.start import ComputedStart
from odeflow.problem.transforms.algebraic_derivatives import (
    refuse_moving,
    with_algebraic_derivatives,
)
from odeflow.problem.transforms.dose_derivatives import DoseDerivatives
from odeflow.problem.transforms.given_doses import DosesOfModel
from odeflow.problem.transforms.saltation import MEMORY, Saltation
from odeflow.problem.transforms.saltation_events import SaltationEvents
from odeflow.problem.transforms.stop_derivatives import stopping
from odeflow.problem.transforms.stops import thresholds

#: Most scalars of comparisons, each of which is watched while solving.
_MOST_DECISIONS = 200
#: A function of (t, state record, args record), differentiated in the last two.
PointFunction = Callable[[Any, Any, Any], Any]
#: Of an args record: along each axis, derivatives of parameters by name, where they are not zero.
Seeds = Callable[[Any], list[dict[str, Any]]]


def with_sensitivities(
    model: Model,
    axes: Sequence[str],
    doses: DosesOfModel | None,
    stop: Stop | None,
    tolerances: Tolerances,
) -> Model:
    """The model that has the derivatives of its states and observables along axes.

    It is returned as it is where there are no axes. Else it has the states and observables
    `d_<variable>_d_<axis>`, in the shape of the variable; `sensitivity_tolerances` says what the
    solver of its problem is. `doses` are those of the model, `tolerances` those of its states.

    Raises ConfigError where a name is taken, where JAX cannot differentiate the model, or where it
    switches in a way whose effect on derivatives is not known.
    """
    if not axes:
        return model
    variables = [*model.declared.states, *model.observable_names]
    derivatives = sensitivity_names(variables, axes, model.declared)
    varied = None if doses is None else DoseDerivatives(doses, axes)
    varied = varied or None
    seeds = _seeds(model, axes, varied)
    conditions = tuple(one.is_beyond(model) for one in thresholds(stop, model))
    jumps = _saltation(model, axes, seeds, varied, conditions)
    augmented = Model(
        _declaration(model, derivatives, jumps.memory if jumps else 0, varied),
        _vector_field(model, axes, seeds, jumps),
        model.observables_function and _observables(model, axes, seeds, derivatives),
        derivatives,
        start=model.start.along(derivatives)
        if isinstance(model.start, ComputedStart)
        else model.start,
        fixed=model.fixed,
        knots=model.knots,
    )
    if jumps:
        augmented = replace(augmented, events=SaltationEvents(jumps).events(), hidden=(MEMORY,))
    if jumps or varied:
        jumping = Jumping(jumps.leave, jumps.arrive)
        augmented = replace(augmented, jumping=jumping, dosing=varied)
    if model.algebraic is not None:
        refuse_moving(model, bool(jumps or varied), stop)
        along = lambda function: lambda *here: _differentiated(model, function, axes, seeds, *here)
        augmented = with_algebraic_derivatives(augmented, model.algebraic, len(axes), along)
    stopped = stopping(stop, model, jumps, derivatives, tolerances)
    augmented = replace(augmented, stopping=stopped)
    _check(augmented)
    return augmented


def at_start(model: Model, lanes: Lanes) -> Lanes:
    """Lanes whose states remember what holds at t0, after what is given then."""
    if model.jumping is None:
        return lanes

    more = (1 << (lanes.size - 1).bit_length()) - lanes.size  # compiled for few sizes
    padded = (np.pad(x, [(0, 0), (0, more)], "edge").T for x in (lanes.y0, lanes.args))
    return replace(lanes, y0=np.asarray(model.arrived(*padded))[: lanes.size].T)


def sensitivity_tolerances(solver: Solver, model: Model) -> Solver:
    """A solver for a model's own states with tolerances for its derivatives and hidden states too.

    The absolute tolerance of a sensitivity is that of its state over the size of the axis' nominal
    value, which is what CVODES takes; root finders keep that of the states.
    """
    if not model.derivatives:
        return solver
    known = solver.tolerances.atol
    of_sensitivities = {
        name: known[variable] / _nominal_size(model.declared, axis)
        for name, (variable, axis) in model.derivatives.items()
        if variable in known
    }
    # what is remembered of switches does not change within a step
    atol = {**dict.fromkeys(model.hidden, 1.0), **known, **of_sensitivities}
    return replace(
        solver,
        tolerances=replace(solver.tolerances, atol=atol),
        root_finder_atol=solver.root_finder_tolerances[1],
    )


def _check(model: Model) -> None:
    """Raises ConfigError where a function has no forward mode; that is seen when it is lowered."""
    model.trace()
    both = lambda *point: (model.vector_field(*point), model.observables(*point))
    try:
        jax.jit(both).lower(*model.example())
    except TypeError as error:
        text = str(error).split("\n", 1)[0]
        raise ConfigError(
            f"saveat.sensitivities: JAX cannot differentiate {model.declared.origin} or the "
            f"observables: {text} Use jax.custom_jvp there"
        ) from error


def _seeds(model: Model, axes: Sequence[str], doses: DoseDerivatives | None) -> Seeds:
    """Of the args of the model with sensitivities, by axis, those that depend on it."""
    names = list(model.declared.parameters)

    def seeds(args: Any) -> list[dict[str, Any]]:
        own = [{a: jnp.ones_like(args[names.index(a)])} if a in names else {} for a in axes]
        if doses is None:
            return own
        given = doses.seeds(args)
        return [one | {names[i]: x for i, x in more.items()} for one, more in zip(own, given)]

    return seeds


def _saltation(
    model: Model,
    axes: Sequence[str],
    seeds: Seeds,
    doses: DoseDerivatives | None,
    conditions: tuple[PointFunction, ...],
) -> Saltation:
    """The jumps of sensitivities; raises ConfigError where they cannot be known."""
    parameters = list(model.declared.parameters)
    moving = frozenset(parameters.index(axis) for axis in axes if axis in parameters)
    moving |= doses.moving if doses else frozenset()

    def records(args: Any) -> tuple[Any, tuple[Any, ...]]:
        own = model.Args(*args[: len(parameters)])
        zero = jax.tree.map(jnp.zeros_like, own)
        return own, tuple(zero._replace(**seed) for seed in seeds(args))

    _refuse_equal(model)
    jumps = Saltation(model, axes, records, moving, doses, conditions)
    try:
        number = jumps.decisions.number
    except HiddenDecisionError as error:
        raise ConfigError(
            f"saveat.sensitivities: {error or model.declared.origin} decides by comparing in a way "
            "that derivatives cannot follow; write it with jnp.where, or take the sensitivities out"
        ) from None
    if number > _MOST_DECISIONS:
        raise ConfigError(
            f"saveat.sensitivities: {model.declared.origin} makes {number:,} comparisons that "
            f"derivatives have to follow; at most {_MOST_DECISIONS:,} can be: write the field with "
            "fewer, or with jnp.maximum and jnp.minimum, which need none"
        )
    if jumps and MEMORY in {*model.declared.states, *parameters, *model.observable_names}:
        raise ConfigError(
            f"saveat.sensitivities: {MEMORY} is a name that odeflow needs where a model switches; "
            f"rename it in the model"
        )
    return jumps


def _refuse_equal(model: Model) -> None:
    """Raises ConfigError where a trigger holds at one time only, and no outcome changes."""
    t, y, args = model.example()
    held = held_components(model) if model.events else frozenset()
    moving = {c.state for i, c in enumerate(model.components) if i not in held}
    still = [False, *(name not in moving for name in model.declared.states)]
    for event in model.events:
        if any(kind.equal for kind in kinds(event.trigger, (t, y), (args,), still)):
            raise ConfigError(
                f"saveat.sensitivities: the trigger of an event in {model.declared.origin} "
                "tests whether numbers are equal; derivatives cannot follow that: write two "
                "events, one with > and one with <"
            )


def _declaration(
    model: Model,
    derivatives: Mapping[str, tuple[str, str]],
    memory: int,
    doses: DoseDerivatives | None,
) -> Declaration:
    """That of a model with the sensitivities among its states and observables.

    Beside them are a state that remembers `memory` numbers, if any, and the parameters of doses.
    """
    declared, known = model.declared, model.variables()
    states = dict(declared.states)
    observables = {name: known[name] for name in model.observable_names}
    for name, (variable, axis) in derivatives.items():
        units, words = known[variable].units, known[variable].long_name or variable
        attributes = sensitivity_attributes(units, words, axis, declared)
        if variable in declared.states:
            state = declared.states[variable]
            initial = np.full(state.shape, float(variable == axis))
            states[name] = State(**attributes, initial=initial, dims=state.dims)
        else:
            observables[name] = Variable(**attributes)
    if memory:
        numbers = (f"{MEMORY}_number",)
        states[MEMORY] = State(long_name=MEMORY, initial=np.zeros(memory), dims=numbers)
    changed = replace(declared, states=states, observables=observables)
    return changed if doses is None else changed.with_parameters(doses.parameters)


def _vector_field(
    model: Model, axes: Sequence[str], seeds: Seeds, jumps: Saltation
) -> PointFunction:
    def vector_field(t: Any, y: Any, args: Any) -> tuple[Any, ...]:
        function, memory = model.vector_field, ()
        if jumps:
            memory = (jnp.zeros_like(y[-1]),)
        if jumps.watches_states:
            # no stage of a step sees the other side of what the step will be cut at
            function = jumps.smooth(jax.lax.stop_gradient(y[-1]))
        value, along = _differentiated(model, function, axes, seeds, t, y, args)
        return (*value, *chain(*along), *memory)

    return vector_field


def _observables(
    model: Model, axes: Sequence[str], seeds: Seeds, derivatives: Mapping[str, tuple[str, str]]
) -> PointFunction:
    def observables(t: Any, y: Any, args: Any) -> dict[str, Any]:
        value, along = _differentiated(model, model.observables, axes, seeds, t, y, args)
        by_axis = dict(zip(axes, along))
        # By name: JAX returns a dict in the order of its sorted keys.
        result = {name: value[name] for name in model.observable_names}
        return result | {
            name: by_axis[axis][variable]
            for name, (variable, axis) in derivatives.items()
            if variable in value
        }

    return observables


def _differentiated(
    model: Model,
    function: PointFunction,
    axes: Sequence[str],
    seeds: Seeds,
    t: Any,
    y: Any,
    args: Any,
) -> tuple[Any, list[Any]]:
    """The value of a model's function, and its total derivative along each axis.

    `y` is a record of the augmented model: the states, then their sensitivities axis by axis.
    """
    size = len(model.declared.states)
    starts = range(0, (1 + len(axes)) * size, size)
    state, *directions = (model.State(*y[i : i + size]) for i in starts)
    seeded = seeds(args)
    args = model.Args(*args[: len(model.declared.parameters)])
    # The value comes once per axis; both engines compute once what is written twice.
    pairs = [
        _derivative(function, t, state, args, seed, direction)
        for seed, direction in zip(seeded, directions)
    ]
    return pairs[0][0], [derivative for _, derivative in pairs]


def _derivative(
    function: PointFunction,
    t: Any,
    state: Any,
    args: Any,
    seed: Mapping[str, Any],
    direction: Any,
) -> tuple[Any, Any]:
    """Value, and derivative along `direction` and along the parameters with a seed."""

    def at(state: Any, *parameters: Any) -> Any:
        return function(t, state, args._replace(**dict(zip(seed, parameters))))

    given = (getattr(args, name) for name in seed)
    return jax.jvp(at, (state, *given), (direction, *seed.values()))


def _nominal_size(declared: Declaration, axis: str) -> float:
    """Size of the nominal value of an axis, 1 where that is zero."""
    if axis in declared.parameters:
        return abs(declared.parameters[axis].value) or 1.0
    return float(np.abs(declared.states[axis].initial).max()) or 1.0
