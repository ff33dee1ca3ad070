"""The operations of expressions, written for NumPy and JAX alike, and their evaluation.

`xp` is `numpy` or `jax.numpy`. Reference: SBML Level 3 Version 2 Core, section 3.4; MathML 2.0,
appendix C; for the inverse functions Abramowitz and Stegun, sections 4.4 and 4.6.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Operation = Callable[..., Any]


def _power(xp: Any, x: Any, y: Any) -> Any:
    # A small whole exponent as products: exact, and right for a negative base.
    if isinstance(y, np.floating) and y == round(float(y)) and abs(y) <= 64:
        return x ** int(y) if y >= 0 else 1 / x ** int(-y)
    return xp.power(x, y)


def _root(xp: Any, degree: Any, x: Any) -> Any:
    if isinstance(degree, np.floating) and degree == 2:
        return xp.sqrt(x)
    if isinstance(degree, np.floating) and degree == 3:
        return xp.cbrt(x)
    if isinstance(degree, np.floating) and degree % 2 == 1:  # real for negative numbers too
        return xp.sign(x) * xp.power(abs(x), 1 / degree)
    return xp.power(x, 1 / degree)


def _log(xp: Any, base: Any, x: Any) -> Any:
    if isinstance(base, np.floating) and base == 10:
        return xp.log10(x)
    return xp.log(x) / xp.log(base)


def _factorial(xp: Any, x: Any) -> Any:
    if xp is np:
        return np.vectorize(_factorial_of, otypes=[float])(x)
    from jax.scipy.special import gammaln

    return xp.where(x < 0, np.nan, xp.exp(gammaln(x + 1)))


def _factorial_of(x: float) -> float:
    if not x >= 0:
        return math.nan
    return math.gamma(x + 1) if x <= 170 else math.inf


#: What each operation does to its operands; the first one is the array library.
OPERATIONS: Mapping[str, Operation] = {
    "add": lambda xp, x, y: x + y,
    "sub": lambda xp, x, y: x - y,
    "mul": lambda xp, x, y: x * y,
    "div": lambda xp, x, y: x / y,
    "neg": lambda xp, x: -x,
    "power": _power,
    "root": _root,
    "log": _log,
    "abs": lambda xp, x: abs(x),
    "floor": lambda xp, x: xp.floor(x),
    "ceiling": lambda xp, x: xp.ceil(x),
    "factorial": _factorial,
    "exp": lambda xp, x: xp.exp(x),
    "ln": lambda xp, x: xp.log(x),
    "max": lambda xp, x, y: xp.maximum(x, y),
    "min": lambda xp, x, y: xp.minimum(x, y),
    "quotient": lambda xp, x, y: xp.trunc(x / y),
    "rem": lambda xp, x, y: xp.fmod(x, y),
    "sin": lambda xp, x: xp.sin(x),
    "cos": lambda xp, x: xp.cos(x),
    "tan": lambda xp, x: xp.tan(x),
    "sec": lambda xp, x: 1 / xp.cos(x),
    "csc": lambda xp, x: 1 / xp.sin(x),
    "cot": lambda xp, x: 1 / xp.tan(x),
    "sinh": lambda xp, x: xp.sinh(x),
    "cosh": lambda xp, x: xp.cosh(x),
    "tanh": lambda xp, x: xp.tanh(x),
    "sech": lambda xp, x: 1 / xp.cosh(x),
    "csch": lambda xp, x: 1 / xp.sinh(x),
    "coth": lambda xp, x: 1 / xp.tanh(x),
    "arcsin": lambda xp, x: xp.arcsin(x),
    "arccos": lambda xp, x: xp.arccos(x),
    "arctan": lambda xp, x: xp.arctan(x),
    "arcsec": lambda xp, x: xp.arccos(1 / x),
    "arccsc": lambda xp, x: xp.arcsin(1 / x),
    "arccot": lambda xp, x: xp.arctan(1 / x),
    "arcsinh": lambda xp, x: xp.arcsinh(x),
    "arccosh": lambda xp, x: xp.arccosh(x),
    "arctanh": lambda xp, x: xp.arctanh(x),
    "arcsech": lambda xp, x: xp.arccosh(1 / x),
    "arccsch": lambda xp, x: xp.arcsinh(1 / x),
    "arccoth": lambda xp, x: xp.arctanh(1 / x),
    "eq": lambda xp, x, y: x == y,
    "ne": lambda xp, x, y: x != y,
    "lt": lambda xp, x, y: x < y,
    "le": lambda xp, x, y: x <= y,
    "gt": lambda xp, x, y: x > y,
    "ge": lambda xp, x, y: x >= y,
    "and": lambda xp, x, y: xp.logical_and(x, y),
    "or": lambda xp, x, y: xp.logical_or(x, y),
    "xor": lambda xp, x, y: xp.logical_xor(x, y),
    "not": lambda xp, x: xp.logical_not(x),
    "select": lambda xp, condition, x, y: xp.where(condition, x, y),
    "number": lambda xp, x: x,  # which needs to know the type; done by `evaluate`
}

_LOGICAL = {"and", "or", "xor", "not"}
#: Operations whose result is true or false.
BOOLEAN = frozenset({"eq", "ne", "lt", "le", "gt", "ge", *_LOGICAL})
#: Operations whose operands are numbers.
NUMERIC = frozenset(set(OPERATIONS) - _LOGICAL - {"select", "number"})
