"""The csymbol `delay`: an expression of the states as they were a while before."""

from __future__ import annotations

from collections.abc import Mapping

from odeflow.importers.expressions.expression import (
    TIME,
    Call,
    Expression,
    Number,
    Symbol,
    call,
)
from odeflow.importers.sbml.quantities import Quantities
from odeflow.importers.sbml.system import DelayedState, SBMLEvent


def read_delays(quantities: Quantities, events: tuple[SBMLEvent, ...]) -> dict[str, DelayedState]:
    """The states that are read as they were before, by the name of each; defines what reads them.

    Raises UnsupportedError for a delay that may change, a delay of a delay, and one that is read
    where there is no trajectory yet, or by the trigger of an event.
    """
    if not quantities.delayed:
        return {}
    for name, start in quantities.initial.items():
        if quantities.read_by(start) & {*quantities.delayed}:
            raise quantities.unsupported(f"a delay in the start of {name!r}", _of(quantities, name))
    for event in events:
        if quantities.read_by(event.trigger) & {*quantities.delayed}:
            what = f"a delay in the trigger of the event {event.name!r}"
            element = quantities.model.getEvent(event.name) or quantities.model
            raise quantities.unsupported(what, element, event.name)
    found: dict[str, DelayedState] = {}
    for name, (expression, by) in quantities.delayed.items():
        length = _length(quantities, by)
        moved = {TIME: call("sub", Symbol(TIME), _read(length))}
        for state in quantities.read_by(expression) & {*quantities.rates}:
            moved[state] = Symbol(_named(quantities, found, DelayedState(state, length)))
        quantities.assigned[name] = _replaced(quantities, expression, moved)
    return found


def _named(quantities: Quantities, found: dict[str, DelayedState], delayed: DelayedState) -> str:
    known = [name for name, other in found.items() if other == delayed]
    if known:
        return known[0]
    name = quantities.free_name(f"{delayed.of}_before")
    found[name] = delayed
    return name


def _length(quantities: Quantities, by: Expression) -> float | str:
    """The length of a delay: a number or a parameter, which may be computed at the start."""
    read = quantities.read_by(by)
    changing = read & ({*quantities.rates, *quantities.delayed} | {TIME})
    if changing:
        what = f"a delay by what changes, {min(changing)!r},"
        raise quantities.unsupported(what, quantities.model)
    if isinstance(by, Number):
        return float(by.value)
    if isinstance(by, Symbol) and by.name in quantities.values:
        return by.name
    name = quantities.free_name("delay")
    quantities.hold(name, by)
    quantities.label(name, quantities.units.default("time"), "how long before")
    return name


def _read(length: float | str) -> Expression:
    return Symbol(length) if isinstance(length, str) else Number(length)


def _of(quantities: Quantities, name: str) -> object:
    """The element of a name, or the model."""
    ids = [identifier for identifier, known in quantities.ids.items() if known == name]
    found = quantities.model.getElementBySId(ids[0]) if ids else None
    return found or quantities.model


def _replaced(
    quantities: Quantities, expression: Expression, moved: Mapping[str, Expression]
) -> Expression:
    """An expression of states and time that are moved, what is assigned written out."""
    if isinstance(expression, Call):
        operands = [_replaced(quantities, x, moved) for x in expression.operands]
        return Call(expression.operation, tuple(operands))
    if not isinstance(expression, Symbol):
        return expression
    if expression.name in quantities.delayed:
        raise quantities.unsupported("a delay of a delay", quantities.model)
    if expression.name in moved:
        return moved[expression.name]
    if expression.name in quantities.assigned:
        return _replaced(quantities, quantities.assigned[expression.name], moved)
    return expression
