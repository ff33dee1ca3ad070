"""The reference solution of one trajectory: SciPy's, at tolerances at which it agrees with itself.

It is solved twice, the second time at tighter tolerances. Where the two differ by more than can be
judged with, it is solved again, tighter and by another method. What remains is its uncertainty.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from odeflow.trust.verification.course import Course, course
from odeflow.trust.verification.problem import PointProblem
from odeflow.trust.verification.stepping import SMALLEST_RTOL, Accuracy, NoReferenceError, Work
from odeflow.trust.verification.tolerances import ComponentTolerances

#: What later solutions divide the tolerances of the first one by: relative, absolute.
_TIGHTER = ((30.0, 1e3), (1e3, 1e6), (1e5, 1e9))

#: Values by name at the times of a trajectory; and those of the other side of an event close by,
#: NaN where there is none.
Values = Mapping[str, np.ndarray]


class Sides(NamedTuple):
    """The values of a course, as they are and as they are just beside an event."""

    here: Values
    beside: Values


class Reference(NamedTuple):
    """Values, and by how much two solutions differ in them; `course` is the best solution."""

    values: Sides
    uncertainty: Values
    course: Course
    evaluations: int


def reference_solution(
    problem: PointProblem,
    ts: np.ndarray,
    tolerances: ComponentTolerances,
    tightening: float,
    methods: tuple[tuple[str, int], ...],
    work: Callable[[int], Work],
    read: Callable[[Course], Sides],
    is_enough: Callable[[Values, Values, Course], bool],
) -> Reference:
    """The solution at `ts` by the first of SciPy's methods that finds it, with its uncertainty.

    `methods` are SciPy's names and how many evaluations each may take; the following ones are for
    where the first fails or differs from itself.
    `read` gives a course's values, `is_enough(values, uncertainty, course)` whether they can be
    judged with. Raises NoReferenceError where no method gets to the end.
    """
    rtol = tolerances.rtol / tightening
    atol = _scaled(problem, tolerances, rtol, tightening)
    reasons: list[str] = []
    found: list[Course] = []

    def attempt(accuracy: Accuracy, most: int) -> bool:
        try:
            found.append(course(problem, ts, accuracy, work(most)))
        except NoReferenceError as error:
            reasons.append(str(error))
            return False
        return True

    used = methods
    for place, (method, most) in enumerate(methods):
        if attempt(Accuracy(method, rtol, atol), most):
            used = methods[place:]
            break
    else:
        raise NoReferenceError("; ".join(reasons))
    largest = found[0].largest
    best: Reference | None = None
    for number, (relative, absolute) in enumerate(_TIGHTER):
        by_another = number == 1 or rtol <= 2 * SMALLEST_RTOL
        method, most = used[min(1, len(used) - 1)] if by_another else used[0]
        below = np.where(largest > 0, rtol * largest, np.inf)
        tighter = np.minimum(atol / absolute, below)
        if not attempt(Accuracy(method, max(rtol / relative, SMALLEST_RTOL), tighter), 2 * most):
            continue
        best = _compared(found, read)
        if is_enough(best.values.here, best.uncertainty, best.course):
            break
    if best is None:
        raise NoReferenceError("; ".join(reasons))
    return best


def _scaled(
    problem: PointProblem, tolerances: ComponentTolerances, rtol: float, tightening: float
) -> np.ndarray:
    """Absolute tolerances; of what starts below that of the solver, relative to its start."""
    start = np.abs(problem.y0)
    below = (start > 0) & (start < tolerances.atol)
    usual = tolerances.atol / tightening
    return np.where(below, np.minimum(usual, rtol * start), usual)


def _compared(found: list[Course], read: Callable[[Course], Sides]) -> Reference:
    """The last course, and how far that of the others is from it that is closest."""
    *others, last = found
    values = read(last)
    nearest: Values | None = None
    least = np.inf
    for other in others:
        differences = distances(read(other).here, values, last.near_end)
        size = max(float(np.nanmax(x, initial=0.0)) for x in differences.values())
        if nearest is None or size < least:
            nearest, least = differences, size
    assert nearest is not None
    return Reference(values, nearest, last, sum(one.evaluations for one in found))


def distances(given: Values, values: Sides, near_end: np.ndarray) -> Values:
    """How far values are from those of a course, on the side of an event that is closer.

    NaN where both have none, infinite where only one has; 0 there near a stop.
    """
    result = {}
    for name, here in values.here.items():
        one, beside = given[name], values.beside[name]
        with np.errstate(invalid="ignore"):
            error = np.where(one == here, 0.0, np.abs(one - here))
            other = np.where(np.isnan(beside), np.inf, np.abs(one - beside))
        error = np.fmin(error, np.where(np.isnan(error), np.inf, other))
        nothing, missing = np.isnan(one) & np.isnan(here), np.isnan(one) | np.isnan(here)
        error = np.where(missing | np.isnan(error), np.inf, error)
        if len(near_end) == len(error):
            spread = near_end.reshape(-1, *[1] * (error.ndim - 1))
            error = np.where(missing & spread, 0.0, error)
        result[name] = np.where(nothing, np.nan, error)
    return result
