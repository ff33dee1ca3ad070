"""Stabilised explicit methods, by the native engine alone."""

from odeflow.problem.methods.method import Method

METHODS = (
    Method(
        "rkc",
        "RKC",
        2,
        "stabilised",
        "Runge-Kutta-Chebyshev 2, explicit, of as many stages as its stability takes",
        "for diffusion and reactions of many states, which no linear solve has to be paid for, at "
        "tolerances above 1e-5",
        "B. P. Sommeijer, L. F. Shampine and J. G. Verwer (1998), J. Comput. Appl. Math. 88, "
        "315-326",
        degree=3,
    ),
)
