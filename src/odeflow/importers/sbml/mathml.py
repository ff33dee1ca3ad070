"""libsbml's syntax trees of mathematics as expressions: checked node by node, nothing is run."""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

import libsbml

from odeflow.importers.expressions.expression import (
    TIME,
    Expression,
    Number,
    Symbol,
    as_boolean,
    as_number,
    call,
    is_boolean,
)
from odeflow.importers.sbml.xml_text import LONGEST_FORMULA

#: CODATA's value of 2006, which SBML Level 3 Version 2 fixes (section 3.4.6).
AVOGADRO = 6.02214179e23

#: Numbers, names and operations of all formulas together.
LARGEST_MODEL = 1_000_000


class MathError(Exception):
    """Mathematics that has no expression; says what it is, in words."""


def _node_types(prefix: str, table: str) -> dict[int, str]:
    pairs = (word.split(":") for word in table.split())
    return {getattr(libsbml, f"AST_{prefix}{name}"): operation for name, operation in pairs}


#: Operations of a fixed number of operands: 1, but for those in _BINARY.
_FUNCTIONS = _node_types(
    "FUNCTION_",
    """ABS:abs ARCCOS:arccos ARCCOSH:arccosh ARCCOT:arccot ARCCOTH:arccoth ARCCSC:arccsc
    ARCCSCH:arccsch ARCSEC:arcsec ARCSECH:arcsech ARCSIN:arcsin ARCSINH:arcsinh ARCTAN:arctan
    ARCTANH:arctanh CEILING:ceiling COS:cos COSH:cosh COT:cot COTH:coth CSC:csc CSCH:csch EXP:exp
    FACTORIAL:factorial FLOOR:floor LN:ln SEC:sec SECH:sech SIN:sin SINH:sinh TAN:tan TANH:tanh
    POWER:power ROOT:root LOG:log QUOTIENT:quotient REM:rem""",
) | {libsbml.AST_LOGICAL_NOT: "not", libsbml.AST_POWER: "power", libsbml.AST_DIVIDE: "div"}
_BINARY = {"power", "root", "log", "quotient", "rem", "div"}
#: Operations of any number of operands, and their values without operands.
_REPEATED: Mapping[int, tuple[str, Number | None]] = {
    libsbml.AST_PLUS: ("add", Number(0.0)),
    libsbml.AST_TIMES: ("mul", Number(1.0)),
    libsbml.AST_LOGICAL_AND: ("and", Number(True)),
    libsbml.AST_LOGICAL_OR: ("or", Number(False)),
    libsbml.AST_LOGICAL_XOR: ("xor", Number(False)),
    libsbml.AST_FUNCTION_MAX: ("max", None),
    libsbml.AST_FUNCTION_MIN: ("min", None),
}
#: Relations, which hold where they hold for every pair of neighbours.
_RELATIONS = _node_types("RELATIONAL_", "EQ:eq NEQ:ne LT:lt LEQ:le GT:gt GEQ:ge")
_CONSTANTS: Mapping[int, Expression] = {
    libsbml.AST_CONSTANT_E: Number(2.718281828459045),
    libsbml.AST_CONSTANT_PI: Number(3.141592653589793),
    libsbml.AST_CONSTANT_TRUE: Number(True),
    libsbml.AST_CONSTANT_FALSE: Number(False),
    libsbml.AST_NAME_AVOGADRO: Number(AVOGADRO),
    libsbml.AST_NAME_TIME: Symbol(TIME),
}
_NUMBERS = {libsbml.AST_REAL, libsbml.AST_REAL_E, libsbml.AST_RATIONAL}


@cache
def _node_names() -> dict[int, str]:
    return {
        value: name.removeprefix("AST_").removeprefix("FUNCTION_").lower()
        for name, value in vars(libsbml).items()
        if name.startswith("AST_") and isinstance(value, int)
    }


