"""`engines.shared.wild_steps` on values: what ends a lane before a step that means nothing."""

from collections.abc import Sequence

from odeflow.engines.native.frontend.field import field_at, field_program
from odeflow.engines.native.methods.controller import StepDecision, atol_of
from odeflow.engines.native.methods.stepper import Start
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.value import Value, any_of, maximum, select, total
from odeflow.engines.shared.wild_steps import (
    MOST_CURVATURE,
    MOST_GROWTH,
    MOVED,
    NOISE,
    looks_for_wild_steps,
)
from odeflow.problem.problem import Problem
from odeflow.problem.status import Status


def without_wild_step(
    builder: LaneBuilder,
    problem: Problem,
    start: Start,
    new: Sequence[Value],
    error: Sequence[Value] | None,
    decision: StepDecision,
) -> StepDecision:
    """The decision, a step that is wild taken back; as it is where none is looked for.

    The field is evaluated at both ends once more; what the step has evaluated too is the same
    statements. Components without a derivative among its rows are bent by nothing.
    """
    if not looks_for_wild_steps(problem.solver) or error is None:
        return decision
    model, h, rtol = problem.model, start.h, builder.setting("rtol")
    field = field_program(model, problem.dtype)
    slopes = field_at(field, start.t, start.y, start.parameters(start.t))
    next_slopes = field_at(field, start.t_next, new, start.parameters(start.t_next))
    growths, bent = [], []
    for i, component in enumerate(model.components):
        atol = builder.setting(atol_of(problem.solver, model, component.state))
        before, first, last = abs(start.y[i]), h * slopes[i], h * next_slopes[i]
        if not model.explicit[i]:
            growths.append(error[i] / (atol + rtol * before))
            continue
        growths.append(error[i] / (atol + rtol * maximum(before, MOVED * abs(first))))
        bend = abs((new[i] - start.y[i]) - 0.5 * (first + last))
        room = (NOISE * atol + maximum(before, abs(new[i]))) + (abs(first) + abs(last))
        bent.append(bend > MOST_CURVATURE * room)
    grown = total([growth * growth for growth in growths]) > MOST_GROWTH**2 * len(growths)
    if not bent:
        return decision
    wild = decision.keep & grown & any_of(bent)
    return decision._replace(
        keep=decision.keep & ~wild,
        t=select(wild, start.t, decision.t),
        stalled=select(wild, float(Status.suspect), decision.stalled),
    )
