"""Algebraic rules: which quantity each of them determines.

A rule 0 = g determines one of the quantities that it names and that nothing else does: none that is
constant, that another rule is for, or that is a species which reactions change. Each rule gets one
of its own, by a matching of rules and quantities.

Reference: SBML Level 3 Version 2 Core, section 4.9.4 and the matching of section 4.11.5; Hopcroft
and Karp, SIAM J. Comput. 2, 225-231 (1973), for matchings by paths that augment.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from odeflow.importers.sbml.elements import children

#: Which quantities come first where a rule names several that nothing else determines.
_KINDS = ("Species", "Parameter", "Compartment")


class OverdeterminedError(ValueError):
    """An algebraic rule that has nothing to determine; `rule` is libsbml's."""

    def __init__(self, rule: Any) -> None:
        self.rule = rule
        super().__init__("an algebraic rule has nothing to determine")


def determined(model: Any) -> dict[str, Any]:
    """The algebraic rules of libsbml's model by the ids of what they determine.

    Raises OverdeterminedError.
    """
    rules = [x for x in children(model, "Rule") if x.isAlgebraic() and x.isSetMath()]
    if not rules:
        return {}
    free = _free(model)
    named = [_named(rule.getMath()) for rule in rules]
    assigned = {
        rule.getVariable(): _named(rule.getMath())
        for rule in children(model, "Rule")
        if rule.isAssignment() and rule.isSetMath()
    }
    reads = [_through(names, assigned) for names in named]
    # those that a rule itself names come before those that it reads by way of assignment rules
    order = [x for x in free if any(x in names for names in named)]
    order += [x for x in free if x not in order and any(x in names for names in reads)]
    matched: dict[int, str] = {}
    for identifier in order:
        _augment(identifier, reads, matched, set())
    for number, rule in enumerate(rules):
        if number not in matched:
            raise OverdeterminedError(rule)
    return {matched[number]: rule for number, rule in enumerate(rules)}


def _augment(
    identifier: str, reads: Sequence[set[str]], matched: dict[int, str], seen: set[int]
) -> bool:
    """Gives a quantity a rule, for which others may change theirs; whether there is one."""
    for number, names in enumerate(reads):
        if identifier in names and number not in seen:
            seen.add(number)
            if number not in matched or _augment(matched[number], reads, matched, seen):
                matched[number] = identifier
                return True
    return False


def _free(model: Any) -> list[str]:
    """Ids of what changes and nothing determines, in order of preference.

    What an event sets, or has a value, comes later.
    """
    by_rules = {x.getVariable() for x in children(model, "Rule") if not x.isAlgebraic()}
    by_events = {
        assignment.getVariable()
        for event in children(model, "Event")
        for assignment in children(event, "EventAssignment")
    }
    by_reactions, references = set(), []
    for reaction in children(model, "Reaction"):
        for kind in ("Reactant", "Product"):
            for reference in children(reaction, kind):
                by_reactions.add(reference.getSpecies())
                references.append(reference)
    found = []
    for kind in _KINDS:
        for one in children(model, kind):
            name = one.getIdAttribute()
            reacts = kind == "Species" and name in by_reactions and not one.getBoundaryCondition()
            if not (one.getConstant() or reacts or name in by_rules):
                found.append((name in by_events, _has_value(one, kind), name))
    found += [
        (x.getIdAttribute() in by_events, x.isSetStoichiometry(), x.getIdAttribute())
        for x in references
        if x.isSetIdAttribute() and not x.getConstant() and x.getIdAttribute() not in by_rules
    ]
    return [name for _, _, name in sorted(found, key=lambda one: one[:2])]


def _has_value(element: Any, kind: str) -> bool:
    if kind == "Species":
        return element.isSetInitialAmount() or element.isSetInitialConcentration()
    return element.isSetSize() if kind == "Compartment" else element.isSetValue()


def _named(node: Any) -> set[str]:
    """The names in libsbml's mathematics."""
    names, pending = set(), [node]
    while pending:
        one = pending.pop()
        if one.isName():
            names.add(one.getName())
        pending += [one.getChild(i) for i in range(one.getNumChildren())]
    return names


def _through(names: set[str], assigned: Mapping[str, set[str]]) -> set[str]:
    """With those that assigned quantities among them are computed from."""
    found, pending = set(), list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += assigned.get(name, ())
    return found
