"""JAX's elementwise primitives on complex numbers, which are pairs of real operands.

A product and a quotient are the textbook's, as XLA's product is: their parts overflow where the
squares of the operands do.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.program import Operand
from odeflow.engines.native.program.refusal import Refused


@dataclass(frozen=True)
class ComplexOperand:
    """A complex number of which at least one part is not constant."""

    real: Operand
    imag: Operand


#: A constant one is Python's own; real numbers stand beside complex ones as they are.
Number = Operand | complex | ComplexOperand


def joined(real: Operand, imag: Operand) -> complex | ComplexOperand:
    """The number with these parts."""
    if isinstance(real, str) or isinstance(imag, str):
        return ComplexOperand(real, imag)
    return complex(real, imag)


def parts(x: Number) -> tuple[Operand, Operand]:
    """Real and imaginary part."""
    if isinstance(x, ComplexOperand | complex):
        return x.real, x.imag
    return x, 0.0


def _each(operation: str, b: Builder, *numbers: Number) -> Number:
    real, imag = zip(*map(parts, numbers))
    return joined(b.apply(operation, *real), b.apply(operation, *imag))


def _mul(b: Builder, x: Number, y: Number) -> Number:
    (a, c), (d, e) = parts(x), parts(y)
    real = b.apply("sub", b.apply("mul", a, d), b.apply("mul", c, e))
    return joined(real, b.apply("add", b.apply("mul", a, e), b.apply("mul", c, d)))


def _div(b: Builder, x: Number, y: Number) -> Number:
    d, e = parts(y)
    if not isinstance(e, str) and e == 0:
        return joined(*(b.apply("div", part, d) for part in parts(x)))
    size = b.apply("add", b.apply("mul", d, d), b.apply("mul", e, e))
    product = _mul(b, x, _conj(b, y))
    return joined(*(b.apply("div", part, size) for part in parts(product)))


def _conj(b: Builder, x: Number) -> Number:
    real, imag = parts(x)
    return joined(real, b.apply("neg", imag))


def _abs(b: Builder, x: Number) -> Operand:
    real, imag = parts(x)
    return b.apply("sqrt", b.apply("add", b.apply("mul", real, real), b.apply("mul", imag, imag)))


def _sign(b: Builder, x: Number) -> Number:
    size = _abs(b, x)
    is_zero = b.apply("eq", size, 0.0)
    unit = (b.apply("div", part, size) for part in parts(x))
    return joined(*(b.apply("select", is_zero, 0.0, part) for part in unit))


def _exp(b: Builder, x: Number) -> Number:
    real, imag = parts(x)
    size = b.apply("exp", real)
    return joined(*(b.apply("mul", size, b.apply(f, imag)) for f in ("cos", "sin")))


def _log(b: Builder, x: Number) -> Number:
    real, imag = parts(x)
    return joined(b.apply("log", _abs(b, x)), b.apply("atan2", imag, real))


def _sqrt(b: Builder, x: Number) -> Number:
    """That with a positive real part, without a difference of nearly equal numbers."""
    real, imag = parts(x)
    half = b.apply("mul", 0.5, b.apply("add", _abs(b, x), b.apply("abs", real)))
    large = b.apply("sqrt", half)
    small = b.apply("div", imag, b.apply("mul", 2.0, large))
    small = b.apply("select", b.apply("eq", large, 0.0), 0.0, small)
    is_left, is_below = b.apply("lt", real, 0.0), b.apply("lt", imag, 0.0)
    signed = b.apply("select", is_below, b.apply("neg", large), large)
    return joined(
        b.apply("select", is_left, b.apply("abs", small), large),
        b.apply("select", is_left, signed, small),
    )


def _sin(b: Builder, x: Number) -> Number:
    real, imag = parts(x)
    return joined(
        b.apply("mul", b.apply("sin", real), b.apply("cosh", imag)),
        b.apply("mul", b.apply("cos", real), b.apply("sinh", imag)),
    )


def _cos(b: Builder, x: Number) -> Number:
    real, imag = parts(x)
    down = b.apply("neg", b.apply("sin", real))
    return joined(
        b.apply("mul", b.apply("cos", real), b.apply("cosh", imag)),
        b.apply("mul", down, b.apply("sinh", imag)),
    )


def _turned(function: Callable[..., Number], b: Builder, x: Number) -> Number:
    """f(ix), from f: cosh from cos."""
    return function(b, _mul(b, x, 1j))


def _equal(b: Builder, x: Number, y: Number) -> Operand:
    same = (b.apply("eq", one, other) for one, other in zip(parts(x), parts(y)))
    return b.apply("and", *same)


def _select(b: Builder, condition: Operand, x: Number, y: Number) -> Number:
    pairs = zip(parts(x), parts(y))
    return joined(*(b.apply("select", condition, other, one) for one, other in pairs))


#: What takes no parameters, by JAX's name.
_FUNCTIONS: Mapping[str, Callable[..., Number]] = {
    **{name: partial(_each, name) for name in ("add", "sub", "neg")},
    "add_any": partial(_each, "add"),
    "mul": _mul,
    "div": _div,
    "square": lambda b, x: _mul(b, x, x),
    "conj": _conj,
    "abs": _abs,
    "sign": _sign,
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "sin": _sin,
    "cos": _cos,
    "sinh": lambda b, x: _mul(b, -1j, _turned(_sin, b, x)),
    "cosh": partial(_turned, _cos),
    "eq": _equal,
    "ne": lambda b, x, y: b.apply("not", _equal(b, x, y)),
    "select_n": _select,
    "complex": lambda b, x, y: joined(x, y),
    "real": lambda b, x: parts(x)[0],
    "imag": lambda b, x: parts(x)[1],
    "copy": lambda b, x: x,
    "stop_gradient": lambda b, x: x,
    "is_finite": lambda b, x: b.apply("lt", _abs(b, x), math.inf),
}

#: Primitives that real numbers alone do not have.
COMPLEX = frozenset({"complex", "real", "imag", "conj"})
#: What combines elements, and would take them to be real.
REAL_ONLY = frozenset({"lu", "triangular_solve", "cholesky", "conv_general_dilated", "sort"})


def complex_operation(
    b: Builder,
    primitive: str,
    operands: tuple[Any, ...],
    out: np.dtype,
    params: Mapping[str, Any],
) -> Number:
    """One element of an elementwise primitive that takes or gives complex numbers.

    Raises Refused where it has no form here.
    """
    if primitive in _FUNCTIONS:
        return _FUNCTIONS[primitive](b, *operands)
    if primitive == "integer_pow":
        return _power(b, operands[0], params["y"])
    if primitive == "convert_element_type" and out.kind == "c":
        return joined(*parts(operands[0]))
    raise Refused("complex numbers")


def _power(b: Builder, x: Number, exponent: int) -> Number:
    """By squaring."""
    if exponent < 0:
        return _div(b, 1.0, _power(b, x, -exponent))
    result: Number = 1.0
    for digit in f"{exponent:b}":
        result = _mul(b, result, result)
        result = _mul(b, result, x) if digit == "1" else result
    return joined(*parts(result))
