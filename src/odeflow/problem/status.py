"""The stable result codes of a trajectory. Numbers are part of the dataset: never renumber."""

from enum import IntEnum

import numpy as np


class Status(IntEnum):
    """What became of a trajectory.

    Example:
        >>> from odeflow import Status
        >>> Status(2).name, Status.dt_min_reached.is_failure, Status.stopped_by_event.is_failure
        ('dt_min_reached', True, False)
    """

    success = 0
    max_steps_reached = 1
    dt_min_reached = 2
    non_finite = 3
    nonlinear_solve_failed = 4
    stopped_by_event = 5
    events_failed = 6
    suspect = 7
    history_full = 8

    @property
    def is_failure(self) -> bool:
        """Whether the trajectory ended where nothing in the problem ends it."""
        return self not in (Status.success, Status.stopped_by_event)


#: As plain numbers, which NumPy compares faster.
_SUCCESS, _STOPPED = int(Status.success), int(Status.stopped_by_event)


def has_failed(status: np.ndarray) -> np.ndarray:
    """Where codes are those of failures."""
    return np.asarray((status != _SUCCESS) & (status != _STOPPED))


#: What each status means and what to do about it, for reports and captions.
ADVICE: dict[Status, str] = {
    Status.success: "reached t1",
    Status.max_steps_reached: (
        "solver.max_steps attempted steps were taken before t1: raise it, or take a stiff method"
    ),
    Status.dt_min_reached: (
        "the step size fell below solver.dtmin, or below what t can resolve: loosen the "
        "tolerances, take a stiff method, or look for a singularity"
    ),
    Status.non_finite: (
        "the vector field or the state became infinite or not a number: look at the field there"
    ),
    Status.nonlinear_solve_failed: (
        "the implicit method's root find did not converge: lower dt0, or take another method"
    ),
    Status.events_failed: (
        "events set each other off without end or pile up at one time, one fired too often within "
        "its delay, or a delay was negative: look at the triggers and delays of the model's events"
    ),
    Status.suspect: (
        "the error estimate of a step means nothing at so loose a tolerance: lower solver.rtol, at "
        "1e-5 and below such steps do not occur"
    ),
    Status.history_full: (
        "more steps lie within the longest of `model.delays` than are kept: raise "
        "solver.delay_steps, or loosen the tolerances"
    ),
    Status.stopped_by_event: "a condition of `stop` was met: the values end there",
}
