"""SBML's events as records of expressions."""

from collections.abc import Iterator, Mapping
from typing import Any

from odeflow.importers.expressions.expression import Expression, Symbol, call
from odeflow.importers.sbml.elements import children
from odeflow.importers.sbml.mathml import MathError
from odeflow.importers.sbml.quantities import Quantities
from odeflow.importers.sbml.system import SBMLEvent, assigned_to


def read_events(quantities: Quantities) -> Iterator[SBMLEvent]:
    """The events of a model and of its changes; one without a trigger never happens."""
    for number, event in enumerate(children(quantities.model, "Event")):
        trigger = event.getTrigger()
        if trigger is None or not trigger.isSetMath():
            continue
        name = event.getIdAttribute() or f"event {number}"
        try:
            condition = quantities.translator.boolean(trigger.getMath())
        except MathError as error:
            what = f"{error} in the trigger of {name!r}"
            raise quantities.unsupported(what, trigger, name) from None
        given = {
            x.getVariable(): quantities.number(x, "event assignment", x.getVariable())
            for x in children(event, "EventAssignment")
            if x.isSetMath()
        }
        yield SBMLEvent(
            name=name,
            line=event.getLine(),
            trigger=condition,
            assignments={quantities.ids[identifier]: x for identifier, x in given.items()},
            states=_states(quantities, given),
            delay=_part(quantities, event.getDelay(), "delay", name),
            priority=_part(quantities, event.getPriority(), "priority", name),
            uses_trigger_values=event.getUseValuesFromTriggerTime(),
            persistent=trigger.getPersistent(),
            initially_true=trigger.getInitialValue(),
        )
    for name, condition, given in quantities.experiments.events():
        yield SBMLEvent(
            name=name,
            line=0,
            trigger=condition,
            assignments={quantities.ids[identifier]: x for identifier, x in given.items()},
            states=_states(quantities, given),
            priority=quantities.experiments.priority,
            initially_true=False,
        )


def _part(quantities: Quantities, element: Any, kind: str, name: str) -> Expression | None:
    if element is None or not element.isSetMath():
        return None
    return quantities.number(element, kind, name)


def _states(quantities: Quantities, given: Mapping[str, Any]) -> dict[str, Expression]:
    """New values of states. A compartment's new size leaves the amounts in it as they are."""
    new = {identifier: Symbol(assigned_to(quantities.ids[identifier])) for identifier in given}
    result: dict[str, Expression] = {}
    for identifier, value in new.items():
        name = quantities.ids[identifier]
        held = quantities.held.get(identifier)
        if held is None or held.name == name:
            result[name] = value
        else:  # a concentration; the state is the amount
            compartment = quantities.model.getSpecies(identifier).getCompartment()
            size = new.get(compartment, Symbol(quantities.ids[compartment]))
            result[held.name] = call("mul", value, size)
    for identifier, held in quantities.held.items():
        compartment = quantities.model.getSpecies(identifier).getCompartment()
        is_concentration = held.divisor is not None and held.name in quantities.rates
        if compartment in given and identifier not in given and is_concentration:
            assert held.divisor is not None
            amount = call("mul", Symbol(held.name), held.divisor)
            result[held.name] = call("div", amount, new[compartment])
    return result
