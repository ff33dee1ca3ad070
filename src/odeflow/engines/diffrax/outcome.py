"""What Diffrax says of lanes, as a solution in the dataset's terms."""

from typing import Any, NamedTuple

import numpy as np
from diffrax import RESULTS

from odeflow.engines.diffrax.keeping import keepers
from odeflow.engines.diffrax.lane_control import WILD
from odeflow.engines.shared.stop_values import with_stop_values
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import Problem, Solution
from odeflow.problem.reductions import finish
from odeflow.problem.status import Status, has_failed


class LaneResult(NamedTuple):
    """What Diffrax says of one lane; `values` by variable, (time, *shape).

    `reduced` are the accumulators of the variables that are reduced, and what is kept of events.
    """

    values: dict[str, Any]
    reduced: dict[str, tuple[Any, ...]]
    result: Any
    num_steps: Any
    num_accepted_steps: Any
    num_rejected_steps: Any
    time_reached: Any
    non_finite: Any
    error_infinite: Any
    stopped: Any
    events_failed: Any
    at_stop: Any = None


def solution_of(problem: Problem, t1: np.ndarray, raw: LaneResult) -> Solution:
    """The solution of all lanes, NaN at times that a lane did not reach; `t1` are their ends."""
    status = _status(raw, METHODS[problem.solver.method].implicit, t1.astype(problem.dtype))
    lost_ones = has_failed(status)
    time_reached = np.where(status == Status.success, t1, raw.time_reached)
    if problem.ts is None:
        lost = lost_ones[:, None]
    else:
        ts, reached = problem.ts.astype(problem.dtype), time_reached.astype(problem.dtype)
        lost = ts > reached[:, None]
    values = {}
    for name in problem.variables:
        value = raw.values[name]
        values[name] = np.where(lost.reshape(lost.shape + (1,) * (value.ndim - 2)), np.nan, value)
    duration = time_reached - problem.model.declared.t0
    solution = Solution(
        values=values,
        status=status,
        num_steps=raw.num_steps,
        num_accepted_steps=raw.num_accepted_steps,
        num_rejected_steps=raw.num_rejected_steps,
        time_reached=time_reached,
        reduced=finish(problem.reductions, raw.reduced, ~lost_ones, duration),
        events={one.event.name: raw.reduced[one.key][1] for one in keepers(problem)},
        event_counts={one.event.name: raw.reduced[one.key][0] for one in keepers(problem)},
    )
    return with_stop_values(problem, solution, raw.at_stop)


def _status(raw: LaneResult, implicit: bool, end: np.ndarray) -> np.ndarray:
    """Stable codes from Diffrax's, whose numbers change between releases.

    A lane at its `end` is a success: Diffrax may still say that the step after it would be
    too small.
    """
    is_ = lambda result: raw.result == int(result._value)
    stalled = is_(RESULTS.dt_min_reached)
    return np.select(
        [
            raw.events_failed,
            raw.stopped & (raw.time_reached < end),
            is_(RESULTS.successful) | (raw.time_reached >= end),
            is_(RESULTS.max_steps_reached),
            is_(WILD),
            stalled & raw.non_finite,
            stalled & raw.error_infinite & implicit,
            stalled & raw.error_infinite,
            stalled,
        ],
        [
            Status.events_failed,
            Status.stopped_by_event,
            Status.success,
            Status.max_steps_reached,
            Status.suspect,
            Status.non_finite,
            Status.nonlinear_solve_failed,
            Status.non_finite,
            Status.dt_min_reached,
        ],
        default=Status.nonlinear_solve_failed,
    ).astype(np.int8)
