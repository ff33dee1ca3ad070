"""A trajectory by SciPy at a solver's tolerances: what these amount to, and which would do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from odeflow.trust.verification.advice import MOST_TRIED, advice
from odeflow.trust.verification.course import course
from odeflow.trust.verification.problem import PointProblem
from odeflow.trust.verification.reference import (
    Reference,
    distances,
)
from odeflow.trust.verification.saved_trajectory import SavedTrajectory
from odeflow.trust.verification.stepping import Accuracy, NoReferenceError

#: What stands for the solver where it is asked how far off that may be: DOP853 is of order 8.
_ALIKE = {"DOP853": "RK45"}


def amplification_of(
    trajectory: SavedTrajectory, found: Reference
) -> tuple[np.ndarray, dict[str, float]]:
    """At each time, the most tolerances that SciPy is off so far, if it does as the solver; and
    how many it is off in each metric.
    """
    # away from zero: what is positive stays so
    y0, run = trajectory.problem.y0, found.course
    beside = y0 + np.where(y0 < 0, -1.0, 1.0) * trajectory.tolerances.of_state(y0)
    grown = np.ones(len(trajectory.ts))
    metrics = dict.fromkeys(trajectory.checker.followed, 1.0)
    for start in (beside, y0):
        moved = _like(trajectory.problem, start)
        accuracy = Accuracy(
            _ALIKE.get(run.method, run.method),
            trajectory.tolerances.rtol,
            trajectory.tolerances.atol,
        )
        try:
            values = trajectory.read(course(moved, trajectory.ts, accuracy, trajectory.work()))
        except NoReferenceError:
            continue
        off = distances(values.here, found.values, run.near_end)
        widths, _ = trajectory.widths(run)
        for name, one in off.items():
            with np.errstate(all="ignore"):
                ratio = (one / widths[name]).reshape(len(one), -1).max(axis=1, initial=0.0)
            ratio = np.nan_to_num(ratio, nan=1.0, posinf=np.inf)
            if name in metrics:
                metrics[name] = max(metrics[name], float(ratio[0]))
            else:
                grown = np.maximum(grown, ratio)
    return np.maximum.accumulate(grown), metrics


def adviser(trajectory: SavedTrajectory, found: Reference) -> Callable[[float], str]:
    """What makes the advice on this trajectory, which costs a few more solutions."""

    def error(accuracy: Accuracy) -> float:
        """The largest error relative to its scale, of SciPy with this accuracy."""
        moved = _like(trajectory.problem, trajectory.problem.y0)
        values = trajectory.read(
            course(moved, trajectory.ts, accuracy, trajectory.work(MOST_TRIED))
        )
        off = distances(values.here, found.values, found.course.near_end)
        scales = trajectory.scales(found.values.here, found.course)
        worst = 0.0
        for name, one in off.items():
            scale, below = scales[name]
            relative = np.where(below, 0.0, np.nan_to_num(one) / np.maximum(scale, 1e-300))
            worst = max(worst, float(relative.max(initial=0.0)))
        return worst

    span = trajectory.problem.t1 - trajectory.problem.t0

    def advise(deadline: float) -> str:
        trajectory.deadline = deadline
        limit, method = trajectory.limits.relative, trajectory.config.solver.candidates[0]
        return advice(error, method, trajectory.tolerances, span, limit)

    return advise


def _like(problem: PointProblem, y0: np.ndarray) -> PointProblem:
    """The problem from another start, as a solver sees it that knows its exact switches."""
    return PointProblem(
        problem.field, problem.notes, y0, problem.t0, problem.t1, problem.changes,
        problem.stops, problem.events, problem.still, False, problem.ends_at,
        problem.given_times, problem.space, problem.followed, problem.past,
    )  # fmt: skip
