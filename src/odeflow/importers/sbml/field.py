"""A system's equations as functions of JAX, in the form of any other model."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.config.model import ModelConfig
from odeflow.config.observables import Observables
from odeflow.files.errors import ConfigError
from odeflow.importers.expressions.evaluation import evaluate
from odeflow.importers.expressions.expression import TIME, Expression, Number, Symbol
from odeflow.importers.sbml.config import extended_system
from odeflow.importers.sbml.fast import Parts, equilibrium, equilibrium_field
from odeflow.importers.sbml.source import source_of
from odeflow.importers.sbml.system import SBMLEvent, System, assigned_to, depends_on
from odeflow.problem.model import Event, Formula

Columns = Mapping[str, np.ndarray]


class ModelFunctions(NamedTuple):
    """The functions of a `Model`; `observables` is None where there are none."""

    vector_field: Callable[..., Any]
    observables: Callable[..., Any] | None
    events: tuple[Event, ...]
    start: Callable[[Columns], Columns]
    fixed: Mapping[str, Formula]


def imported_functions(config: ModelConfig, study: Path) -> ModelFunctions:
    """The functions of an imported model.

    Raises ConfigError where the file is missing, or is not that which the config was made from.
    """
    source = source_of(config, study)
    assert source is not None
    observed = config.observables or Observables.model_validate({})
    system = extended_system(config.model_dump(mode="json"), source)
    observables = observed.variables
    for name in (*config.states, *config.parameters, *observables):
        if name not in system.values and name not in system.assigned:
            raise ConfigError(
                f"{source.place()}: it has no {name!r}, which the config names: the config was "
                "made from another version of the file"
            )
    return ModelFunctions(
        _vector_field(system, list(config.states)),
        _observables(system, list(observables)),
        tuple(_event(system, event) for event in system.events),
        _start(system, config),
        {name: _formula(system, name) for name in observables if name in system.fixed},
    )


def _event(system: System, event: SBMLEvent) -> Event:
    def number(expression: Expression | None) -> Callable[..., Any] | None:
        if expression is None:
            return None
        values = _values(system, {"number": expression})
        return lambda t, y, args: values(t, y, args)["number"]

    trigger, placed = number(event.trigger), _values(system, event.states)
    assert trigger is not None

    def place(t: Any, y: Any, args: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        new = {assigned_to(name): value for name, value in values.items()}
        return placed(t, y, args, new)

    as_assigned = all(
        isinstance(x, Symbol) and x.name == assigned_to(name) for name, x in event.states.items()
    )
    return Event(
        trigger=trigger,
        assignments=_values(system, event.assignments),
        initial=event.initially_true,
        delay=number(event.delay),
        priority=number(event.priority),
        uses_trigger_values=event.uses_trigger_values,
        persistent=event.persistent,
        place=None if as_assigned else place,
    )


def _values(system: System, expressions: Mapping[str, Expression]) -> Callable[..., dict[str, Any]]:
    """The values of expressions by name, as a function of (t, y, args) and what else is known."""
    named = {name: f"value of {name}" for name in expressions}
    equations = (
        *system.needed(*expressions.values()),
        *((named[name], expression) for name, expression in expressions.items()),
    )

    def values(t: Any, y: Any, args: Any, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        known = {TIME: t, **y._asdict(), **args._asdict(), **(given or {})}
        found = evaluate(equations, known, jnp, jnp.result_type(t))
        return {name: found[value] for name, value in named.items()}

    return values


def _vector_field(system: System, states: list[str]) -> Callable[..., dict[str, Any]]:
    if not system.fast:
        return _values(system, {name: system.rates[name] for name in states})

    def vector_field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        x = jnp.stack([getattr(y, name) for name in states])
        parts = _fast_parts(system, states, args._asdict())
        return dict(zip(states, equilibrium_field(parts, t, x)))

    return vector_field


def _fast_parts(system: System, states: list[str], args: Mapping[str, Any]) -> Parts:
    """The parts of a model with fast reactions, in the order of the states."""
    moves = [system.fast[name].get(state, Number(0.0)) for state in states for name in system.fast]
    wanted = [*(system.rates[name] for name in states), *moves]
    wanted += [system.assigned[name] for name in system.fast]
    named = [(f"part {i}", expression) for i, expression in enumerate(wanted)]
    equations = (*system.needed(*wanted), *named)

    def parts(t: Any, x: Any) -> tuple[Any, Any, Any]:
        known = {TIME: t, **args, **dict(zip(states, x))}
        dtype = jnp.result_type(t)
        values = evaluate(equations, known, jnp, dtype)
        flat = jnp.stack([jnp.asarray(values[name], dtype) for name, _ in named])
        size, number = len(states), len(system.fast)
        N = flat[size : size + size * number].reshape(size, number)
        return flat[:size], flat[size + size * number :], N

    return parts


def _observables(system: System, names: list[str]) -> Callable[..., dict[str, Any]] | None:
    return _values(system, {name: system.assigned[name] for name in names}) if names else None


def _formula(system: System, name: str) -> Formula:
    equations = system.needed(Symbol(name))

    def value(known: Columns) -> np.ndarray:
        return np.asarray(evaluate(equations, known, np)[name], float)

    return Formula(frozenset(system.fixed[name]), value)


def _start(system: System, config: ModelConfig) -> Callable[[Columns], Columns]:
    """What axes change of the values that the model computes at t0.

    An axis over such a value comes before what computes it. Fast reactions start in equilibrium.
    """
    nominal: dict[str, Any] = {TIME: config.t0}
    nominal |= {name: state.initial for name, state in config.states.items()}
    nominal |= {name: parameter.value for name, parameter in config.parameters.items()}
    computed = set(config.computed or ()) & set(system.initial)

    def start(axes: Columns) -> Columns:
        fixed = {name for name in nominal if name not in computed or name in axes}
        equations = tuple((name, x) for name, x in system.start(computed) if name not in fixed)
        changed = computed.intersection(depends_on(equations, axes))
        known = nominal | dict(axes)
        if changed:
            given = {name: known[name] for name in known if name in fixed or name not in nominal}
            values = evaluate(equations, given, np)
            known |= {name: values[name] for name in changed}
        size = np.shape(next(iter(axes.values()))) if axes else (1,)
        found = {name: np.broadcast_to(known[name], size) for name in sorted(changed)}
        if system.fast:
            columns = {
                name: np.broadcast_to(np.asarray(known[name], float), size) for name in nominal
            }
            found |= _in_equilibrium(system, list(config.states), columns)
        return found

    return start


def _in_equilibrium(system: System, states: list[str], columns: Columns) -> Columns:
    """The states, one lane per row, moved into the equilibrium of the fast reactions."""

    def moved(known: Any) -> Any:
        known = dict(known)
        t = known.pop(TIME)
        x = jnp.stack([known.pop(name) for name in states])
        return equilibrium(_fast_parts(system, states, known), t, x)

    x = np.asarray(jax.jit(jax.vmap(moved))({name: columns[name] for name in columns}))
    return {name: x[:, i] for i, name in enumerate(states)}
