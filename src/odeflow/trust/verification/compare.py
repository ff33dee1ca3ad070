"""One trajectory of an ensemble against its reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from odeflow.ensemble.labels import trajectory
from odeflow.files.flags import flag_meaning
from odeflow.problem.methods import METHODS
from odeflow.trust.verification.common import Common
from odeflow.trust.verification.derivative_errors import errors_of_derivatives
from odeflow.trust.verification.judgement import (
    Errors,
    Judged,
    Outcome,
    is_of_end,
    look_at,
)
from odeflow.trust.verification.reference import (
    reference_solution,
)
from odeflow.trust.verification.saved_trajectory import SavedTrajectory
from odeflow.trust.verification.solved_again import adviser, amplification_of
from odeflow.trust.verification.stepping import NoReferenceError

#: Evaluations after which what an implicit method solved is taken to be stiff.
_IF_NOT_STIFF = 6_000


@dataclass
class Comparison:
    """One trajectory against its reference.

    `reference[name]` and `errors[name]` have the shape of the saved values, NaN where those are
    not compared, and metrics that of one time; `amplification` has one value per time: how many
    tolerances SciPy is off by then at the tolerances of the solver, if 1 or more.
    """

    reference: Mapping[str, np.ndarray]
    errors: Mapping[str, Errors]
    amplification: np.ndarray
    judged: Judged
    method: str = ""
    evaluations: int = 0
    advice: Callable[[float], str] | None = None


class Checker(Common):
    """Compares trajectories of an ensemble with their references."""

    def compare(self, number: int, deadline: float = np.inf) -> Comparison:
        """The trajectory in row `number` of the design against its reference.

        Raises OutOfTimeError where that is not done at the deadline (`time.monotonic`).
        """
        one = trajectory(self.ensemble, number)
        try:
            return _compared(self, SavedTrajectory(self, one, deadline))
        except NoReferenceError as error:
            return self.nothing(number, str(error))

    def nothing(self, number: int, reason: str) -> Comparison:
        """What to say of a trajectory that could not be compared."""
        one = trajectory(self.ensemble, number)
        judged = Judged(Outcome.not_judged, reasons={reason: set()})
        saved = {name: one[name].transpose("time", ...).values for name in self.names}
        saved |= {name: one[name].values[None] for name in self.followed}
        nothing = {name: np.full(values.shape, np.nan) for name, values in saved.items()}
        errors = {name: _no_errors(values) for name, values in saved.items()}
        return Comparison(nothing, errors, np.ones(one.sizes["time"]), judged)

    def methods(self, one: xr.Dataset) -> tuple[tuple[str, int], ...]:
        """SciPy's methods in the order in which to try them, and how many evaluations each has.

        What an implicit method has solved need not be stiff, and DOP853 is soon done if it is not.
        """
        most = self.config.verify.max_evaluations
        solved_by = flag_meaning(one["method"]) if "method" in one else self.config.solver.method
        explicit, implicit = ("DOP853", most), (("LSODA", most), ("Radau", most))
        auto = (explicit, *implicit)
        if METHODS[solved_by].implicit:
            auto = (("DOP853", min(_IF_NOT_STIFF, most)), *implicit)
        if self.config.model.delays:  # of SciPy's dense outputs that of DOP853 is as good as a step
            return (explicit,)
        asked = {"auto": auto, "dop853": (explicit,), "radau": (("Radau", most),)}
        return asked[self.config.verify.method]


def _compared(checker: Checker, trajectory: SavedTrajectory) -> Comparison:
    for event in trajectory.problem.events:
        if event.asks_if_equal:
            raise NoReferenceError(
                f"the trigger of event {event.name} tests whether changing numbers are equal"
            )
    found = reference_solution(
        trajectory.problem,
        trajectory.ts,
        trajectory.tolerances,
        trajectory.config.verify.tightening,
        checker.methods(trajectory.dataset),
        trajectory.work,
        trajectory.read,
        trajectory.is_enough,
    )
    errors = trajectory.errors(found)
    metrics = checker.followed
    references = {
        name: found.values.here[name]
        for name in (*checker.names, *metrics)
        if name in found.values.here
    }
    evaluations = found.evaluations
    if checker.derivatives:
        more, values, count, unknown = errors_of_derivatives(trajectory, found)
        errors, references, evaluations = (
            errors | more,
            references | values,
            evaluations + count,
        )
    else:
        unknown = set()
    of_values = {name: one for name, one in errors.items() if name not in metrics}
    findings = look_at(of_values, trajectory.limits)
    each = {name: look_at({name: errors[name]}, trajectory.limits) for name in metrics}
    for one in each.values():
        findings = findings.with_metric(one)
    if unknown:
        findings.judged.reasons["there is no derivative at this stop"] = unknown
    judged, amplification = findings.judged, np.ones(len(trajectory.ts))
    whole = is_of_end(judged.worst.variable) or judged.worst.variable in metrics
    if judged.worst.variable and not whole:
        judged.worst = replace(judged.worst, at=float(trajectory.ts[judged.worst.time]))
    limit = trajectory.limits.ratio
    suspicious = [one.suspicious for one in (findings, *each.values())]
    if findings.exceeds or any((one > limit).any() for one in suspicious):
        amplification, of_metrics = amplification_of(trajectory, found)
        explained = (findings.suspicious <= limit * amplification).all() and all(
            (one.suspicious <= limit * of_metrics[name]).all() for name, one in each.items()
        )
        if trajectory.config.solver.stepsize_controller == "constant":
            judged.outcome = Outcome.not_judged
            judged.reasons.setdefault("constant steps keep no tolerance", set())
        elif not explained:
            judged.outcome = Outcome.failed
        elif findings.exceeds:
            judged.outcome = Outcome.tolerances_too_loose
    return Comparison(
        {name: trajectory.padded(references[name]) for name in checker.names}
        | {name: references[name] for name in metrics},
        {name: trajectory.padded_errors(errors[name]) for name in checker.names}
        | {name: errors[name] for name in metrics},
        np.concatenate([amplification[trajectory.shown], np.ones(trajectory.padding)]),
        judged,
        found.course.method,
        evaluations,
        adviser(trajectory, found),
    )


def _no_errors(like: np.ndarray) -> Errors:
    nothing = np.full(like.shape, np.nan)
    rest = like.shape[1:]
    return Errors(nothing, nothing, nothing, np.full(rest, np.nan), np.zeros(rest, bool))
