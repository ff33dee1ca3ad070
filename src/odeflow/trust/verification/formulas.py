"""Formulas of imported models as Python functions of floats, without JAX or the importer's code.

An expression, a graph, becomes one statement per node. Names stand in a table, so none gets into
the text. Python's floats raise where IEEE arithmetic gives infinity or not a number; where they do,
the same text is run with functions that do not.

Reference: SBML Level 3 Version 2 Core, section 3.4; MathML 2.0, appendix C.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from odeflow.importers.expressions.expression import Call, Expression, Number, Symbol

#: Statements of the operations on operands `{0}`, `{1}`, `{2}`.
_TEXT = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "neg": "-{0}",
    "power": "power({0}, {1})",
    "root": "root({0}, {1})",
    "log": "log({1}) / log({0})",
    "ln": "log({0})",
    "abs": "abs({0})",
    "floor": "floor({0})",
    "ceiling": "-floor(-{0})",
    "max": "largest({0}, {1})",
    "min": "-largest(-{0}, -{1})",
    "quotient": "trunc({0} / {1})",
    "rem": "fmod({0}, {1})",
    "factorial": "factorial({0})",
    "sec": "1 / cos({0})",
    "csc": "1 / sin({0})",
    "cot": "1 / tan({0})",
    "sech": "1 / cosh({0})",
    "csch": "1 / sinh({0})",
    "coth": "1 / tanh({0})",
    "arcsec": "arccos(1 / {0})",
    "arccsc": "arcsin(1 / {0})",
    "arccot": "arctan(1 / {0})",
    "arcsech": "arccosh(1 / {0})",
    "arccsch": "arcsinh(1 / {0})",
    "arccoth": "arctanh(1 / {0})",
    "eq": "{0} == {1}",
    "ne": "{0} != {1}",
    "lt": "{0} < {1}",
    "le": "{0} <= {1}",
    "gt": "{0} > {1}",
    "ge": "{0} >= {1}",
    "and": "{0} and {1}",
    "or": "{0} or {1}",
    "xor": "{0} != {1}",
    "not": "not {0}",
    "select": "{1} if {0} else {2}",
    "number": "1.0 if {0} else 0.0",
} | {
    name: f"{name}({{0}})"
    for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan",
                 "arcsinh", "arccosh", "arctanh")
}  # fmt: skip
#: Operations whose two operands are compared, those whose operand passes integers, and those
#: whose quotient does.
_COMPARING = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "max", "min"})
_WHOLE, _QUOTIENT = frozenset({"floor", "ceiling"}), frozenset({"quotient", "rem"})


class UnknownOperationError(Exception):
    """An operation that this file does not know."""


def _largest(x: float, y: float) -> float:
    return x if x != x or x >= y else y


def _root(degree: float, x: float) -> float:
    if degree % 2 == 1 and x < 0:
        return -((-x) ** (1 / degree))
    if degree == 2:
        return math.sqrt(x)
    return math.pow(x, 1 / degree)


def _factorial(x: float) -> float:
    return math.gamma(x + 1) if x >= 0 else math.nan


_FLOATS: dict[str, Any] = {
    **{name: getattr(math, name) for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh",
                                               "tanh", "fmod")},
    **{f"arc{name}": getattr(math, f"a{name}")
       for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "power": math.pow,
    "root": _root,
    "factorial": _factorial,
    "largest": _largest,
    "floor": lambda x: float(math.floor(x)),
    "trunc": lambda x: float(math.trunc(x)),
}  # fmt: skip


def _np_root(degree: Any, x: Any) -> Any:
    if degree % 2 == 1:
        return np.sign(x) * np.power(np.abs(x), 1 / degree)
    return np.power(x, 1 / degree)


def _np_factorial(x: Any) -> Any:
    try:
        return np.float64(_factorial(float(x)))
    except OverflowError:
        return np.float64(np.inf)


#: The same without exceptions, on `np.float64`.
_IEEE: dict[str, Any] = {
    **{name: getattr(np, name) for name in _FLOATS if hasattr(np, name)},
    "root": _np_root,
    "factorial": _np_factorial,
    "largest": np.maximum,
}

#: Where a name's value is: the text that reads it.
Places = Mapping[str, str]


def compiled(
    results: Sequence[Expression],
    definitions: Mapping[str, Expression],
    places: Places,
    with_notes: bool = False,
) -> Callable[..., Any]:
    """A function of (t, y, p, n), sequences of floats, that gives a tuple with the results' values.

    A name stands for what `places` reads, such as `y[3]`, else for what `definitions` has of it.
    With `with_notes` the function gives instead (margins, wholes): the differences of all that is
    compared on the way, and the numbers that jump where they pass an integer.

    Raises UnknownOperationError.
    """
    lines: list[str] = []
    constants: list[float] = []
    seen: dict[int, str] = {}
    named: dict[str, str] = {}
    margins: list[str] = []
    wholes: list[str] = []

    def leaf(expression: Number | Symbol) -> str | Symbol:
        if isinstance(expression, Number):
            if isinstance(expression.value, bool):
                return str(expression.value)
            constants.append(float(expression.value))
            return f"c[{len(constants) - 1}]"
        if expression.name in places:
            return places[expression.name]
        return named.get(expression.name, expression)

    def visit(root: Expression) -> str:
        pending: list[Expression] = [root]
        while pending:
            expression = pending[-1]
            if id(expression) in seen:
                pending.pop()
                continue
            if not isinstance(expression, Call):
                found = leaf(expression)
                if isinstance(found, Symbol):  # what is defined first
                    meaning = definitions[found.name]
                    if id(meaning) not in seen:
                        pending.append(meaning)
                        continue
                    named[found.name] = seen[id(meaning)]
                    found = named[found.name]
                seen[id(expression)] = found
                pending.pop()
                continue
            missing = [x for x in expression.operands if id(x) not in seen]
            if missing:
                pending += missing
                continue
            operands = [seen[id(x)] for x in expression.operands]
            operation = expression.operation
            if operation not in _TEXT:
                raise UnknownOperationError(operation)
            if operation in _COMPARING:
                margins.append(f"{operands[0]} - {operands[1]}")
            elif operation == "abs":
                margins.append(operands[0])
            elif operation in _WHOLE:
                wholes.append(operands[0])
            elif operation in _QUOTIENT:
                wholes.append(f"{operands[0]} / {operands[1]}")
            seen[id(expression)] = f"v{len(lines)}"
            lines.append(f"v{len(lines)} = {_TEXT[operation].format(*operands)}")
            pending.pop()
        return seen[id(root)]

    values = [visit(result) for result in results]
    gives = f"({_listed(margins)}), ({_listed(wholes)})" if with_notes else f"({_listed(values)})"
    body = "\n    ".join([*lines, f"return {gives}"])
    code = compile(f"def function(t, y, p, n=()):\n    {body}\n", "<formulas>", "exec")
    fast, careful = dict(_FLOATS) | {"c": constants}, dict(_IEEE)
    careful["c"] = [np.float64(x) for x in constants]
    exec(code, fast)
    exec(code, careful)
    function: Any = fast["function"]
    ieee: Any = careful["function"]

    def call(t: float, y: Sequence[float], p: Sequence[float], n: Sequence[float] = ()) -> Any:
        try:
            return function(t, y, p, n)
        except (ArithmeticError, ValueError):
            with np.errstate(all="ignore"):
                return ieee(np.float64(t), *(np.asarray(x, float) for x in (y, p, n)))

    return call


def _listed(parts: Sequence[str]) -> str:
    return "".join(f"{part}, " for part in parts)
