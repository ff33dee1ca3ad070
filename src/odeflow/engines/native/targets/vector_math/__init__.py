"""Elementary functions of lanes, without branches or tables.

Accurate in float64 to 1 unit in the last place (exp, log, log1p, atan, cbrt), to 2 (exp2, expm1,
sin, cos, cosh, power) or 3 (tan, sinh, tanh), with the values of IEEE 754 at zeros, infinities and
NaN. Only `contract` is allowed as a fast-math flag: reordering would undo the argument reductions.
`rough_log` and `rough_exp` are for the step-size control, which needs no more.

References: fdlibm (Sun Microsystems, 1993, https://netlib.org/fdlibm/) for log, log1p, sin, cos
and tan; Cody and Waite, Software Manual for the Elementary Functions (1980), for the reductions;
Shibata and Petrogalli, SLEEF, IEEE Trans. Parallel Distrib. Syst. 31, 1316-1327 (2020), for the
polynomial of exp; Dekker, Numer. Math. 18, 224-242 (1971), for numbers in two parts.
"""

from odeflow.engines.native.targets.vector_math.exponentials import (
    cosh,
    exp,
    exp2,
    expm1,
    rough_exp,
    sinh,
    tanh,
)
from odeflow.engines.native.targets.vector_math.logarithms import log, log1p, rough_log
from odeflow.engines.native.targets.vector_math.powers import cbrt, power
from odeflow.engines.native.targets.vector_math.trigonometry import atan, cos, sin, tan

__all__ = [
    "atan",
    "cbrt",
    "cos",
    "cosh",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "power",
    "rough_exp",
    "rough_log",
    "sin",
    "sinh",
    "tan",
    "tanh",
]
