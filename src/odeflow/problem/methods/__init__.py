"""The registry of methods: all that is known of one stands in one file, that of its family.

Config, docs and both engines read it here; nothing else says which methods there are. No JAX.
Diffrax's IMEX methods (KenCarp, Sil3) and SemiImplicitEuler are left out: they split the vector
field in two, and a model has one.
"""

import difflib

from odeflow.problem.methods import explicit, implicit, other, rosenbrock, taylor
from odeflow.problem.methods.method import Method
from odeflow.problem.solver import SAFE_RTOL

#: By the name that a config gives them.
METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        *explicit.METHODS,
        *taylor.METHODS,
        *other.METHODS,
        *implicit.METHODS,
        *rosenbrock.METHODS,
    )
}


#: What `solver.method` is called where it is chosen among `candidates`.
AUTO = "auto"


def candidates(rtol: float) -> tuple[str, ...]:
    """What `auto` chooses among at a relative tolerance, a method for any smooth field first.

    The last is for what is stiff.
    """
    if rtol > SAFE_RTOL:
        return ("tsit5", "rodas5p")
    if rtol > _TIGHT:
        return ("tsit5", "dopri8", "rodas5p")
    if rtol > _TIGHTEST:
        return ("dopri8", "tsit5", "taylor", "rodas5p")
    return ("dopri8", "taylor", "rodas5p")


#: From which tolerances down a Taylor series may be better, and tsit5 is not any more.
_TIGHT, _TIGHTEST = 1e-8, 1e-10


class UnknownMethodError(ValueError):
    """No method of that name."""


def find_method(name: str) -> Method:
    """The method called `name`; raises UnknownMethodError with the nearest known name."""
    if name in METHODS:
        return METHODS[name]
    near = difflib.get_close_matches(name, METHODS, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    known = ", ".join([*METHODS, AUTO])
    raise UnknownMethodError(f"no method {name!r}; {hint}known methods: {known}")


__all__ = ["AUTO", "METHODS", "Method", "UnknownMethodError", "candidates", "find_method"]
