"""`engines.shared.wild_steps` as source: what ends a lane before a step that means nothing."""

from odeflow.engines.native.frontend.field import evaluated, field_program
from odeflow.engines.native.frontend.names import component_labels
from odeflow.engines.native.methods.controller import atol_of, total
from odeflow.engines.shared.wild_steps import (
    MOST_CURVATURE,
    MOST_GROWTH,
    NOISE,
    looks_for_wild_steps,
)
from odeflow.problem.problem import Problem
from odeflow.problem.status import Status


def wild_lines(problem: Problem) -> list[str]:
    """After the controller's: takes back a step that is wild. Nothing where none is looked for.

    The field is evaluated at both ends once more; what the step has evaluated too is the same
    instructions, which LLVM does once.
    """
    if not looks_for_wild_steps(problem.solver):
        return []
    model, field = problem.model, field_program(problem.model, problem.dtype)
    labels = component_labels(model)
    before, slopes = evaluated(field, {}, "w0_")
    after, next_slopes = evaluated(
        field, {"t": "t_next"} | {f"y_{n}": f"new_{n}" for n in labels}, "w1_"
    )
    lines = [*before, *after]
    for n, component, f0, f1 in zip(labels, model.components, slopes, next_slopes):
        atol = atol_of(problem.solver, model, component.state)
        lines += [
            f"before_{n} = abs(y_{n})",
            f"growth_{n} = error_{n}/({atol} + rtol*before_{n})",
            f"first_{n} = h*({f0})",
            f"last_{n} = h*({f1})",
            f"bend_{n} = abs((new_{n} - y_{n}) - 0.5*(first_{n} + last_{n}))",
            f"room_{n} = ({NOISE!r}*{atol} + maximum(before_{n}, size_{n}))"
            f" + (abs(first_{n}) + abs(last_{n}))",
            f"bent_{n} = bend_{n} > {MOST_CURVATURE!r}*room_{n}",
        ]
    squares = total([f"growth_{n}*growth_{n}" for n in labels])
    return [
        *lines,
        f"grown = ({squares}) > {MOST_GROWTH**2 * len(labels)!r}",
        f"wild = keep & grown & ({' | '.join(f'bent_{n}' for n in labels)})",
        "keep = keep & ~wild",
        "new_t = select(wild, t, new_t)",
        f"stalled = select(wild, {Status.suspect:d}.0, stalled)",
    ]
