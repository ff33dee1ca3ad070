"""Integers that depend on traced numbers, as decision trees.

An integer such as the place of x in a table takes few values, and conditions on x decide which.
It is represented as nested selections of constants, `select(c, 3, select(d, 2, 1))`, and an
operation on it is done on the constants, when the program is generated: a search in a table of 64
entries becomes comparisons and selections, and no integer is left when the model runs. Conditions
are tested in the order of their definition, each at most once on any way through the tree.

An integer that comes from rounding a traced number has no such tree, and one of many values would
have too large a tree. They are kept as floating-point numbers without fraction, exact up to 2^53
(2^24 in single precision).

Reference for the trees: Bryant, IEEE Transactions on Computers C-35, 677-691 (1986); with
constants at the leaves, Bahar et al., Formal Methods in System Design 10, 171-206 (1997).
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from odeflow.engines.native.frontend.elementwise import Params, scalar_operation
from odeflow.engines.native.program.builder import Builder, is_name
from odeflow.engines.native.program.program import Operand
from odeflow.engines.native.program.refusal import Refused

Value = TypeVar("Value")


def _condition(b: Builder, operand: Operand) -> str | None:
    """What the root of a decision tree tests; None for a constant and a rounded number."""
    statement = b.definition(operand)
    if statement is None or statement.operation != "select":
        return None
    condition = statement.operands[0]
    assert isinstance(condition, str)
    return condition


def is_tree(b: Builder, operand: Operand) -> bool:
    """Whether an integer is a decision tree, not a constant or a rounded number."""
    return _condition(b, operand) is not None


def _where(b: Builder, operand: Operand, condition: str, holds: bool) -> Operand:
    """What is left of a tree where the condition is known."""
    if operand == condition:
        return holds
    if _condition(b, operand) == condition:
        statement = b.definition(operand)
        assert statement is not None
        return statement.operands[1 if holds else 2]
    return operand


def decide(
    b: Builder,
    operands: tuple[Operand, ...],
    leaf: Callable[..., Value],
    merge: Callable[[str, Value, Value], Value],
    tests: tuple[int, ...] = (),
) -> Value:
    """`leaf` of the values that the trees may take, merged by the conditions that decide.

    `tests` are the places of operands that are conditions themselves.
    """
    results: dict[tuple[Operand, ...], Value] = {}

    def visit(operands: tuple[Operand, ...]) -> Value:
        key = tuple(x if isinstance(x, str) else repr(x) for x in operands)
        if key in results:
            return results[key]
        conditions = {_condition(b, x) for x in operands}
        conditions.update(x for i in tests if isinstance(x := operands[i], str))
        conditions.discard(None)
        if conditions:
            first = min((c for c in conditions if c), key=b.position)
            result = merge(
                first,
                visit(tuple(_where(b, x, first, True) for x in operands)),
                visit(tuple(_where(b, x, first, False) for x in operands)),
            )
        else:
            result = leaf(*operands)
        if len(results) > b.limit:
            raise Refused("too many values of integers that depend on traced numbers")
        results[key] = result
        return result

    try:
        return visit(operands)
    except RecursionError:
        raise Refused("too many conditions decide on an integer") from None


def integer_operation(
    b: Builder,
    primitive: str,
    operands: tuple[Operand, ...],
    dtypes: tuple[np.dtype, ...],
    out: np.dtype,
    params: Params,
) -> Operand:
    """One element of an elementwise primitive that reads or gives integers."""

    def select(condition: str, x: Operand, y: Operand) -> Operand:
        return b.apply("select", condition, x, y)

    def leaf(*values: Operand) -> Operand:
        if any(is_name(value) for value in values):
            return _on_rounded(b, primitive, values, dtypes[-1], params)
        return wrapped(_exact(primitive, [int(v) for v in values], dtypes[-1], params), out)

    if primitive == "convert_element_type":
        result = _convert(b, operands[0], dtypes[0], out)
    elif primitive == "select_n" and dtypes[0].kind == "b":
        result = decide(b, operands, lambda c, x, y: y if c else x, select, tests=(0,))
    elif primitive == "select_n":
        which, *cases = operands
        result = choose(b, (which,), ((0, len(cases) - 1),), cases.__getitem__, select)
    else:
        result = decide(b, operands, leaf, select)
    return _of_few_values(b, result) if out.kind in "iu" else result


#: Values of an integer whose tree is kept.
_FEW = 16


def _of_few_values(b: Builder, operand: Operand) -> Operand:
    """A tree of few constants, or else a rounded number in its place."""
    if _condition(b, operand) is None:
        return operand
    seen: set[Operand] = set()

    def leaves(operand: Operand) -> int:
        statement = b.definition(operand)
        if operand in seen:
            return 0
        if _condition(b, operand) is None or statement is None:
            return _FEW + 1 if isinstance(operand, str) else 1
        seen.add(operand)
        return leaves(statement.operands[1]) + leaves(statement.operands[2])

    return b.apply("trunc", operand) if leaves(operand) > _FEW else operand


def _convert(b: Builder, operand: Operand, dtype: np.dtype, out: np.dtype) -> Operand:
    if dtype.kind == "b":
        if out.kind == "b":
            return operand
        one, zero = (1.0, 0.0) if out.kind == "f" else (1, 0)
        return b.apply("select", operand, one, zero)
    if dtype.kind == "f":
        return _rounded(b, operand, out)

    def leaf(value: Operand) -> Operand:
        if isinstance(value, str):
            # In the integers that a rounded number may be, types differ by their range alone.
            return b.apply("ne", value, 0.0) if out.kind == "b" else value
        return wrapped(int(value), out)

    return decide(b, (operand,), leaf, lambda c, x, y: b.apply("select", c, x, y))


def _rounded(b: Builder, operand: Operand, out: np.dtype) -> Operand:
    """A number without its fraction, NaN as 0 and within the range of an integer type."""
    bounds = np.iinfo(out)
    low, high = float(bounds.min), float(bounds.max)
    if not isinstance(operand, str):
        value = 0 if operand != operand else int(min(max(operand, low), high))
        return min(max(value, bounds.min), bounds.max)
    known = b.apply("select", b.apply("eq", operand, operand), operand, 0.0)
    whole = b.apply("trunc", known)
    whole = b.apply("select", b.apply("lt", whole, low), low, whole)
    clamped = b.apply("select", b.apply("lt", high, whole), high, whole)
    # An operation of its own: a selection would be taken for a tree.
    return b.apply("trunc", clamped)


def _on_rounded(
    b: Builder, primitive: str, values: tuple[Operand, ...], dtype: np.dtype, params: Params
) -> Operand:
    """An operation with an integer that is held as a floating-point number."""
    numbers = tuple(v if isinstance(v, str) else float(v) for v in values)
    if dtype.kind == "u" and dtype.itemsize == 8 and primitive in ("sub", "neg"):
        raise Refused("differences of long unsigned integers made from traced numbers")
    if primitive in ("div", "rem"):
        if isinstance(numbers[1], str) or numbers[1] == 0:
            raise Refused("integer division by a traced number")
        result = scalar_operation(b, primitive, numbers, np.dtype(float), params)
        return b.apply("trunc", result) if primitive == "div" else result
    if primitive not in _ON_ROUNDED:
        raise Refused("it is not known for integers made from traced numbers")
    result = scalar_operation(b, primitive, numbers, np.dtype(float), params)
    if dtype.kind == "u" and primitive in ("sub", "neg"):
        around = b.apply("add", result, float(2 ** (8 * dtype.itemsize)))
        result = b.apply("select", b.apply("lt", result, 0.0), around, result)
    return result if _condition(b, result) is None else b.apply("trunc", result)


_ON_ROUNDED = frozenset(
    {"add", "add_any", "sub", "mul", "neg", "abs", "sign", "max", "min", "clamp", "square"}
    | {"integer_pow", "lt", "le", "gt", "ge", "eq", "ne", "copy", "stop_gradient"}
)

_EXACT: Mapping[str, Callable[..., int]] = {
    "add": lambda x, y: x + y,
    "add_any": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "neg": lambda x: -x,
    "abs": lambda x: abs(x),
    "sign": lambda x: (x > 0) - (x < 0),
    "max": max,
    "min": min,
    "clamp": lambda low, x, high: min(max(x, low), high),
    "square": lambda x: x * x,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "and": lambda x, y: x & y,
    "or": lambda x, y: x | y,
    "xor": lambda x, y: x ^ y,
    "not": lambda x: ~x,
    "copy": lambda x: x,
    "stop_gradient": lambda x: x,
    "population_count": lambda x: x.bit_count(),
}


def _exact(primitive: str, values: list[int], dtype: np.dtype, params: Params) -> int:
    """The operation on whole numbers, before it wraps around."""
    if primitive in _EXACT:
        return _EXACT[primitive](*values)
    if primitive == "integer_pow":
        return values[0] ** params["y"]
    if primitive in ("div", "rem"):
        x, y = values
        if y == 0:
            return -1 if primitive == "div" else x
        quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
        return quotient if primitive == "div" else x - quotient * y
    bits = np.iinfo(dtype).bits
    x, shift = values[0], values[-1]
    if primitive == "shift_left":
        return x << shift if 0 <= shift < bits else 0
    if primitive == "shift_right_logical":
        return (x % 2**bits) >> shift if 0 <= shift < bits else 0
    if primitive == "shift_right_arithmetic":
        return x >> (shift if 0 <= shift < bits else bits - 1)
    raise Refused("it is not known for integers")


def wrapped(value: int, dtype: np.dtype) -> bool | int | float:
    """A whole number as a constant of a type; integers wrap around."""
    if dtype.kind == "b":
        return bool(value)
    if dtype.kind == "f":
        return float(dtype.type(value))
    bounds: Any = np.iinfo(dtype)
    return (value - int(bounds.min)) % 2**bounds.bits + int(bounds.min)


def choose(
    b: Builder,
    indices: tuple[Operand, ...],
    bounds: tuple[tuple[int, int], ...],
    case: Callable[..., Value],
    merge: Callable[[str, Value, Value], Value],
) -> Value:
    """`case(i, j, ...)` at the integers that traced ones turn out to be, clamped to low..high."""

    def narrow(chosen: tuple[int, ...], rest: tuple[Operand, ...]) -> Value:
        if not rest:
            return case(*chosen)
        index, (low, high) = rest[0], bounds[len(chosen)]
        if not isinstance(index, str):
            return narrow((*chosen, min(max(int(index), low), high)), rest[1:])

        def search(low: int, high: int) -> Value:
            if low == high:
                return narrow((*chosen, low), rest[1:])
            middle = (low + high + 1) // 2
            is_below = b.apply("lt", index, float(middle))
            if not isinstance(is_below, str):
                return search(low, middle - 1) if is_below else search(middle, high)
            return merge(is_below, search(low, middle - 1), search(middle, high))

        return search(low, high)

    return decide(b, indices, lambda *leaves: narrow((), leaves), merge)
