"""Explicit methods that are not Runge-Kutta methods; Diffrax alone steps by them."""

from odeflow.problem.methods.method import Method

METHODS = (
    Method(
        "reversible_heun",
        "ReversibleHeun",
        2,
        "other",
        "algebraically reversible Heun",
        "to compare with; its reversibility is of use in backward passes",
        "P. Kidger, J. Foster, X. Li and T. Lyons (2021), Adv. Neural Inf. Process. Syst. 34",
    ),
    Method(
        "leapfrog_midpoint",
        "LeapfrogMidpoint",
        2,
        "other",
        "leapfrog, constant steps only",
        "for oscillations without damping at constant steps",
        "L. F. Shampine (2009), Appl. Math. Comput. 208, 293-298",
        adaptive=False,
    ),
)
