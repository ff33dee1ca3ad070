"""What a generated module imports: its decorators and the functions of its statements."""

import math

import numpy as np
from numba import njit

from odeflow.engines.native.targets.dense_elimination import lu_factor, lu_solve
from odeflow.engines.native.targets.lane_code import lanes_of, lowest_bit
from odeflow.engines.native.targets.layout import Layout
from odeflow.engines.native.targets.primitives import (
    acos,
    acosh,
    asin,
    asinh,
    atan2,
    atanh,
    ceil,
    erf,
    erfc,
    floor,
    fmod,
    isfinite,
    lgamma,
    mask,
    maximum,
    rint,
    select,
    sqrt,
    trunc,
)
from odeflow.engines.native.targets.sparse_elimination import (
    Elimination,
    sparse_factor,
    sparse_solve,
)
from odeflow.engines.native.targets.vector_math import (
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
    rough_exp,
    rough_log,
    sin,
    sinh,
    tan,
    tanh,
)

__all__ = [
    "INFINITY",
    "Elimination",
    "Layout",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "compiled",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "fmod",
    "inlined",
    "isfinite",
    "lanes_of",
    "lgamma",
    "log",
    "log1p",
    "lowest_bit",
    "lu_factor",
    "lu_solve",
    "mask",
    "math",
    "maximum",
    "np",
    "power",
    "rint",
    "rough_exp",
    "rough_log",
    "select",
    "sin",
    "sinh",
    "sparse_factor",
    "sparse_solve",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
]  # fmt: skip

INFINITY = math.inf

#: A part of the function below.
inlined = njit(error_model="numpy", inline="always")
#: The function that Python calls; `load_kernel` keeps its machine code.
compiled = njit(error_model="numpy", nogil=True)
