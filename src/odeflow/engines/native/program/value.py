"""Scalars of a program that grows: to compute with them is to add statements."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from odeflow.engines.native.program.program import Operand, Program

if TYPE_CHECKING:
    from odeflow.engines.native.program.builder import Builder


class Value:
    """An operand of a builder's program. Beside it, numbers of Python are constants."""

    __slots__ = ("builder", "operand")
    __array_ufunc__ = None  # a NumPy scalar leaves an operation to this class
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, builder: Builder, operand: Operand):
        self.builder = builder
        self.operand = operand

    def __bool__(self) -> bool:
        raise TypeError("lanes differ: use select(condition, a, b)")

    def __add__(self, other: Any) -> Value:
        return apply("add", self, other)

    def __radd__(self, other: Any) -> Value:
        return apply("add", other, self)

    def __sub__(self, other: Any) -> Value:
        return apply("sub", self, other)

    def __rsub__(self, other: Any) -> Value:
        return apply("sub", other, self)

    def __mul__(self, other: Any) -> Value:
        return apply("mul", self, other)

    def __rmul__(self, other: Any) -> Value:
        return apply("mul", other, self)

    def __truediv__(self, other: Any) -> Value:
        return apply("div", self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return apply("div", other, self)

    def __neg__(self) -> Value:
        return apply("neg", self)

    def __abs__(self) -> Value:
        return apply("abs", self)

    def __lt__(self, other: Any) -> Value:
        return apply("lt", self, other)

    def __le__(self, other: Any) -> Value:
        return apply("le", self, other)

    def __gt__(self, other: Any) -> Value:
        return apply("lt", other, self)

    def __ge__(self, other: Any) -> Value:
        return apply("le", other, self)

    def __eq__(self, other: Any) -> Value:  # type: ignore[override]
        return apply("eq", self, other)

    def __ne__(self, other: Any) -> Value:  # type: ignore[override]
        return apply("ne", self, other)

    def __and__(self, other: Any) -> Value:
        return apply("and", self, other)

    def __or__(self, other: Any) -> Value:
        return apply("or", self, other)

    def __invert__(self) -> Value:
        return apply("not", self)


def apply(operation: str, *values: Any) -> Value:
    """The result of an operation, at least one of whose operands is a `Value`."""
    builder = next(value.builder for value in values if isinstance(value, Value))
    return Value(builder, builder.apply(operation, *map(operand_of, values)))


def operand_of(value: Any) -> Operand:
    """What a value is in the program; a number of Python as it is."""
    return value.operand if isinstance(value, Value) else value


def _function(operation: str, doc: str) -> Callable[[Value], Value]:
    def function(x: Value) -> Value:
        return apply(operation, x)

    function.__name__, function.__doc__ = operation, doc
    return function


sqrt = _function("sqrt", "Square root; NaN below zero.")
exp = _function("exp", "The exponential function.")
log = _function("log", "The natural logarithm.")
rough_exp = _function("rough_exp", "The exponential function, to some 10 digits.")
rough_log = _function("rough_log", "The natural logarithm, to some 10 digits.")


def select(condition: Value, one: Any, other: Any) -> Value:
    """`one` where the condition holds, else `other`; both are evaluated."""
    return apply("select", condition, one, other)


def maximum(a: Value, b: Value) -> Value:
    """The greater of two numbers; `b` where one of them is NaN."""
    return select(a > b, a, b)


def isfinite(x: Value) -> Value:
    """Whether a number is neither infinite nor NaN."""
    return abs(x) < math.inf


def total(values: Sequence[Value]) -> Value:
    """The sum, as a tree: no long chain of additions."""
    if len(values) > 4:
        half = len(values) // 2
        return total(values[:half]) + total(values[half:])
    return reduce(Value.__add__, values)


def weighted_sum(weights: Sequence[float] | np.ndarray, values: Sequence[Value]) -> Value:
    """Weights times values, one after another, over the weights that are not zero."""
    return reduce(Value.__add__, [float(w) * x for w, x in zip(weights, values) if w != 0])


def any_of(conditions: Sequence[Value]) -> Value:
    """Whether one of them holds."""
    return reduce(Value.__or__, conditions)


def inlined(builder: Builder, program: Program, inputs: Mapping[str, Any]) -> list[Value]:
    """The outputs of a program whose statements are added to a builder."""
    operands = {name: operand_of(value) for name, value in inputs.items()}
    for statement in program.statements:
        given = (operands[x] if isinstance(x, str) else x for x in statement.operands)
        operands[statement.name] = builder.apply(statement.operation, *given)
    outputs = (operands[x] if isinstance(x, str) else x for x in program.outputs)
    return [Value(builder, output) for output in outputs]
