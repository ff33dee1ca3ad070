"""Which key of `solver` to change where tolerances are too loose: tried on one trajectory."""

from collections.abc import Callable

import numpy as np

from odeflow.problem.methods import METHODS
from odeflow.trust.verification.stepping import Accuracy, NoReferenceError
from odeflow.trust.verification.tolerances import ComponentTolerances

#: Evaluations that one try may take.
MOST_TRIED = 50_000
#: What tolerances are divided by, one after another, and the span for the longest step.
_DIVISORS, _PARTS = (1e2, 1e4, 1e6), (1e2, 1e3)


def advice(
    error: Callable[[Accuracy], float],
    solved_by: str,
    tolerances: ComponentTolerances,
    span: float,
    limit: float,
) -> str:
    """What to set, with the error that SciPy then has on this trajectory, in words.

    `error(accuracy)` is the largest error of SciPy relative to its scale, `limit` what it has to
    stay below. SciPy's RK45 stands for explicit methods, its Radau for implicit ones.
    """
    method = "Radau" if METHODS[solved_by].implicit else "RK45"
    rtol, atol = tolerances.rtol, tolerances.atol

    def tried(rtol: float, atol: np.ndarray, max_step: float = np.inf) -> float:
        try:
            return error(Accuracy(method, rtol, atol, max_step))
        except NoReferenceError:
            return np.inf

    least = float(np.min(atol))
    for divisor in _DIVISORS:
        by_rtol, by_atol = tried(rtol / divisor, atol), tried(rtol, atol / divisor)
        found = min((by_rtol, 0, f"solver.rtol to {rtol / divisor:.2g}"),
                    (by_atol, 1, f"solver.atol to {least / divisor:.2g}"))  # fmt: skip
        if found[0] <= 0.5 * limit:
            return f"tighten {found[2]}, which leaves an error of {found[0]:.2g} there"
    both = tried(rtol / _DIVISORS[-1], atol / _DIVISORS[-1])
    if both <= 0.5 * limit:
        return (
            f"tighten solver.rtol to {rtol / _DIVISORS[-1]:.2g} and solver.atol to "
            f"{least / _DIVISORS[-1]:.2g}, which leaves {both:.2g} there"
        )
    for part in _PARTS:
        short = tried(rtol, atol, span / part)
        if short <= 0.5 * limit:
            return f"set solver.dtmax to {span / part:.2g}, which leaves {short:.2g} there"
    return "tighten solver.rtol and solver.atol, or take another method"
