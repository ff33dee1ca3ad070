"""JAX's elementwise primitives on scalar operands that are floating-point numbers or booleans."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.program import Operand
from odeflow.engines.native.program.refusal import Refused

Params = Mapping[str, Any]
Function = Callable[..., Operand]

#: Primitives that are one operation each, by JAX's name.
_OPERATIONS = {
    **{
        name: name
        for name in (
            *("add", "sub", "mul", "div", "neg", "rem", "pow", "abs", "floor", "ceil"),
            *("lt", "le", "eq", "ne", "sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log1p"),
            *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh"),
            *("asinh", "acosh", "atanh", "erf", "erfc", "lgamma"),
        )
    },
    "add_any": "add",
}


def _max(b: Builder, x: Operand, y: Operand) -> Operand:
    """NaN where either is; +0 is above -0 where one of them is known."""
    if not isinstance(x, str):
        x, y = y, x
    if not isinstance(y, str):
        # NaN fails the comparison and is chosen, and so is NaN as the constant.
        return y if y != y else b.apply("select", b.apply("le", x, y), y, x)
    chosen = b.apply("or", b.apply("lt", y, x), b.apply("ne", x, x))
    return b.apply("select", chosen, x, y)


def _min(b: Builder, x: Operand, y: Operand) -> Operand:
    """NaN where either is; -0 is below +0 where one of them is known."""
    if not isinstance(x, str):
        x, y = y, x
    if not isinstance(y, str):
        return y if y != y else b.apply("select", b.apply("lt", y, x), y, x)
    chosen = b.apply("or", b.apply("lt", x, y), b.apply("ne", x, x))
    return b.apply("select", chosen, x, y)


def _clamp(b: Builder, low: Operand, x: Operand, high: Operand) -> Operand:
    return _min(b, _max(b, x, low), high)


def _sign(b: Builder, x: Operand) -> Operand:
    below = b.apply("select", b.apply("lt", x, 0.0), -1.0, x)
    return b.apply("select", b.apply("lt", 0.0, x), 1.0, below)


def _round(b: Builder, x: Operand, rounding_method: Any) -> Operand:
    if rounding_method == jax.lax.RoundingMethod.TO_NEAREST_EVEN:
        return b.apply("round_even", x)
    # Away from zero. Adding 1/2 before truncation would round 0.49999999999999994 up.
    whole = b.apply("trunc", x)
    is_up = b.apply("le", 0.5, b.apply("abs", b.apply("sub", x, whole)))
    return b.apply("select", is_up, b.apply("add", whole, _sign(b, x)), whole)


def _logistic(b: Builder, x: Operand) -> Operand:
    return b.apply("div", 1.0, b.apply("add", 1.0, b.apply("exp", b.apply("neg", x))))


def _less_in_total_order(b: Builder, x: Operand, y: Operand) -> Operand:
    """The order of sorting and searching: NaN above all. Zeros are equal, as JAX makes them."""
    above = b.apply("and", b.apply("ne", y, y), b.apply("eq", x, x))
    return b.apply("or", b.apply("lt", x, y), above)


def _not_above_in_total_order(b: Builder, x: Operand, y: Operand) -> Operand:
    return b.apply("or", b.apply("le", x, y), b.apply("ne", y, y))


#: Other primitives that take no parameters.
_COMPOSED: Mapping[str, Function] = {
    "max": _max,
    "min": _min,
    "clamp": _clamp,
    "sign": _sign,
    "logistic": _logistic,
    "gt": lambda b, x, y: b.apply("lt", y, x),
    "ge": lambda b, x, y: b.apply("le", y, x),
    "lt_to": _less_in_total_order,
    "le_to": _not_above_in_total_order,
    "rsqrt": lambda b, x: b.apply("div", 1.0, b.apply("sqrt", x)),
    "square": lambda b, x: b.apply("mul", x, x),
    "is_finite": lambda b, x: b.apply("lt", b.apply("abs", x), math.inf),
    "select_n": lambda b, c, x, y: b.apply("select", c, y, x),
    "copy": lambda b, x: x,
    "stop_gradient": lambda b, x: x,
}

#: What a primitive does to booleans, as an operation on them.
_ON_BOOLEANS: Mapping[str, Function] = {
    "and": lambda b, x, y: b.apply("and", x, y),
    "or": lambda b, x, y: b.apply("or", x, y),
    "xor": lambda b, x, y: b.apply("xor", x, y),
    "not": lambda b, x: b.apply("not", x),
    "add": lambda b, x, y: b.apply("or", x, y),
    "mul": lambda b, x, y: b.apply("and", x, y),
    "max": lambda b, x, y: b.apply("or", x, y),
    "min": lambda b, x, y: b.apply("and", x, y),
    "ne": lambda b, x, y: b.apply("xor", x, y),
    "eq": lambda b, x, y: b.apply("not", b.apply("xor", x, y)),
    "lt": lambda b, x, y: b.apply("and", b.apply("not", x), y),
    "le": lambda b, x, y: b.apply("or", b.apply("not", x), y),
    "gt": lambda b, x, y: b.apply("and", x, b.apply("not", y)),
    "ge": lambda b, x, y: b.apply("or", x, b.apply("not", y)),
    "select_n": _COMPOSED["select_n"],
    "copy": _COMPOSED["copy"],
    "stop_gradient": _COMPOSED["copy"],
}

#: Elementwise primitives, those on integers only included.
ELEMENTWISE = frozenset(
    {
        *_OPERATIONS,
        *_COMPOSED,
        *_ON_BOOLEANS,
        *("integer_pow", "round", "convert_element_type"),
        *("shift_left", "shift_right_logical", "shift_right_arithmetic", "population_count"),
    }
)


def scalar_operation(
    b: Builder, primitive: str, operands: tuple[Operand, ...], dtype: np.dtype, params: Params
) -> Operand:
    """One element of an elementwise primitive. `dtype` is that of the last operand.

    Raises Refused where the primitive has no meaning here.
    """
    if dtype.kind == "b" and primitive != "convert_element_type":
        if primitive not in _ON_BOOLEANS:
            raise Refused("it is not known for booleans")
        return _ON_BOOLEANS[primitive](b, *operands)
    if primitive in _OPERATIONS:
        return b.apply(_OPERATIONS[primitive], *operands)
    if primitive in _COMPOSED:
        return _COMPOSED[primitive](b, *operands)
    if primitive == "integer_pow":
        return b.power(operands[0], params["y"])
    if primitive == "round":
        return _round(b, operands[0], params["rounding_method"])
    raise Refused("bits of numbers that are only known when the model runs")