class Translator:
    """Makes expressions of syntax trees, for one model.

    `functions` are the trees of its function definitions (`lambda`) by id; `quantity` gives the
    expression of an id, `rate` that of the time derivative of an id, and `delayed` that of an
    expression a while before; all raise MathError.
    """

    def __init__(
        self,
        functions: Mapping[str, Any],
        quantity: Callable[[str], Expression],
        rate: Callable[[str], Expression],
        delayed: Callable[[Expression, Expression], Expression],
    ) -> None:
        self._functions, self._quantity, self._rate = functions, quantity, rate
        self._delayed = delayed
        self._size = 0

    def number(self, tree: Any, local: Mapping[str, Expression] | None = None) -> Expression:
        """The expression of a tree as a number. `local` are names that are known here only."""
        return as_number(self.expression(tree, local or {}))

    def boolean(self, tree: Any) -> Expression:
        """The expression of a tree as true or false."""
        return as_boolean(self.expression(tree, {}))

    def expression(self, tree: Any, local: Mapping[str, Expression]) -> Expression:
        """The expression of a tree; raises MathError."""
        values: list[Expression] = []  # of the trees that are done, in order
        pending: list[_Task] = [(tree, local, -1)]
        size = 0
        while pending:
            tree, local, number = pending.pop()
            if number < 0:
                size += 1
                self._count(size)
                leaf = self._leaf(tree, local)
                if leaf is not None:
                    values.append(leaf)
                    continue
                number = tree.getNumChildren()
                pending.append((tree, local, number))
                pending += [(tree.getChild(i), local, -1) for i in reversed(range(number))]
                continue
            operands = values[len(values) - number :]
            del values[len(values) - number :]
            if tree.getType() == libsbml.AST_FUNCTION:
                pending.append(self._applied(tree.getName(), operands))
            elif tree.getType() == libsbml.AST_FUNCTION_DELAY and len(operands) == 2:
                values.append(self._delayed(*map(as_number, operands)))
            else:
                values.append(_operation(tree.getType(), operands))
        return values[0]

    def _leaf(self, tree: Any, local: Mapping[str, Expression]) -> Expression | None:
        """The expression of a constant or a name; None of what has operands."""
        kind = tree.getType()
        if kind in _CONSTANTS:
            return _CONSTANTS[kind]
        if kind == libsbml.AST_INTEGER:
            return Number(float(tree.getInteger()))
        if kind in _NUMBERS:
            return Number(float(tree.getReal()))
        if kind == libsbml.AST_NAME:
            name = tree.getName()
            return local[name] if name in local else self._quantity(name)
        if kind == libsbml.AST_FUNCTION_RATE_OF:
            name = tree.getChild(0).getName()
            if name in local:
                raise MathError(f"rateOf({name}), the rate of a function's argument,")
            return self._rate(name)
        return None

    def _applied(self, name: str, operands: list[Expression]) -> "_Task":
        """The body of one of the model's functions, which takes the place of the call."""
        definition = self._functions.get(name)
        if definition is None:
            raise MathError(f"the function {name!r}, which is not defined,")
        *variables, body = (definition.getChild(i) for i in range(definition.getNumChildren()))
        if len(variables) != len(operands):
            raise MathError(f"a call of {name!r} with {len(operands)} arguments")
        return body, dict(zip((v.getName() for v in variables), operands)), -1

    def _count(self, size: int) -> None:
        """Raises MathError where a formula, or all of the model, is too long to be solved."""
        self._size += 1
        if size > LONGEST_FORMULA:
            raise MathError(f"a formula of more than {LONGEST_FORMULA:,} numbers and operations")
        if self._size > LARGEST_MODEL:
            raise MathError(f"a model of more than {LARGEST_MODEL:,} numbers and operations")


#: A tree to be translated, names that are known in it, and how many of its operands are done
#: (all of them; -1 where they have not been looked at).
_Task = tuple[Any, Mapping[str, Expression], int]


def _operation(kind: int, operands: list[Expression]) -> Expression:
    if kind in _FUNCTIONS:
        name = _FUNCTIONS[kind]
        if name in ("log", "root") and len(operands) == 1:
            operands = [Number(10.0 if name == "log" else 2.0), *operands]
        if len(operands) == (2 if name in _BINARY else 1):
            return call(name, *operands)
    elif kind == libsbml.AST_MINUS and len(operands) in (1, 2):
        return call("sub" if len(operands) == 2 else "neg", *operands)
    elif kind in _REPEATED:
        name, empty = _REPEATED[kind]
        if operands or empty is not None:
            return _repeated(name, operands) if operands else empty  # type: ignore[return-value]
    elif kind in _RELATIONS:
        # A chain a < b < c; one operand or none make a relation that holds.
        pairs = [call(_RELATIONS[kind], x, y) for x, y in pairwise(operands)]
        return _repeated("and", pairs) if pairs else Number(True)
    elif kind == libsbml.AST_LOGICAL_IMPLIES and len(operands) == 2:
        return call("or", call("not", operands[0]), operands[1])
    elif kind == libsbml.AST_FUNCTION_PIECEWISE:
        return _piecewise(operands)
    name = _node_names().get(kind, "unknown mathematics")
    raise MathError(f"{name!r} of {len(operands)} operands")


def _repeated(name: str, operands: list[Expression]) -> Expression:
    """One operation of many operands as a balanced tree of that of two."""
    if len(operands) == 1:
        return (as_boolean if name in ("and", "or", "xor") else as_number)(operands[0])
    half = (len(operands) + 1) // 2
    return call(name, _repeated(name, operands[:half]), _repeated(name, operands[half:]))


def _piecewise(operands: list[Expression]) -> Expression:
    """Pairs of value and condition, and a value otherwise: not a number where there is none."""
    result = operands[-1] if len(operands) % 2 else None
    pairs = [(operands[i], operands[i + 1]) for i in range(0, len(operands) - 1, 2)]
    if result is None:
        result = Number(float("nan"))
        if pairs and all(is_boolean(value) for value, _ in pairs):
            result = Number(False)
    for value, condition in reversed(pairs):
        result = call("select", condition, value, result)
    return result
