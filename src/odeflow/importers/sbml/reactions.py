"""Reactions: their rates, and what they do to their species."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from odeflow.importers.expressions.expression import (
    Expression,
    Number,
    Symbol,
    call,
    product,
    total,
)
from odeflow.importers.sbml.elements import children
from odeflow.importers.sbml.quantities import Quantities

#: What one unit of a reaction's extent does to states, by their names.
Moves = Mapping[str, Expression]


def read_reactions(quantities: Quantities) -> tuple[list[str], Mapping[str, Moves]]:
    """Adds all reactions of the model; returns their names, and what the fast ones do.

    The amount n of a species in reactions of rate v changes by

        dn/dt = c (s_1 v_1 + s_2 v_2 + ...)

    with stoichiometries s, negative for reactants, and its conversion factor c (SBML Level 3
    Version 2, section 4.11.7); its concentration by that over the size of the compartment.
    """
    model = quantities.model
    changed: dict[str, list[Expression]] = {}
    fast: dict[str, dict[str, Expression]] = {}
    names = []
    for reaction in children(model, "Reaction"):
        name = quantities.ids[reaction.getIdAttribute()]
        counts = list(_stoichiometries(quantities, reaction))
        is_fast = reaction.isSetFast() and reaction.getFast()
        quantities.assigned[name] = _rate(quantities, reaction, bool(counts))
        quantities.label(name, quantities.units.rate(), reaction.getName())
        names.append(name)
        of_species: dict[str, list[Expression]] = {}
        for species, count in counts:
            changed.setdefault(species, [])
            of_species.setdefault(species, []).append(count)
        for species, of_one in of_species.items():
            if not is_fast:
                changed[species] += [product(count, Symbol(name)) for count in of_one]
            else:
                held, move = _in_state(quantities, species, total(of_one))
                fast.setdefault(name, {})[held] = move
    for identifier, terms in changed.items():
        held, rate = _in_state(quantities, identifier, total(terms))
        quantities.rates[held] = rate
    return names, fast


def _in_state(
    quantities: Quantities, identifier: str, amount: Expression
) -> tuple[str, Expression]:
    """The state that holds a species, and the change of it by a change of extent."""
    species = quantities.model.getSpecies(identifier)
    factor = species.getConversionFactor() or quantities.model.getConversionFactor()
    if factor:
        amount = product(Symbol(quantities.ids[factor]), amount)
    held = quantities.held[identifier]
    return held.name, amount if held.divisor is None else call("div", amount, held.divisor)


def _stoichiometries(quantities: Quantities, reaction: Any) -> Iterator[tuple[str, Expression]]:
    """Ids of the species that a reaction changes, and by how much, negative for reactants."""
    for kind in ("Reactant", "Product"):
        for reference in children(reaction, kind):
            identifier = reference.getSpecies()
            species = quantities.model.getSpecies(identifier)
            is_fixed = species.getBoundaryCondition() or species.getConstant()
            stoichiometry = _stoichiometry(quantities, reference)
            if is_fixed or quantities.has_rule(identifier):
                continue
            if stoichiometry is None:
                what = f"{identifier!r} without a stoichiometry in {reaction.getIdAttribute()!r}"
                raise quantities.unsupported(what, reference, identifier)
            yield identifier, call("neg", stoichiometry) if kind == "Reactant" else stoichiometry


def _stoichiometry(quantities: Quantities, reference: Any) -> Expression | None:
    """A number, a name or mathematics; None where nothing gives it."""
    formula = reference.getStoichiometryMath()
    if formula is not None and formula.isSetMath():  # Level 2
        expression = quantities.number(formula, "stoichiometry", reference.getSpecies())
        if not reference.isSetIdAttribute():
            return expression
        name = quantities.ids[reference.getIdAttribute()]
        quantities.label(name, "1", reference.getName())
        quantities.assign(name, expression)
        return Symbol(name)
    value = reference.getStoichiometry() / reference.getDenominator()
    if quantities.model.getLevel() == 3 and not reference.isSetStoichiometry():
        value = math.nan
    given = None if math.isnan(value) else Number(value)
    if not reference.isSetIdAttribute():
        return given
    quantities.declare(reference, given, "1")
    return Symbol(quantities.ids[reference.getIdAttribute()])


def _rate(quantities: Quantities, reaction: Any, changes: bool) -> Expression:
    """The kinetic law, its local parameters named after the reaction."""
    identifier = reaction.getIdAttribute()
    law = reaction.getKineticLaw()
    if law is None:
        if changes:
            what = f"the reaction {identifier!r}, which has no rate,"
            hint = "; give it a kinetic law"
            raise quantities.unsupported(what, reaction, identifier, hint)
        return Number(math.nan)  # nobody knows it, and it changes nothing
    if not law.isSetMath():
        return Number(0.0)  # as if the reaction were not there
    local: dict[str, Expression] = {}
    for parameter in children(law, "Parameter"):
        value = Number(parameter.getValue()) if parameter.isSetValue() else None
        if value is not None and not math.isfinite(value.value):
            local[parameter.getIdAttribute()] = value
            continue
        words = parameter.getIdAttribute()
        name = quantities.free_name(f"{quantities.ids[identifier]}_{words}")
        quantities.label(name, quantities.units.text(parameter.getUnits()), parameter.getName())
        quantities.hold(name, value)
        local[words] = Symbol(name)
    return quantities.number(law, "kinetic law", identifier, local)
