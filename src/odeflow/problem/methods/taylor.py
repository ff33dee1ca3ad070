"""Taylor series of the solution, by the native engine alone."""

import math

from odeflow.problem.methods.method import Method


def taylor_order(rtol: float) -> int:
    """The order that takes the least work at a tolerance: each term costs more than the one before.

    Reference: Jorba and Zou, Experimental Mathematics 14, 99-117 (2005), section 3.2.
    """
    return max(math.ceil(1.0 - math.log(rtol) / 2.0), 4)


METHODS = (
    Method(
        "taylor",
        "Taylor",
        8,
        "taylor",
        "Taylor series of the solution, whose order the tolerance decides: 8 at 1e-6, 15 at 1e-12",
        "for what is smooth and not stiff at tolerances below 1e-9: celestial mechanics, chaos",
        "A. Jorba and M. Zou (2005), Experimental Mathematics 14, 99-117",
        sees_end=False,
        degree=8,
    ),
)
