"""The model record: a user's vector field with named states and parameters."""

import math
import unicodedata
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.files.errors import ConfigError
from odeflow.problem.algebraic import Algebraic, rates
from odeflow.problem.declaration import Declaration, Variable
from odeflow.problem.knots import Knots

Scalar = jax.Array


class Component(NamedTuple):
    """One scalar of the state: the state it belongs to and its index there (() for a scalar)."""

    state: str
    index: tuple[int, ...]


#: A function of `(t, y, args)`; `y` and `args` are records.
PointFunction = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True, eq=False)
class Event:
    """States get new values where a condition becomes true, at once or after a delay.

    All functions are in JAX. `trigger` gives a boolean: where it becomes true the event *fires*,
    and it *happens* `delay` later, at once where that is None. `assignments` gives new values by
    state, of the time when it fires or, without `uses_trigger_values`, when it happens. Where
    `place` is given, it makes of them, and of (t, y, args) when the event happens, the new values
    by state. `initial` is whether the trigger counts as true before t0: it fires at t0 where that
    is false and it holds there. Where not `persistent`, an event that waits is forgotten when its
    trigger becomes false. Of events due at one time that of the highest `priority` happens first;
    one of equals is drawn; those without follow in their order. Triggers and priorities are looked
    at again after each. A parameter that an event changes has to be a state whose derivative is
    zero.

    Reference: SBML Level 3 Version 2 Core, section 4.11.
    """

    trigger: PointFunction
    assignments: Callable[[Any, Any, Any], Mapping[str, Any]]
    initial: bool = True
    delay: PointFunction | None = None
    priority: PointFunction | None = None
    uses_trigger_values: bool = True
    persistent: bool = True
    place: Callable[[Any, Any, Any, Mapping[str, Any]], Mapping[str, Any]] | None = None

    def each(self, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> "Event":
        """The event with each of its functions changed."""
        names = ("trigger", "assignments", "delay", "priority", "place")
        functions = {name: getattr(self, name) for name in names}
        return replace(self, **{name: f and change(f) for name, f in functions.items()})


class Formula(NamedTuple):
    """A quantity that is computed from parameters alone: those it reads, and its value of them."""

    reads: frozenset[str]
    value: Callable[[Mapping[str, np.ndarray]], np.ndarray]


class Jumping(NamedTuple):
    """What a model does where something is given at a time: functions of (t, y, args).

    Each gives a new state: `leave` before, at what was given until then, `arrive` after.
    """

    leave: PointFunction
    arrive: PointFunction


class Stopping(NamedTuple):
    """What a model with sensitivities has to say where a stop ends a trajectory.

    `conditions` stand for those of the thresholds, in their order; `names` are those of the
    derivatives of the time, axis by axis. `values(t, y, args, fired)` gives these by name, and the
    total derivatives of states and observables at a time that moves; `fired` is which stops have.
    """

    names: tuple[str, ...]
    conditions: tuple[PointFunction, ...]
    values: Callable[[Any, Any, Any, Any], Mapping[str, Any]]


@runtime_checkable
class Dosing(Protocol):
    """Doses and their derivatives: what jumps change, and the jumps of lanes, the first at t0."""

    @property
    def targets(self) -> Any:  # noqa: D102
        ...

    def jumps(self, axes: Mapping[str, np.ndarray], lanes: Any) -> Any:  # noqa: D102
        ...


@dataclass(frozen=True)
class Model:
    """A vector field over named records.

    `declared` says what its states and parameters are; `function` is the user's `(t, y, args)`, and
    `observables_function` theirs for the observables, if any. `y` and `args` are NamedTuples in
    the order of the declaration; a state's leaf has the state's shape. `derivatives` names the
    states and observables that are derivatives, and the variable and axis of each. `start` gives
    what the model computes at t0 from the values of axes: states and parameters by name. `fixed`
    are the observables that do not change along a trajectory unless a parameter does. `hidden`
    names the states that are never saved, `jumping` is what the model itself does at jumps,
    `dosing` how doses change its derivatives, and `stopping` what stops do. At `knots` its
    functions have kinks in time: adaptive steps end there. The rows of its `algebraic` equations
    in the vector field are residuals.
    """

    declared: Declaration
    function: Callable[..., Any]
    observables_function: Callable[..., Any] | None = None
    derivatives: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    start: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]] = lambda axes: {}
    fixed: Mapping[str, Formula] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    dosing: Dosing | None = None
    jumping: Jumping | None = None
    stopping: Stopping | None = None
    algebraic: Algebraic | None = None
    knots: Knots | None = None

    @cached_property
    def State(self) -> Any:
        """The NamedTuple class of the state."""
        return namedtuple(f"{self.declared.name}_state", list(self.declared.states))

    @cached_property
    def Args(self) -> Any:
        """The NamedTuple class of the parameters."""
        return namedtuple(f"{self.declared.name}_args", list(self.declared.parameters))

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """The scalars of the state, in order; array states in C order."""
        return tuple(
            Component(name, index)
            for name, state in self.declared.states.items()
            for index in np.ndindex(state.shape)
        )

    @cached_property
    def arrived(self) -> Callable[[Any, Any], Any]:
        """States of lanes on arrival at t0, of (lane, component) and (lane, parameter)."""
        arrive = self.jumping.arrive if self.jumping else lambda t, y, args: y
        here = lambda y: (jnp.asarray(self.declared.t0, y.dtype), self.unflatten(tuple(y)))
        there = lambda y, args: self.flatten(arrive(*here(y), self.Args(*args)))
        return jax.jit(jax.vmap(lambda y, args: jnp.stack(there(y, args))))

    @property
    def explicit(self) -> tuple[bool, ...]:
        """Of every component, whether its row of the vector field is its derivative."""
        if self.algebraic is None:
            return (True,) * len(self.components)
        return self.algebraic.matrix.explicit

    def vector_field(self, t: Any, y: Any, args: Any) -> Any:
        """Time derivative of the state, as a record; raises ConfigError on a wrong return value."""
        derivative = _by_name(self.function(t, y, args), self.declared, "vector_field")
        leaves = []
        for name, state in self.declared.states.items():
            leaf = jnp.asarray(derivative[name])
            if leaf.shape != state.shape:
                raise ConfigError(
                    f"model.vector_field: {self.declared.origin} returned shape {leaf.shape} "
                    f"for the state {name!r}; its shape is {state.shape}"
                )
            if not jnp.issubdtype(leaf.dtype, jnp.floating):
                if not jnp.issubdtype(leaf.dtype, jnp.integer):
                    raise ConfigError(
                        f"model.vector_field: {self.declared.origin} returned {leaf.dtype} "
                        f"for the state {name!r}; real numbers are needed"
                    )
                leaf = leaf.astype(jnp.result_type(t))
            leaves.append(leaf.astype(jnp.result_type(getattr(y, name))))
        return self.State(*leaves)

    def rates(self, t: Any, y: Any, args: Any) -> Any:
        """Time derivative of a state that obeys the algebraic equations, as a record."""
        if self.algebraic is None:
            return self.vector_field(t, y, args)
        field = lambda t, y: jnp.stack(self.flat_vector_field(t, tuple(y), tuple(args)))
        found = rates(self.algebraic.matrix, field, t, jnp.stack(self.flatten(y)))
        return self.unflatten(tuple(found))

    def observables(self, t: Any, y: Any, args: Any) -> dict[str, Scalar]:
        """Observables by name, each a scalar; raises ConfigError on a wrong return value."""
        if self.observables_function is None:
            return {}
        values = self.observables_function(t, y, args)
        where = f"model.observables: {self.declared.observables_origin}"
        if not isinstance(values, Mapping):
            raise ConfigError(f"{where} must return a dict of names and values")
        values = _spelled(values)
        declared = self.declared.observables
        if declared and set(declared) != set(values):
            raise ConfigError(
                f"{where} returned {', '.join(values)}; the config declares {', '.join(declared)}"
            )
        result = {name: jnp.asarray(value) for name, value in values.items()}
        dims = self.declared.dims
        for name, value in result.items():
            if value.shape != ():
                raise ConfigError(f"{where}: {name!r} has shape {value.shape}; scalars are needed")
            if name in self.declared.states or name in self.declared.parameters or name in dims:
                raise ConfigError(f"{where}: {name!r} is already a state, parameter or dimension")
        return {name: value.astype(jnp.result_type(t)) for name, value in result.items()}

    def flat_vector_field(self, t: Any, y: Sequence[Any], args: Sequence[Any]) -> tuple[Any, ...]:
        """The vector field over scalars: component values in, component derivatives out."""
        return self.flatten(self.vector_field(t, self.unflatten(y), self.Args(*args)))

    def flat_observables(self, t: Any, y: Sequence[Any], args: Sequence[Any]) -> dict[str, Any]:
        """The observables over scalars, by name."""
        return self.observables(t, self.unflatten(y), self.Args(*args))

    def assigned(
        self, event: Event, t: Any, y: Any, args: Any, values: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """What an event that happens gives states, by name, in their shape and type.

        `values` are its assignments of when it fired, if they are to be taken.
        """
        if values is None:
            values = event.assignments(t, y, args)
        if event.place is not None:
            values = event.place(t, y, args, values)
        new = {}
        for name, value in values.items():
            old = jnp.asarray(getattr(y, name))
            new[name] = jnp.broadcast_to(jnp.asarray(value, old.dtype), old.shape)
        return new

    def observer(self, names: Sequence[str]) -> Callable[..., dict[str, Any]]:
        """A function of `(t, y, args)` that gives states and observables of these names."""

        def observe(t: Any, y: Any, args: Any) -> dict[str, Any]:
            states = y._asdict()
            known = states if set(names) <= set(states) else states | self.observables(t, y, args)
            return {name: known[name] for name in names}

        return observe

    def unflatten(self, components: Sequence[Any]) -> Any:
        """State record from its scalars, in the order of `components`."""
        values: Iterator[Any] = iter(components)
        leaves = []
        for state in self.declared.states.values():
            size = math.prod(state.shape)
            parts = [next(values) for _ in range(size)]
            leaves.append(jnp.stack(parts).reshape(state.shape) if state.shape else parts[0])
        return self.State(*leaves)

    def flatten(self, y: Any) -> tuple[Any, ...]:
        """Scalars of a state record, in the order of `components`."""
        return tuple(
            getattr(y, component.state)[component.index]
            if component.index
            else getattr(y, component.state)
            for component in self.components
        )

    def variables(self) -> dict[str, Variable]:
        """Units and long name of every state and observable, in order."""
        states, observables = self.declared.states, self.declared.observables
        known = {**states, **{n: observables.get(n, Variable()) for n in self.observable_names}}
        return {name: Variable(v.units, v.long_name or name) for name, v in known.items()}

    @cached_property
    def observable_names(self) -> tuple[str, ...]:
        """Names of the observables, in the order the function returns them."""
        if self.observables_function is None:
            return ()
        names: list[str] = []
        # JAX sorts the keys of a dict, so the order is taken down on the way.
        jax.eval_shape(lambda *point: names.extend(self.observables(*point)), *self.example())
        return tuple(names)

    def example(self, dtype: Any = float) -> tuple[Any, Any, Any]:
        """`(t, y, args)` at t0 with the declared initial state and parameters, as arrays."""
        y = self.State(*(jnp.asarray(s.initial, dtype) for s in self.declared.states.values()))
        args = self.Args(*(jnp.asarray(p.value, dtype) for p in self.declared.parameters.values()))
        return jnp.asarray(self.declared.t0, dtype), y, args

    def trace(self) -> None:
        """Traces the functions once; raises ConfigError on a wrong return value."""
        point = self.example()
        jax.eval_shape(self.vector_field, *point)
        jax.eval_shape(self.observables, *point)


def _spelled(values: Mapping[Any, Any]) -> dict[Any, Any]:
    """The same with names as Python spells attributes: text is left as it is typed."""
    return {
        unicodedata.normalize("NFKC", name) if isinstance(name, str) else name: value
        for name, value in values.items()
    }


def _by_name(value: Any, declared: Declaration, key: str) -> Mapping[str, Any]:
    """The function's return as a mapping by state name; raises ConfigError naming the state."""
    names = list(declared.states)
    where = f"model.{key}: {declared.origin}"
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()  # type: ignore[union-attr]
    if isinstance(value, Mapping):
        value = _spelled(value)
        missing = [name for name in names if name not in value]
        extra = [str(name) for name in value if name not in names]
        if missing or extra:
            parts = []
            if missing:
                parts.append(f"no derivative for the state {', '.join(map(repr, missing))}")
            if extra:
                parts.append(f"{', '.join(map(repr, extra))} is not a state")
            raise ConfigError(f"{where} returned {' and '.join(parts)}; states: {', '.join(names)}")
        return value
    if isinstance(value, tuple | list):
        if len(value) != len(names):
            raise ConfigError(
                f"{where} returned {len(value)} value(s) for {len(names)} states "
                f"({', '.join(names)})"
            )
        return dict(zip(names, value))
    if value is None:
        raise ConfigError(f"{where} returned nothing: is a `return` missing?")
    array = jnp.asarray(value)
    if array.shape == (len(names),) and not any(s.shape for s in declared.states.values()):
        return dict(zip(names, array))
    raise ConfigError(
        f"{where} returned an array of shape {array.shape}; return a dict by state name "
        f"({', '.join(names)}), or a tuple in that order"
    )
