"""Mathematics of SED-ML, whose names are those of its own variables and parameters."""

from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import libsbml

from odeflow.files.xml_tree import Element
from odeflow.importers.expressions.evaluation import evaluate
from odeflow.importers.expressions.expression import Expression, Number
from odeflow.importers.sbml.mathml import MathError, Translator
from odeflow.importers.sedml.document import SedmlFile, given, listed, number_given

#: In the addresses of SED-ML's own functions.
_AGGREGATES = "sed-ml.org/#"
_MATHML = "http://www.w3.org/1998/Math/MathML"
#: Levels of one formula, which are written out by recursion.
_DEEPEST = 200
#: The attributes in MathML that say what something is.
_ATTRIBUTES = ("type", "encoding", "definitionURL")
#: The symbol of time, as versions 1 to 3 and version 4 call it.
_TIME = ("urn:sedml:symbol:time", "KISAO:0000832")


def math_of(element: Element) -> Any:
    """The syntax tree of an element's mathematics, as libsbml has it.

    Raises MathError where there is none, or something that SBML has not, such as the largest value
    of a whole course.
    """
    math = next((x for x in element.children if x.name == "math"), None)
    if math is None:
        raise MathError("an element without mathematics")
    if any(_AGGREGATES in x.attributes.get("definitionURL", "") for x in math.descendants()):
        raise MathError("an aggregate over all values (min, max, sum or product)")
    tree = libsbml.readMathMLFromString(_mathml(math))
    if tree is None:
        raise MathError("mathematics that cannot be read")
    return tree


def _mathml(element: Element, depth: int = 0) -> str:
    """The element as text of MathML, without prefixes."""
    if depth > _DEEPEST:
        raise MathError(f"mathematics of more than {_DEEPEST} levels")
    given = {k: v for k, v in element.attributes.items() if k in _ATTRIBUTES}
    given |= {"xmlns": _MATHML} if element.name == "math" else {}
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in given.items())
    inner = escape(element.text) + "".join(
        _mathml(child, depth + 1) + escape(child.tail) for child in element.children
    )
    return f"<{element.name}{attributes}>{inner}</{element.name}>"


def is_time(variable: Element) -> bool:
    """Whether a variable is the time."""
    return variable.attributes.get("symbol") in _TIME


def variables_of(element: Element) -> list[Element]:
    """An element's variables."""
    return listed(element, "listOfVariables")


def _parameters(file: SedmlFile, element: Element) -> dict[str, float]:
    """The numbers that an element's own parameters are."""
    parameters = listed(element, "listOfParameters")
    return {given(file, x, "id"): number_given(file, x, "value") for x in parameters}


def number(
    file: SedmlFile,
    element: Element,
    known: Mapping[str, float],
    value: Callable[[Element], float],
) -> float:
    """What the mathematics of an element are, `value` being that of one of its variables.

    Raises ConfigError where that is no finite number.
    """
    values = {**known, **_parameters(file, element)}
    values |= {given(file, x, "id"): value(x) for x in variables_of(element)}

    def quantity(name: str) -> Expression:
        if name not in values:
            raise MathError(f"the name {name!r}, which nothing gives a value,")
        return Number(float(values[name]))

    def rate(name: str) -> Expression:
        raise MathError(f"rateOf({name})")

    def delayed(expression: Expression, by: Expression) -> Expression:
        del expression, by
        raise MathError("delay")

    try:
        expression = Translator({}, quantity, rate, delayed).number(math_of(element))
        result = float(evaluate([("result", expression)], {})["result"])
    except MathError as error:
        raise file.mistake(f"{element.name}: {error} is not supported", element) from None
    if result - result != 0:
        raise file.mistake(f"its mathematics give {result:g}; a finite number is needed", element)
    return result


def formula(file: SedmlFile, element: Element, names: Mapping[str, str]) -> str:
    """The mathematics as a formula over the model's names, which `names` has by variable.

    Raises MathError.
    """
    tree, numbers = math_of(element), _parameters(file, element)
    pending = [tree]
    while pending:
        node = pending.pop()
        if node.getType() == libsbml.AST_NAME:
            name = node.getName()
            if name in names:
                node.setName(names[name])
            elif name in numbers:
                node.setType(libsbml.AST_REAL)
                node.setValue(numbers[name])
            else:
                raise MathError(f"the name {name!r}, which is none of its variables,")
        pending += [node.getChild(i) for i in range(node.getNumChildren())]
    return str(libsbml.formulaToL3String(tree))


def reads_alone(element: Element) -> str | None:
    """The variable that the mathematics are, where they are nothing else."""
    try:
        tree = math_of(element)
    except MathError:
        return None
    return tree.getName() if tree.getType() == libsbml.AST_NAME else None
