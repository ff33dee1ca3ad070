"""The quantities of a model in the making: what changes them, what they are at the start."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from odeflow.config.observables import VariableConfig
from odeflow.files.plain_text import without_hidden
from odeflow.importers.expressions.expression import (
    Expression,
    Number,
    Symbol,
    call,
    is_zero,
    names,
    rate_of,
)
from odeflow.importers.expressions.linear import solved_for
from odeflow.importers.refusal import ModelSource, UnsupportedError
from odeflow.importers.sbml.algebraic import OverdeterminedError, determined
from odeflow.importers.sbml.changes import ModelChange, ModelChanges
from odeflow.importers.sbml.elements import children
from odeflow.importers.sbml.mathml import MathError, Translator
from odeflow.importers.sbml.naming import dataset_names, free_name
from odeflow.importers.sbml.system import Species
from odeflow.importers.sbml.units import Units

#: Where the search for a quantity begins that an algebraic rule determines and nothing says.
_GUESS = 1.0


class HeldSpecies(NamedTuple):
    """The state or parameter that holds a species, and the size it is divided by, if any."""

    name: str
    divisor: Symbol | None


class Quantities:
    """Names and expressions of a model; the public attributes are those of its `System`.

    Compartments, species and parameters are read at once; reactions and events add to them.
    `changes` are what experiments change, in formulas that may read parameters `added` to the
    file's.
    """

    def __init__(
        self,
        model: Any,
        source: ModelSource,
        changes: Iterable[ModelChange] = (),
        added: Iterable[str] = (),
    ) -> None:
        self.model, self.source, self.units = model, source, Units(model)
        self.rates: dict[str, Expression] = {}
        self.assigned: dict[str, Expression] = {}
        self.initial: dict[str, Expression] = {}
        self.values: dict[str, float | None] = {}
        self.labels: dict[str, VariableConfig] = {}
        self.observables: list[str] = []
        self.species: dict[str, Species] = {}
        self.held: dict[str, HeldSpecies] = {}
        self.ids = dataset_names(self._identifiers())
        self._taken = set(self.ids.values())
        self.rates_read: dict[str, None] = {}
        self.delayed: dict[str, tuple[Expression, Expression]] = {}
        self.algebraic: list[str] = []
        self._determined = self._by_algebraic_rules()
        self._rules = {x.getVariable(): x for x in children(model, "Rule") if x.isSetMath()}
        self._starts = {
            x.getSymbol(): x for x in children(model, "InitialAssignment") if x.isSetMath()
        }
        self.experiments = ModelChanges(changes, {**{name: name for name in added}, **self.ids})
        self._set_by_events = self.experiments.later | {
            assignment.getVariable()
            for event in children(model, "Event")
            for assignment in children(event, "EventAssignment")
        }
        functions = {x.getIdAttribute(): x.getMath() for x in children(model, "FunctionDefinition")}
        self.translator = Translator(functions, self._quantity, self._rate, self._delay)
        for compartment in children(model, "Compartment"):
            self._read_compartment(compartment)
        for species in children(model, "Species"):
            self._read_species(species)
        for parameter in children(model, "Parameter"):
            value = Number(parameter.getValue()) if parameter.isSetValue() else None
            self.declare(parameter, value, self.units.text(parameter.getUnits()))

    def _by_algebraic_rules(self) -> dict[str, Any]:
        try:
            return determined(self.model)
        except OverdeterminedError as error:
            name = error.rule.getIdAttribute() or error.rule.getMetaId()
            what = "the algebraic rule" + (f" {name!r}" if name else "")
            hint = ": nothing that it names is left to be determined by it"
            raise self.unsupported(what, error.rule, name, hint) from None

    def _identifiers(self) -> Iterator[str]:
        for kind in ("Compartment", "Species", "Parameter", "Reaction"):
            yield from (x.getIdAttribute() for x in children(self.model, kind))
        for reaction in children(self.model, "Reaction"):
            for kind in ("Reactant", "Product"):
                references = children(reaction, kind)
                yield from (x.getIdAttribute() for x in references if x.isSetIdAttribute())

    def number(
        self, element: Any, kind: str, name: str, local: Mapping[str, Expression] | None = None
    ) -> Expression:
        """The mathematics of an element; raises UnsupportedError that names it."""
        try:
            return self.translator.number(element.getMath(), local)
        except MathError as error:
            raise self.unsupported(f"{error} in the {kind} of {name!r}", element, name) from None

    def unsupported(self, what: str, element: Any, name: str = "", hint: str = "") -> Exception:
        """The error that says so of an element."""
        return UnsupportedError(self.source, what, hint, element.getLine(), name)

    def _quantity(self, identifier: str) -> Expression:
        if identifier not in self.ids:
            raise MathError(f"the name {identifier!r}, which is not defined,")
        return Symbol(self.ids[identifier])

    def _rate(self, identifier: str) -> Expression:
        """A `rateOf`; what it stands for is known when the whole model is read."""
        self._quantity(identifier)
        self.rates_read[identifier] = None
        return Symbol(rate_of(self.ids[identifier]))

    def _delay(self, expression: Expression, by: Expression) -> Expression:
        """A `delay`; what it stands for is known when the whole model is read."""
        if isinstance(by, Number) and by.value == 0:
            return expression
        if isinstance(by, Number) and not 0 < by.value < math.inf:
            raise MathError(f"a delay by {by.value:g}")
        name = f"delayed {len(self.delayed)}"
        self.delayed[name] = expression, by
        return Symbol(name)

    def free_name(self, wanted: str) -> str:
        """A name like this that no quantity has."""
        name = free_name(wanted, self._taken)
        self._taken.add(name)
        return name

    def label(self, name: str, units: str, long_name: str) -> None:
        """Keeps units and long name of a quantity."""
        words = without_hidden(long_name)
        self.labels[name] = VariableConfig(units=without_hidden(units), long_name=words or None)

    def has_rule(self, identifier: str) -> bool:
        """Whether a rule decides on a quantity."""
        return identifier in self._rules

    def changes(self, identifier: str) -> bool:
        """Whether a rule or an event changes a quantity."""
        return any(identifier in x for x in (self._rules, self._determined, self._set_by_events))

    def assign(self, name: str, expression: Expression) -> None:
        """Defines a quantity that a user would want to see by an expression at all times."""
        self.assigned[name] = expression
        self.observables.append(name)

    def declare(self, element: Any, given: Expression | None, units: str) -> None:
        """A quantity with a value that is given, unless a rule or an initial assignment is."""
        identifier = element.getIdAttribute()
        name = self.ids[identifier]
        self.label(name, units, element.getName())
        rule = self._rules.get(identifier)
        if rule is not None and rule.isAssignment():
            if identifier in self.experiments.targets:
                what = f"a change of {identifier!r}, which a rule assigns,"
                raise self.unsupported(what, element, identifier)
            self.assign(name, self.number(rule, "assignment rule", identifier))
            return
        start = self._start(identifier, given)
        if identifier in self._determined:
            self.rates[name] = self.number(
                self._determined[identifier], "algebraic rule", identifier
            )
            self.algebraic.append(name)
            start = start or Number(_GUESS)
        elif rule is not None:
            self.rates[name] = self.number(rule, "rate rule", identifier)
        elif identifier in self._set_by_events:
            self.rates[name] = Number(0.0)
        elif isinstance(start, Number) and not math.isfinite(start.value):
            self.assign(name, start)  # no parameter of a dataset may be infinite or not a number
            return
        self.hold(name, start)

    def solve_linear(self) -> None:
        """Makes of algebraic states what a rule assigns, where it is linear in them.

        Not where an event sets them, or where two would then define each other.
        """
        set_by_events = {self.ids.get(identifier) for identifier in self._set_by_events}
        for name in [x for x in self.algebraic if x not in set_by_events]:
            solved = solved_for(name, self.rates[name])
            if solved is None or name in self.read_by(solved):
                continue
            self.algebraic.remove(name)
            for known in (self.rates, self.values, self.initial):
                known.pop(name, None)
            self.assign(name, solved)

    def read_by(self, expression: Expression) -> set[str]:
        """The names that an expression reads, also by way of what is assigned."""
        found: set[str] = set()
        pending = [expression]
        while pending:
            for name in names(pending.pop()):
                if name not in found and name in self.assigned:
                    pending.append(self.assigned[name])
                found.add(name)
        return found

    def _start(self, identifier: str, given: Expression | None) -> Expression | None:
        """What an initial assignment, or a change at the start, says; else what is given."""
        start = self._starts.get(identifier)
        if start is not None:
            given = self.number(start, "initial assignment", identifier)
        return self.experiments.start(identifier, given)

    def hold(self, name: str, start: Expression | None) -> None:
        """A state or parameter and what it is at the start."""
        self.values[name] = None
        if isinstance(start, Number):
            self.values[name] = start.value if math.isfinite(start.value) else None
        elif start is not None:
            self.initial[name] = start

    def _read_compartment(self, compartment: Any) -> None:
        is_set = compartment.isSetSize() or self.model.getLevel() == 1
        given = Number(compartment.getSize()) if is_set else None
        self.declare(compartment, given, self.units.size(compartment))

    def _read_species(self, species: Any) -> None:
        """Its name stands for what its id stands for in the model's mathematics."""
        identifier = species.getIdAttribute()
        name = self.ids[identifier]
        compartment = self.model.getCompartment(species.getCompartment())
        is_point = _dimensions(compartment) == 0 and not self._has_size(compartment)
        is_amount = species.getHasOnlySubstanceUnits() or is_point
        size = Symbol(self.ids[compartment.getIdAttribute()])
        self.species[name] = Species(size.name, is_amount)
        dilutes = not is_amount and self.changes(compartment.getIdAttribute())
        units = self.units.amount(species)
        if not is_amount:
            units = self.units.concentration(species, compartment)
        if dilutes and identifier not in self._rules and identifier not in self._determined:
            self._read_diluted(species, name, units, size)
            return
        self.declare(species, _given(species, is_amount, None if is_point else size), units)
        self.held[identifier] = HeldSpecies(name, None if is_amount else size)

    def amounts(self) -> dict[str, str]:
        """The compartments of what is held as an amount, by the names of both."""
        return {
            held.name: self.species[self.ids[identifier]].compartment
            for identifier, held in self.held.items()
            if held.divisor is None
        }

    def _has_size(self, compartment: Any) -> bool:
        identifier = compartment.getIdAttribute()
        return compartment.isSetSize() or identifier in self._rules or identifier in self._starts

    def _read_diluted(self, species: Any, name: str, units: str, size: Symbol) -> None:
        """A concentration in a compartment whose size changes: the amount is what is held."""
        identifier = species.getIdAttribute()
        amount = self.free_name(f"{name}_amount")
        self.label(name, units, species.getName())
        self.label(amount, self.units.amount(species), f"amount of {species.getName() or name}")
        self.assign(name, call("div", Symbol(amount), size))
        if identifier in self._starts or identifier in self.experiments.targets:
            start = self._start(identifier, _given(species, False, size))
            self.hold(amount, None if start is None else call("mul", start, size))
        else:
            self.hold(amount, _given(species, True, size))
        self.held[identifier] = HeldSpecies(amount, None)
        if identifier in self._set_by_events:
            self.rates[amount] = Number(0.0)


def _dimensions(compartment: Any) -> float | None:
    """The spatial dimensions; None where Level 3 does not say."""
    is_set = compartment.isSetSpatialDimensions()
    return compartment.getSpatialDimensionsAsDouble() if is_set else None


def _given(species: Any, as_amount: bool, size: Symbol | None) -> Expression | None:
    """What the attributes of a species say of its start, as an amount or a concentration."""
    if species.isSetInitialAmount():
        value, is_right = Number(species.getInitialAmount()), as_amount
    elif species.isSetInitialConcentration():
        value, is_right = Number(species.getInitialConcentration()), not as_amount
    else:
        return None
    if is_right or size is None or is_zero(value):
        return value
    return call("mul" if as_amount else "div", value, size)
