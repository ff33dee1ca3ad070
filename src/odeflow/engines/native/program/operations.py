"""The table of operations: what each means, and what it is called where it is written.

Whatever is known of an operation stands here. Its emitters for LLVM are functions of these names in
`targets`, its primitives in JAX are translated in `frontend`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from odeflow.engines.native.program.table import entry


class Operation(NamedTuple):
    """One operation of a program.

    `numpy` is its value for constants, as JAX computes it. `lanes` is the function that writes it
    for vectors, `device` that of NVIDIA's libdevice where it has one of its own. `primitive` is
    JAX's where it is the same on numbers. `cost` is what it takes to compile, in
    additions.
    """

    numpy: Callable[..., Any] | None
    lanes: str
    device: str | None = None
    primitive: str | None = None
    cost: int = 1
    is_commutative: bool = False


#: What an elementary function costs: it is written out.
_FUNCTION = 30


def _function(name: str, numpy: Callable[..., Any], device: str | None = None) -> Operation:
    return Operation(numpy, name, device or name, name, _FUNCTION)


def _rough(name: str) -> Operation:
    """Accurate to some 10 digits, for the control of steps."""
    return Operation(None, f"rough_{name}", name, None, _FUNCTION)


def _log_gamma(x: Any) -> Any:
    return np.abs(x) if np.isinf(x) else special.gammaln(x)


OPERATIONS: Mapping[str, Operation] = {
    "add": Operation(np.add, "add", primitive="add", is_commutative=True),
    "sub": Operation(np.subtract, "sub", primitive="sub"),
    "mul": Operation(np.multiply, "mul", primitive="mul", is_commutative=True),
    "div": Operation(np.divide, "truediv", primitive="div"),
    "neg": Operation(np.negative, "neg", primitive="neg"),
    "abs": Operation(np.abs, "abs", primitive="abs"),
    "lt": Operation(np.less, "lt", primitive="lt"),
    "le": Operation(np.less_equal, "le", primitive="le"),
    "eq": Operation(np.equal, "eq", primitive="eq", is_commutative=True),
    "ne": Operation(np.not_equal, "ne", primitive="ne", is_commutative=True),
    "and": Operation(np.logical_and, "and_", is_commutative=True),
    "or": Operation(np.logical_or, "or_", is_commutative=True),
    "xor": Operation(np.logical_xor, "xor", is_commutative=True),
    "not": Operation(np.logical_not, "invert"),
    "select": Operation(np.where, "select"),
    "entry": Operation(entry, "entry", cost=8),
    "floor": Operation(np.floor, "floor", primitive="floor"),
    "ceil": Operation(np.ceil, "ceil", primitive="ceil"),
    "trunc": Operation(np.trunc, "trunc"),
    "round_even": Operation(np.rint, "rint"),
    "sqrt": Operation(np.sqrt, "sqrt", primitive="sqrt"),
    "rem": _function("fmod", np.fmod)._replace(primitive="rem"),
    "cbrt": _function("cbrt", np.cbrt),
    "exp": _function("exp", np.exp),
    "exp2": _function("exp2", np.exp2),
    "expm1": _function("expm1", np.expm1),
    "log": _function("log", np.log),
    "log1p": _function("log1p", np.log1p),
    "pow": _function("power", np.power, "pow")._replace(primitive="pow"),
    "sin": _function("sin", np.sin),
    "cos": _function("cos", np.cos),
    "tan": _function("tan", np.tan),
    "asin": _function("asin", np.arcsin),
    "acos": _function("acos", np.arccos),
    "atan": _function("atan", np.arctan),
    "atan2": _function("atan2", np.arctan2),
    "sinh": _function("sinh", np.sinh),
    "cosh": _function("cosh", np.cosh),
    "tanh": _function("tanh", np.tanh),
    "asinh": _function("asinh", np.arcsinh),
    "acosh": _function("acosh", np.arccosh),
    "atanh": _function("atanh", np.arctanh),
    "erf": _function("erf", special.erf),
    "erfc": _function("erfc", special.erfc),
    "lgamma": _function("lgamma", _log_gamma),
    "rough_exp": _rough("exp"),
    "rough_log": _rough("log"),
}
