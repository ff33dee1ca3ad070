"""The equations of a model, as names and expressions: what all of this package is about.

    dx/dt = f(t, x, a, p),    a = g(t, x, a, p),    x(t0), p = h(p)

with states x, assigned quantities a (assignment rules, reaction rates, concentrations in
compartments that change) and parameters p.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from odeflow.config.observables import VariableConfig
from odeflow.config.validate import nearest
from odeflow.files.errors import ConfigError
from odeflow.importers.expressions.expression import Expression, names

Equations = tuple[tuple[str, Expression], ...]


@dataclass(frozen=True)
class SBMLEvent:
    """An SBML event: when its trigger becomes true, quantities take new values.

    `assignments` are the new values by quantity, and `states` the new values of states, which read
    them as `assigned_to` the quantities: they differ where a species is held as its amount.
    `delay` is the time between, `priority` orders events that are due at once; None where the
    model has none. Where `uses_trigger_values`, the assignments are those of when the trigger
    became true. Where not `persistent`, an event whose trigger is false again before the delay is
    over does not happen. `initially_true` is what the trigger counts as before the start.
    """

    name: str
    line: int
    trigger: Expression
    assignments: Mapping[str, Expression]
    states: Mapping[str, Expression]
    delay: Expression | None = None
    priority: Expression | None = None
    uses_trigger_values: bool = True
    persistent: bool = True
    initially_true: bool = True

    @property
    def expressions(self) -> list[Expression]:
        """All that it reads quantities by, but for what it assigns."""
        parts = (self.trigger, self.delay, self.priority)
        others = (*self.assignments.values(), *self.states.values())
        return [part for part in (*parts, *others) if part is not None]


def assigned_to(name: str) -> str:
    """The name in an expression of what an event assigns to a quantity."""
    return f"new {name}"


class DelayedState(NamedTuple):
    """A state as it was `by` before: a number, or the name of a parameter."""

    of: str
    by: float | str


@dataclass(frozen=True)
class Species:
    """What the name of a species stands for: its amount, or its concentration in a compartment."""

    compartment: str
    is_amount: bool


@dataclass(frozen=True)
class System:
    """A model's equations and what is known of its quantities.

    `rates` are the derivatives of the states, `assigned` the other quantities that change; an
    expression may read any name. `values` are what the file gives for states and parameters
    (None where it gives none), `initial` what is computed at t0 instead. `labels` are units and
    long names. `observables` are those of the assigned quantities that a user would want, and
    `reactions` the rates of the reactions. `fast` are reactions that are in equilibrium at all
    times, no part of `rates`, and what one unit of each does to the states. `ids` are the names by
    the ids of the file, `amounts` the compartments by the states that are amounts in them. Of the
    `algebraic` states `rates` has what is zero at all times. `delays` are names that expressions
    read beside, of states as they were before.
    """

    name: str
    title: str | None
    time_units: str
    rates: Mapping[str, Expression]
    assigned: Mapping[str, Expression]
    initial: Mapping[str, Expression]
    values: Mapping[str, float | None]
    labels: Mapping[str, VariableConfig]
    observables: tuple[str, ...]
    reactions: tuple[str, ...]
    fast: Mapping[str, Mapping[str, Expression]]
    ids: Mapping[str, str]
    species: Mapping[str, Species]
    amounts: Mapping[str, str]
    events: tuple[SBMLEvent, ...] = ()
    algebraic: tuple[str, ...] = ()
    delays: Mapping[str, DelayedState] = field(default_factory=dict)

    @property
    def states(self) -> list[str]:
        """Names of what has a rate of change, in the order of the file."""
        return [name for name in self.values if name in self.rates]

    @property
    def parameters(self) -> list[str]:
        """Names of what does not change along a trajectory."""
        return [name for name in self.values if name not in self.rates]

    def needed(self, *expressions: Expression) -> Equations:
        """The assigned quantities that expressions read, directly or not, in order."""
        return _ordered(self.assigned, names(*expressions))

    def start(self, wanted: Iterable[str] | None = None) -> Equations:
        """What is computed at t0, in order; an initial value that reads a rate is among it.

        All of it, or what those `wanted` need.
        """
        return _ordered(
            {**self.assigned, **self.initial}, self.initial if wanted is None else wanted
        )

    def depending_on(self, changed: Iterable[str]) -> list[str]:
        """The assigned quantities that read one of these names, directly or not."""
        changed = list(changed)
        if not changed:
            return []
        return list(depends_on(_ordered(self.assigned, self.assigned), changed))

    def with_inputs(self, inputs: Mapping[str, str]) -> "System":
        """The system with inputs over time in place of parameters of these names.

        With each goes the key of the config that asks for it.
        Raises ConfigError for one that is no parameter, and for one that something at t0 reads.
        """
        if not inputs:
            return self
        for name, key in inputs.items():
            if name not in self.parameters:
                what = "a state" if name in self.rates else "no parameter"
                near = nearest(name, self.parameters)
                raise ConfigError(f"{key}: it is {what} of the file; name a parameter of it{near}")
            if self.fast:
                raise ConfigError(f"{key}: not with fast reactions, whose balance it may shift")
        for name, read in self.dependencies().items():
            for given in (x for x in read if x in inputs and name not in inputs):
                raise ConfigError(
                    f"{inputs[given]}: the file computes the start of {name} of it, which an "
                    f"input over time cannot give; set that in model.states or model.parameters"
                )
        values = {name: value for name, value in self.values.items() if name not in inputs}
        initial = {name: x for name, x in self.initial.items() if name not in inputs}
        return replace(self, values=values, initial=initial)

    def check(self) -> None:
        """Raises ValueError where quantities define each other."""
        _ordered(self.assigned, self.assigned)
        self.start()

    def dependencies(self) -> dict[str, list[str]]:
        """What is computed at t0, and the names that each of it depends on, directly or not."""
        found: dict[str, dict[str, None]] = {}
        for name, expression in self.start():
            found[name] = {}
            for read in names(expression):
                found[name] |= {read: None} | found.get(read, {})
        return {name: list(found[name]) for name in self.initial}

    @cached_property
    def fixed(self) -> dict[str, list[str]]:
        """The assigned quantities that only parameters decide on, and which of them."""
        parameters = {name for name in self.parameters if name not in self.rates}
        found: dict[str, list[str]] = {}
        for name, expression in _ordered(self.assigned, self.assigned):
            read = list(names(expression))
            if all(x in parameters or x in found for x in read):
                of = [y for x in read for y in found.get(x, [x])]
                found[name] = list(dict.fromkeys(of))
        return found

    def names_read(self, observables: Iterable[str]) -> set[str]:
        """All names without which a rate or one of the observables has no value."""
        wanted = [*self.rates.values(), *(self.assigned[name] for name in observables)]
        wanted += [x for moves in self.fast.values() for x in moves.values()]
        wanted += [self.assigned[name] for name in self.fast]
        wanted += [x for event in self.events for x in event.expressions]
        everything = {**self.assigned, **self.initial}
        read = {*names(*wanted), *self.rates}
        return read | {
            name for _, expression in _ordered(everything, read) for name in names(expression)
        }


def _ordered(definitions: Mapping[str, Expression], wanted: Iterable[str]) -> Equations:
    """The definitions that are needed for some of them, each after those that it reads.

    Raises ValueError that names a circle.
    """
    reads: dict[str, list[str]] = {}
    pending = [name for name in wanted if name in definitions]
    while pending:
        name = pending.pop()
        if name not in reads:
            reads[name] = [x for x in names(definitions[name]) if x in definitions]
            pending += reads[name]
    try:
        order = TopologicalSorter({name: reads[name] for name in sorted(reads)}).static_order()
        return tuple((name, definitions[name]) for name in order)
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ValueError(f"these define each other: {circle}") from None


def depends_on(equations: Equations, changed: Iterable[str]) -> Iterator[str]:
    """Names of the ordered equations that read one of the names, directly or not."""
    affected = set(changed)
    for name, expression in equations:
        if affected.intersection(names(expression)):
            affected.add(name)
            yield name
