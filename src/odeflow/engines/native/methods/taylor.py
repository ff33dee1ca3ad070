"""Taylor series of the solution, of an order that follows from the tolerance, as a method."""

import math
from collections.abc import Sequence

from odeflow.engines.native.frontend.field import field_program
from odeflow.engines.native.methods.controller import atol_of
from odeflow.engines.native.methods.domains import defined_at
from odeflow.engines.native.methods.stepper import Inside, Start, Stepped, Stepper, interpolated
from odeflow.engines.native.methods.taylor_series import solution_series
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.value import Value, maximum, rough_exp, rough_log, select
from odeflow.problem.methods.taylor import taylor_order
from odeflow.problem.problem import Problem


def taylor(problem: Problem) -> Stepper:
    """The Taylor series of a problem's solution, and steps as long as its last terms allow.

    A step takes y1 = sum_n c_n h^n up to order p; h is such that neither of the last two terms is
    larger than the tolerance, both measured at the start of the step: no step is taken twice. The
    series is the dense output. Raises `UntranslatableError` from the field, and where it is not
    smooth.

    Reference: Jorba and Zou, Experimental Mathematics 14, 99-117 (2005), sections 3.1 and 3.2.
    """
    field = field_program(problem.model, problem.dtype)
    order = taylor_order(problem.solver.tolerances.rtol)
    size, is_adaptive = len(problem.model.components), problem.solver.is_adaptive
    names = [[f"taylor{n}_{i}" for n in range(1, order + 1)] for i in range(size)]

    def step(start: Start) -> Stepped:
        series = solution_series(field, start.t, start.y, start.parameters(start.t), order)
        if is_adaptive:
            start = _shortened(problem, start, series)
        terms, power = [], start.h
        for n in range(1, order + 1):
            terms.append([power * x[n] for x in series])
            power = power * start.h
        candidate = [interpolated(x, start.h) for x in series]
        error = terms[-1]
        parameters = start.parameters(start.t_next)
        defined = defined_at(field, start.t_next, candidate, parameters)
        if defined is not None:
            error = [select(defined, error[0], math.inf), *error[1:]]
        dense = {names[i][n]: x for n, row in enumerate(terms) for i, x in enumerate(row)}
        return Stepped(candidate, error, {}, dense, start if is_adaptive else None)

    def polynomial(inside: Inside) -> list[list[Value]]:
        return [[y, *(inside.dense[name] for name in rows)] for y, rows in zip(inside.y, names)]

    dense = [name for rows in names for name in rows]
    return Stepper(float(order), step, polynomial, dense=dense, most_ways=2, ends_steps=is_adaptive)


def _shortened(problem: Problem, start: Start, series: Sequence[Sequence[Value]]) -> Start:
    """The step up to where its series is to be trusted, and no further than planned."""
    builder, solver = start.t.builder, problem.solver
    assert isinstance(builder, LaneBuilder)
    rtol, order = builder.setting("rtol"), len(series[0]) - 1
    h = None
    for n in (order - 1, order):
        size: Value | None = None
        for component, y, x in zip(problem.model.components, start.y, series):
            atol = builder.setting(atol_of(solver, problem.model, component.state))
            one = abs(x[n]) / (atol + rtol * abs(y))
            size = one if size is None else maximum(size, one)
        assert size is not None
        longest = rough_exp(rough_log(size) * (-1.0 / n))
        h = longest if h is None else select(longest < h, longest, h)
    assert h is not None
    h = builder.setting("safety") * h
    if solver.dtmin is not None:
        h = maximum(h, builder.setting("dtmin"))
    end = start.t + h
    # what advances nothing, or is not a number, is left to the controller
    shorter = (end > start.t) & (end < start.t_next)
    end = select(shorter, end, start.t_next)
    return start._replace(t_next=end, h=end - start.t)
