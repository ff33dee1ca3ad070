"""Mathematical expressions: numbers, names, and operations on them. Plain data, nothing runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from odeflow.importers.expressions.operations import BOOLEAN, NUMERIC, OPERATIONS

#: The name of time in an expression; no quantity of a model can have it.
TIME = "time"


@dataclass(frozen=True, eq=False)
class Number:
    """A constant: a real number (also infinite or not a number), or true or false."""

    value: float | bool


@dataclass(frozen=True, eq=False)
class Symbol:
    """The value of a quantity of the model, of `TIME`, or of `rate_of` a state; a real number."""

    name: str


@dataclass(frozen=True, eq=False)
class Call:
    """An operation of `OPERATIONS` on operands, whose kinds (number, boolean) are right."""

    operation: str
    operands: "tuple[Expression, ...]"


Expression = Number | Symbol | Call


def rate_of(name: str) -> str:
    """The name in an expression of the time derivative of a state."""
    return f"rate of {name}"


def is_boolean(expression: Expression) -> bool:
    """Whether the value is true or false, not a number."""
    while isinstance(expression, Call) and expression.operation == "select":
        expression = expression.operands[1]
    if isinstance(expression, Number):
        return isinstance(expression.value, bool)
    return isinstance(expression, Call) and expression.operation in BOOLEAN


def as_number(expression: Expression) -> Expression:
    """True as 1 and false as 0; a number as it is (SBML Level 3 Version 2, section 3.4.9)."""
    return call("number", expression) if is_boolean(expression) else expression


def as_boolean(expression: Expression) -> Expression:
    """Zero as false and other numbers as true; a boolean as it is (ibid.)."""
    return expression if is_boolean(expression) else call("ne", expression, Number(0.0))


def call(operation: str, *operands: Expression) -> Expression:
    """An operation on operands, which are brought to the kinds that it takes.

    What is constant is computed, so no operation is left whose operands are all constants.
    """
    if operation == "select":
        condition, *branches = operands
        condition = as_boolean(condition)
        if isinstance(condition, Number):
            return branches[0 if condition.value else 1]
        if not all(map(is_boolean, branches)):
            branches = map(as_number, branches)
        return Call("select", (condition, *branches))
    if operation in NUMERIC:
        operands = tuple(map(as_number, operands))
    else:
        operands = tuple(map(as_boolean, operands))
    if all(isinstance(x, Number) for x in operands):
        values = [np.asarray(x.value)[()] for x in operands]  # type: ignore[union-attr]
        with np.errstate(all="ignore"):
            value = OPERATIONS[operation](np, *values)
        return Number(bool(value) if operation in BOOLEAN else float(value))
    return Call(operation, operands)


def total(terms: Iterable[Expression]) -> Expression:
    """The sum of terms; 0 where there are none."""
    result: Expression = Number(0.0)
    for term in terms:
        result = term if is_zero(result) else call("add", result, term)
    return result


def product(*factors: Expression) -> Expression:
    """The product of factors, without those that are the number 1."""
    result: Expression | None = None
    for factor in factors:
        if not (isinstance(factor, Number) and factor.value == 1):
            result = factor if result is None else call("mul", result, factor)
    return Number(1.0) if result is None else result


def is_zero(expression: Expression) -> bool:
    """Whether it is the number 0."""
    return isinstance(expression, Number) and expression.value == 0


def names(*expressions: Expression) -> Iterator[str]:
    """The names that expressions read, each once, in the order in which they appear."""
    seen: set[int] = set()
    found: set[str] = set()
    pending = list(reversed(expressions))
    while pending:
        expression = pending.pop()
        if id(expression) in seen:
            continue
        seen.add(id(expression))
        if isinstance(expression, Symbol) and expression.name not in found:
            found.add(expression.name)
            yield expression.name
        elif isinstance(expression, Call):
            pending += reversed(expression.operands)
