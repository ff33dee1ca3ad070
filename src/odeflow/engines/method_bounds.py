"""How few steps a method may take where another took so many: which is worth being compiled.

Numbers are of 14 problems at tolerances from 1e-3 to 1e-12 (`python -m benchmarks.method_choice`).
"""

from jaxtyping import Bool, Float
from numpy import ndarray, where

from odeflow.engines.native import engine as native_engine
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import Problem

#: Of one method in place of another, where stability limits neither: at least so many steps in
#: place of one, times a power of `rtol`, by how much their orders differ.
_LEAST = {
    ("tsit5", "dopri8"): (1.0, 0.075),
    ("tsit5", "rodas5p"): (0.85, 0.0),
    ("dopri8", "tsit5"): (0.63, -0.075),
    ("dopri8", "taylor"): (2.7, 0.07),
    ("dopri8", "rodas5p"): (0.75, -0.075),
}
#: Where stability limits both, steps are as their reaches are, but for this.
_NEARER = 0.85
#: What it takes to compile anything, and each statement of a program, in multiplications of a lane,
#: of which there are 36 thousand in a microsecond.
_BEGINNING, _A_STATEMENT = 3e9, 3.6e6


def least_steps(
    method: str,
    rtol: float,
    other: str,
    steps: Float[ndarray, " lane"],
    limited: Bool[ndarray, " lane"],
) -> Float[ndarray, " lane"]:
    """The least steps that a method may take on lanes where another took so many."""
    factor, power = _LEAST[other, method]
    free = factor * rtol**power
    reaches = METHODS[other].reach, METHODS[method].reach
    at_limit = 0.0
    if reaches[0] is not None and reaches[1] is not None:
        at_limit = min(free, _NEARER * reaches[0] / reaches[1])
    return steps * where(limited, at_limit, free)


def compile_work(problem: Problem) -> float:
    """How many multiplications of a lane take as long as it takes to compile a problem."""
    return _BEGINNING + _A_STATEMENT * native_engine.generated(problem).code.cost
