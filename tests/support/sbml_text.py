"""Small SBML documents for tests, their mathematics written as formulas."""

from typing import Any

import libsbml

_NAMESPACES = {
    (1, 2): "http://www.sbml.org/sbml/level1",
    (2, 5): "http://www.sbml.org/sbml/level2/version5",
    (3, 1): "http://www.sbml.org/sbml/level3/version1/core",
    (3, 2): "http://www.sbml.org/sbml/level3/version2/core",
}
_ORDER = (
    "functionDefinition", "compartment", "species", "parameter", "initialAssignment", "rule",
    "reaction", "event",
)  # fmt: skip
_LISTS = {
    "functionDefinition": "listOfFunctionDefinitions",
    "compartment": "listOfCompartments",
    "species": "listOfSpecies",
    "parameter": "listOfParameters",
    "initialAssignment": "listOfInitialAssignments",
    "rule": "listOfRules",
    "reaction": "listOfReactions",
    "event": "listOfEvents",
}


def sbml(*elements: str, level: int = 3, version: int = 2, attributes: str = "") -> str:
    """A document of elements, which are sorted into their lists."""
    lists: dict[str, list[str]] = {name: [] for name in _ORDER}
    for element in elements:
        tag = element[1:].split(" ", 1)[0].split(">", 1)[0]
        lists["rule" if tag.endswith("Rule") else tag].append(element)
    body = "\n".join(
        f"<{_LISTS[name]}>\n" + "\n".join(found) + f"\n</{_LISTS[name]}>"
        for name, found in lists.items()
        if found
    )
    if (level, version) == (3, 1):  # where the attribute is needed
        body = body.replace('reversible="false" >', 'reversible="false" fast="false">')
    name = "name" if level == 1 else "id"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<sbml xmlns="{_NAMESPACES[level, version]}" '
        f'level="{level}" version="{version}">\n<model {name}="model" {attributes}>\n{body}\n'
        "</model>\n</sbml>\n"
    )


def mathml(formula: str) -> str:
    """MathML of a formula of libsbml's Level 3 grammar; MathML itself stays as it is."""
    if formula.startswith("<math"):
        return formula
    settings = libsbml.L3ParserSettings()
    settings.setParseLog(libsbml.L3P_PARSE_LOG_AS_LOG10)
    tree = libsbml.parseL3FormulaWithSettings(formula, settings)
    assert tree is not None, libsbml.getLastParseL3Error()
    return str(libsbml.writeMathMLToString(tree)).split("?>", 1)[1].strip()


def apply(operation: str, *operands: str) -> str:
    """MathML of an operation on operands that are MathML themselves."""
    inner = f"<apply><{operation}/>{''.join(operands)}</apply>"
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{inner}</math>'


def compartment(
    name: str, size: float | None = 1, constant: bool = True, dims: int | None = 3
) -> str:
    given = "" if size is None else f'size="{size}" '
    dimensions = "" if dims is None else f'spatialDimensions="{dims}" '
    return f'<compartment id="{name}" {dimensions}{given}constant="{str(constant).lower()}"/>'


def species(name: str, where: str = "c", **attributes: Any) -> str:
    """`amount`, `concentration`, `only_amount`, `boundary`, `constant`, `factor`."""
    parts = [f'<species id="{name}" compartment="{where}"']
    for key, label in (("amount", "initialAmount"), ("concentration", "initialConcentration")):
        if key in attributes:
            parts.append(f'{label}="{attributes[key]}"')
    for key, label in (
        ("only_amount", "hasOnlySubstanceUnits"),
        ("boundary", "boundaryCondition"),
        ("constant", "constant"),
    ):
        parts.append(f'{label}="{str(attributes.get(key, False)).lower()}"')
    if "factor" in attributes:
        parts.append(f'conversionFactor="{attributes["factor"]}"')
    return " ".join(parts) + "/>"


def parameter(name: str, value: Any = None, constant: bool = True) -> str:
    given = "" if value is None else f'value="{value}" '
    return f'<parameter id="{name}" {given}constant="{str(constant).lower()}"/>'


def initial(symbol: str, formula: str) -> str:
    math = mathml(formula) if formula else ""
    return f'<initialAssignment symbol="{symbol}">{math}</initialAssignment>'


def rule(kind: str, variable: str, formula: str) -> str:
    """`kind` is assignment, rate or algebraic."""
    named = f' variable="{variable}"' if variable else ""
    return f"<{kind}Rule{named}>{mathml(formula) if formula else ''}</{kind}Rule>"


def function(name: str, formula: str) -> str:
    """`formula` is `lambda(x, body)`."""
    return f'<functionDefinition id="{name}">{mathml(formula)}</functionDefinition>'


def reaction(
    name: str, reactants: str, products: str, law: str | None, extra: str = "", local: str = ""
) -> str:
    """`reactants` and `products` as "2 A + B"; a stoichiometry `=n` is the reference's id n."""
    parts = [f'<reaction id="{name}" reversible="false" {extra}>']
    for tag, side in (("listOfReactants", reactants), ("listOfProducts", products)):
        references = [_reference(term) for term in side.split("+") if term.strip()]
        if references:
            parts.append(f"<{tag}>{''.join(references)}</{tag}>")
    if law is not None:
        listed = f"<listOfLocalParameters>{local}</listOfLocalParameters>" if local else ""
        parts.append(f"<kineticLaw>{mathml(law) if law else ''}{listed}</kineticLaw>")
    return "".join([*parts, "</reaction>"])


def _reference(term: str) -> str:
    count, _, name = term.strip().rpartition(" ")
    if count.startswith("="):
        identifier, _, value = count[1:].partition(":")
        given = f'id="{identifier}" ' + (f'stoichiometry="{value}" ' if value else "")
        constant = "true" if value else "false"
    else:
        given, constant = f'stoichiometry="{count or 1}" ', "true"
    return f'<speciesReference species="{name}" {given}constant="{constant}"/>'


def event(trigger: str, assignments: dict[str, str], name: str = "e", **attributes: Any) -> str:
    """`delay`, `priority`: formulas; `initial`, `persistent`, `at_trigger`: all true by default."""
    flag = lambda key: str(attributes.get(key, True)).lower()
    parts = [
        f'<event id="{name}" useValuesFromTriggerTime="{flag("at_trigger")}">',
        f'<trigger initialValue="{flag("initial")}" persistent="{flag("persistent")}">',
        f"{mathml(trigger)}</trigger>",
        *(
            f"<{part}>{mathml(attributes[part])}</{part}>"
            for part in ("priority", "delay")
            if part in attributes
        ),
        "<listOfEventAssignments>" if assignments else "",
        *(
            f'<eventAssignment variable="{variable}">{mathml(formula)}</eventAssignment>'
            for variable, formula in assignments.items()
        ),
        "</listOfEventAssignments>" if assignments else "",
        "</event>",
    ]
    return "".join(parts)
