"""libsbml's tree of a model as a `System`."""

from collections.abc import Iterable
from typing import Any

from odeflow.files.plain_text import without_hidden
from odeflow.importers.expressions.expression import Expression, Number, Symbol, call, rate_of
from odeflow.importers.refusal import ModelSource, UnsupportedError
from odeflow.importers.sbml.changes import ModelChange
from odeflow.importers.sbml.delays import read_delays
from odeflow.importers.sbml.events import read_events
from odeflow.importers.sbml.quantities import Quantities
from odeflow.importers.sbml.reactions import read_reactions
from odeflow.importers.sbml.system import System

#: The state of a model that has none: the time since its start.
CLOCK = "elapsed_time"


def read_model(
    model: Any, source: ModelSource, changes: Iterable[ModelChange] = (), added: Iterable[str] = ()
) -> System:
    """The system of libsbml's model, with what experiments change in it.

    The name of a species stands for what its id stands for in the model's mathematics: its
    concentration, unless it `hasOnlySubstanceUnits`. Where the size of its compartment changes,
    the state is its amount, `<species>_amount`, which that leaves as it is.

    Raises UnsupportedError naming the element where something cannot be solved.
    """
    quantities = Quantities(model, source, changes, added)
    reactions, fast = read_reactions(quantities)
    events = tuple(read_events(quantities))
    quantities.solve_linear()
    if fast and events:
        what = f"the event {events[0].name!r} beside fast reactions"
        raise UnsupportedError(source, what, "", events[0].line, events[0].name)
    if fast and quantities.algebraic:
        what = f"the algebraic rule for {quantities.algebraic[0]!r} beside fast reactions"
        raise UnsupportedError(source, what, "")
    if len(quantities.rates) == len(quantities.algebraic):
        clock = quantities.free_name(CLOCK)
        quantities.rates[clock] = Number(1.0)
        quantities.hold(clock, Number(0.0))
        quantities.label(clock, quantities.units.default("time"), "time since the start")
    for identifier in quantities.rates_read:
        if fast:
            element = model.getElementBySId(identifier)
            what = f"rateOf of {identifier!r} beside fast reactions"
            raise quantities.unsupported(what, element, identifier)
        name = quantities.ids[identifier]
        quantities.assigned[rate_of(name)] = _rate(quantities, identifier)
    delays = read_delays(quantities, events)
    if fast and delays:
        raise UnsupportedError(source, "a delay beside fast reactions", "")
    return System(
        name=model.getIdAttribute(),
        title=without_hidden(model.getName()) or None,
        time_units=quantities.units.default("time"),
        rates=quantities.rates,
        assigned=quantities.assigned,
        initial=quantities.initial,
        values=quantities.values,
        labels=quantities.labels,
        observables=tuple(quantities.observables),
        reactions=tuple(reactions),
        fast=fast,
        ids=quantities.ids,
        species=quantities.species,
        amounts=quantities.amounts(),
        events=events,
        algebraic=tuple(quantities.algebraic),
        delays=delays,
    )


def _rate(quantities: Quantities, identifier: str) -> Expression:
    """What `rateOf` an id stands for."""
    name = quantities.ids[identifier]
    if name in quantities.algebraic:
        element = quantities.model.getElementBySId(identifier)
        what = f"rateOf of {identifier!r}, which an algebraic rule determines,"
        raise quantities.unsupported(what, element, identifier)
    if name in quantities.rates:
        return quantities.rates[name]
    if name in quantities.values:
        return Number(0.0)
    held, species = quantities.held.get(identifier), quantities.species.get(name)
    if held is not None and species is not None and species.compartment in quantities.rates:
        # A concentration n/V: (dn/dt - n/V dV/dt) / V
        change = quantities.rates.get(held.name, Number(0.0))
        dilution = call("mul", Symbol(name), quantities.rates[species.compartment])
        return call("div", call("sub", change, dilution), Symbol(species.compartment))
    element = quantities.model.getElementBySId(identifier)
    what = f"rateOf of {identifier!r}, which a rule assigns,"
    raise quantities.unsupported(what, element, identifier)
