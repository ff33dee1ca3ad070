"""The registry of methods: all that is known of one stands in one file, that of its family.

Config, docs and both engines read it here; nothing else says which methods there are. No JAX.
Diffrax's IMEX methods (KenCarp, Sil3) and SemiImplicitEuler are left out: they split the vector
field in two, and a model has one.
"""

import difflib

from odeflow.problem.methods import explicit, implicit, other, rosenbrock, taylor
from odeflow.problem.methods.method import Method

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


class UnknownMethodError(ValueError):
    """No method of that name."""


def find_method(name: str) -> Method:
    """The method called `name`; raises UnknownMethodError with the nearest known name."""
    if name in METHODS:
        return METHODS[name]
    near = difflib.get_close_matches(name, METHODS, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UnknownMethodError(f"no method {name!r}; {hint}known methods: {', '.join(METHODS)}")


__all__ = ["METHODS", "Method", "UnknownMethodError", "find_method"]
