"""The methods that a config can name, and what the config must know of them (no JAX here).

Diffrax's IMEX methods (KenCarp, Sil3) and SemiImplicitEuler are left out: they split the vector
field in two, and a model has one.
"""

import difflib
from dataclasses import dataclass


class UnknownMethodError(ValueError):
    """No method of that name."""


@dataclass(frozen=True)
class Method:
    """A one-step method: the name of its Diffrax class and its properties.

    `order` is the order of convergence of the solution that is propagated; a `linearly_implicit`
    method solves linear systems where other implicit ones find roots. `sees_end` is whether a step
    evaluates the field at its end.
    """

    diffrax_name: str
    order: int
    adaptive: bool = True
    implicit: bool = False
    linearly_implicit: bool = False
    sees_end: bool = True
    summary: str = ""


METHODS: dict[str, Method] = {
    "euler": Method("Euler", 1, adaptive=False, summary="explicit Euler"),
    "heun": Method("Heun", 2, sees_end=False, summary="Heun's explicit trapezoidal method"),
    "midpoint": Method("Midpoint", 2, sees_end=False, summary="explicit midpoint method"),
    "ralston": Method("Ralston", 2, sees_end=False, summary="Ralston's method"),
    "bosh3": Method("Bosh3", 3, summary="Bogacki-Shampine 3/2"),
    "tsit5": Method("Tsit5", 5, summary="Tsitouras 5/4, the default for non-stiff problems"),
    "dopri5": Method("Dopri5", 5, summary="Dormand-Prince 5/4"),
    "dopri8": Method("Dopri8", 8, summary="Dormand-Prince 8/7, for tight tolerances"),
    "reversible_heun": Method("ReversibleHeun", 2, summary="algebraically reversible Heun"),
    "leapfrog_midpoint": Method(
        "LeapfrogMidpoint", 2, adaptive=False, summary="leapfrog, constant steps only"
    ),
    "implicit_euler": Method("ImplicitEuler", 1, implicit=True, summary="implicit Euler"),
    "kvaerno3": Method("Kvaerno3", 3, implicit=True, summary="Kvaerno 3/2 ESDIRK"),
    "kvaerno4": Method("Kvaerno4", 4, implicit=True, summary="Kvaerno 4/3 ESDIRK"),
    "kvaerno5": Method("Kvaerno5", 5, implicit=True, summary="Kvaerno 5/4 ESDIRK, for stiff"),
    "rodas3p": Method(
        "Rodas3P",
        3,
        implicit=True,
        linearly_implicit=True,
        sees_end=False,
        summary="Rodas3P 3/2 Rosenbrock",
    ),
    "rodas5p": Method(
        "Rodas5P",
        5,
        implicit=True,
        linearly_implicit=True,
        sees_end=False,
        summary="Rodas5P 5/4 Rosenbrock, the first choice for stiff",
    ),
}


def find_method(name: str) -> Method:
    """The method called `name`; raises UnknownMethodError with the nearest known name."""
    if name in METHODS:
        return METHODS[name]
    near = difflib.get_close_matches(name, METHODS, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UnknownMethodError(f"no method {name!r}; {hint}known methods: {', '.join(METHODS)}")
