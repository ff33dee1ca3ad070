"""Stabilised explicit methods, by the native engine alone."""

from odeflow.problem.methods.method import Method

METHODS = (
    Method(
        "rkc",
        "RKC",
        2,
        "stabilised",
        "Runge-Kutta-Chebyshev, explicit, with as many stages as stability asks for",
        "for diffusion with reactions in two dimensions and more, at errors above 1e-5",
        "B. P. Sommeijer, L. F. Shampine and J. G. Verwer (1998), J. Comput. Appl. Math. 88, "
        "315-326",
    ),
)
