"""The errors of sensitivities, by differences of solutions."""

from __future__ import annotations

import numpy as np

from odeflow.problem.status import Status
from odeflow.trust.verification.course import course
from odeflow.trust.verification.differences import derivatives
from odeflow.trust.verification.judgement import (
    TIME_REACHED,
    Errors,
)
from odeflow.trust.verification.reference import (
    Reference,
    Values,
)
from odeflow.trust.verification.saved_trajectory import SavedTrajectory
from odeflow.trust.verification.stepping import Accuracy, NoReferenceError

#: Tolerances of the solutions that are subtracted for sensitivities.
_RTOL_OF_DIFFERENCES = 1e-12


def errors_of_derivatives(
    trajectory: SavedTrajectory, found: Reference
) -> tuple[dict[str, Errors], dict[str, np.ndarray], int, set[str]]:
    """Errors and references of the sensitivities, by differences of solutions.

    The last is of which of them the dataset says, at a stop, that there is none.
    """
    errors, references, count, unknown = {}, {}, 0, set()
    widths, _ = trajectory.widths(found.course)
    for axis in trajectory.config.saveat.sensitivities or ():
        own = {
            n: v
            for n, (v, a) in trajectory.checker.derivatives.items()
            if a == axis and v in found.values.here
        }
        size, nominal = _size(trajectory, axis)
        spent = [0]

        def values_at(shift: float, axis: str = axis, spent: list[int] = spent) -> Values:
            moved = trajectory.checker.trajectories.problem(
                trajectory.dataset, {axis: shift}, trajectory.config.runtime.precision
            )
            moved.follows_time = trajectory.problem.is_followed
            accuracy = Accuracy(
                found.course.method,
                _RTOL_OF_DIFFERENCES,
                np.minimum(1e-6 * trajectory.tolerances.atol, 1e-12 * found.course.largest + 1e-30),
            )
            run = course(moved, trajectory.ts, accuracy, trajectory.work())
            spent[0] += run.evaluations
            return trajectory.read(run).here

        scales = {}

        def is_enough(values: Values, doubts: Values) -> bool:
            for variable in set(own.values()):  # noqa: B023
                scale = np.nanmax(np.abs(values[variable]), axis=0, initial=0.0)
                scales[variable] = scale  # noqa: B023
                allowed = 0.02 * min(trajectory.limits.relative, 0.01) * scale
                if (doubts[variable] > allowed).any():
                    return False
            return True

        try:
            values, doubts = derivatives(values_at, size, is_enough)
        except NoReferenceError:
            values = {v: np.full_like(found.values.here[v], np.nan) for v in own.values()}
            doubts = {v: np.full_like(x, np.inf) for v, x in values.items()}
        count += spent[0]
        for name, variable in own.items():
            reference, doubt = values[variable], doubts[variable]
            saved = trajectory.saved(name)
            with np.errstate(invalid="ignore"):
                error = np.abs(saved - reference)
            of_end = variable == TIME_REACHED or trajectory.only_end
            if (
                of_end
                and trajectory.status == Status.stopped_by_event.name
                and np.isnan(saved).all()
            ):
                unknown.add(name)
            else:
                error = np.where(np.isnan(saved) & ~np.isnan(reference), np.inf, error)
            scale = np.asarray(np.nanmax(np.abs(reference), axis=0, initial=0.0))
            absolute = widths[variable] / nominal
            width = absolute + trajectory.tolerances.rtol * np.abs(np.nan_to_num(reference))
            below = scale <= np.nanmin(trajectory.tolerances.atol) / nominal
            if not saved.any():  # nothing depends on that axis, by both
                scale, below = np.where(below, np.inf, scale), np.zeros_like(below)
            errors[name] = Errors(error, doubt, width, scale, np.asarray(below))
            references[name] = reference
    return errors, references, count, unknown


def _size(trajectory: SavedTrajectory, axis: str) -> tuple[float, float]:
    """The size of an axis' value in this trajectory, and of its value in the config."""
    known = trajectory.model.declared
    if axis in known.parameters:
        nominal = abs(known.parameters[axis].value)
        place = list(known.parameters).index(axis)
        here = abs(float(trajectory.problem.changes[0].args[place]))
    else:
        nominal = float(np.max(np.abs(known.states[axis].initial)))
        places = [i for i, c in enumerate(trajectory.model.components) if c.state == axis]
        here = float(np.max(np.abs(trajectory.problem.y0[places])))
    return here or nominal or 1.0, nominal or 1.0
