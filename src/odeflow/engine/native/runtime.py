"""What a generated module imports: its decorators and the functions of its statements."""

import math

import numpy as np
from numba import njit

from odeflow.engine.native.primitives import (
    ceil,
    floor,
    fma,
    isfinite,
    maximum,
    rint,
    select,
    trunc,
)
from odeflow.engine.native.vector_math import (
    atan,
    cbrt,
    cos,
    cosh,
    exp,
    exp2,
    expm1,
    log,
    log1p,
    power,
    sin,
    sinh,
    tan,
    tanh,
)

__all__ = [
    "ENDED", "atan", "cbrt", "ceil", "compiled", "cos", "cosh", "exp", "exp2", "expm1", "floor",
    "fma", "isfinite", "log", "log1p", "math", "maximum", "np", "power", "rint", "scalar",
    "select", "sin", "sinh", "sqrt", "tan", "tanh", "trunc", "vectorised",
]  # fmt: skip

#: What a lane that ended adds to the result of `step`; more than there are lanes.
ENDED = 4096

# Products and sums may fuse, and quotients by one divisor share its reciprocal. No other fast-math
# flag: they assume that there is no NaN, or reorder sums, and bring nothing more.
_options = {"error_model": "numpy", "fastmath": {"contract", "arcp"}, "nogil": True}

#: A loop over lanes.
vectorised = njit(**_options)
#: Code for one lane.
scalar = njit(**_options)
#: The function that Python calls; its machine code is cached beside the module.
compiled = njit(**_options, cache=True)

sqrt = math.sqrt
