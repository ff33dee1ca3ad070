"""Implicit methods with a root find for each stage; their tableaus are Diffrax's, which steps."""

from odeflow.problem.methods.method import Method

_KVAERNO = "A. Kværnø (2004), BIT Numer. Math. 44, 489-502"

METHODS = (
    Method(
        "implicit_euler",
        "ImplicitEuler",
        1,
        "esdirk",
        "implicit Euler",
        "for the roughest of stiff problems, with little accuracy",
        "E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, section IV.3",
    ),
    Method(
        "kvaerno3",
        "Kvaerno3",
        3,
        "esdirk",
        "Kvaerno 3/2 ESDIRK",
        "for stiff problems at loose tolerances, where a Rosenbrock method fails",
        _KVAERNO,
    ),
    Method(
        "kvaerno4",
        "Kvaerno4",
        4,
        "esdirk",
        "Kvaerno 4/3 ESDIRK",
        "as kvaerno5",
        _KVAERNO,
    ),
    Method(
        "kvaerno5",
        "Kvaerno5",
        5,
        "esdirk",
        "Kvaerno 5/4 ESDIRK, for stiff",
        "for stiff problems where rodas5p fails",
        _KVAERNO,
    ),
)
