"""Steps of an explicit method that its stability limits: who takes many of them is handed over.

The last two stages of a method are both at the end of the step. What the field changes by between
them, as a part of what the state does, is an eigenvalue of its Jacobian, the largest there is where
they differ most along its eigenvector, as they do where the problem is stiff. A step is at the
limit where that times its length is near the edge of the region in which the method is stable.

Reference: Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed., section IV.2.
"""

from collections.abc import Sequence

from odeflow.engines.native.methods.controller import StepDecision
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.value import Value, select, total
from odeflow.problem.solver import Solver
from odeflow.problem.status import Status

#: The part of the region's reach from which on a step is at its edge.
_NEAR = 0.9


def is_at_limit(
    reach: float, h: Value, slopes: Sequence[Sequence[Value]], states: Sequence[Sequence[Value]]
) -> Value:
    """Whether a step is at the limit, of slopes and states at its last two stages."""
    square = lambda pair: total([(a - b) * (a - b) for a, b in zip(*pair)])
    return h * h * square(slopes) > (_NEAR * reach) ** 2 * square(states)


def handed_over(
    builder: LaneBuilder, solver: Solver, at_limit: Value | None, decision: StepDecision
) -> StepDecision:
    """The decision, which ends a lane with all the steps taken at the limit that it is given."""
    if solver.stiff_steps is None:
        return decision
    assert at_limit is not None
    counted = builder.row("at_limit") + select(decision.keep & at_limit, 1.0, 0.0)
    over = counted >= builder.setting("stiff_steps")
    stalled = select(over, float(Status.max_steps_reached), decision.stalled)
    return decision._replace(stalled=stalled, rows={**decision.rows, "at_limit": counted})
