"""The choice of the first step: Diffrax's `_select_initial_step`."""

from collections.abc import Callable, Sequence

from odeflow.engines.native.frontend.field import field_at
from odeflow.engines.native.methods.controller import atol_of, diffrax_selects_first_step
from odeflow.engines.native.methods.stepper import Stepper
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.program import Program
from odeflow.engines.native.program.value import Value, exp, log, select, sqrt, total
from odeflow.problem.model import Model
from odeflow.problem.problem import Problem


def first_step(
    builder: LaneBuilder,
    problem: Problem,
    field: Program,
    stepper: Stepper,
    t0: Value,
    y: Sequence[Value],
    f: Sequence[Value],
    parameters: Callable[[Value], Sequence[Value]],
) -> Value:
    """Its length; `f` is the vector field at `t0`, whose rows that are no derivatives do not count,
    and `parameters` are those at a time.

    Reference: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 2nd ed.,
    section II.4, "Starting step size".
    """
    solver, model = problem.solver, problem.model
    if stepper.ends_steps and solver.dt0 is None:
        dt = builder.row("t1") - t0
    elif solver.dt0 is not None or not diffrax_selects_first_step():
        dt = builder.setting("dt0")
    else:
        rtol = builder.setting("rtol")
        atols = [builder.setting(atol_of(solver, model, x.state)) for x in model.components]
        scales = [atol + abs(x) * rtol for atol, x in zip(atols, y)]
        f = _rates(model, f)
        size, slope = (_norm([x / s for x, s in zip(values, scales)]) for values in (y, f))
        tiny = (size < 1e-5) | (slope < 1e-5)
        slope = select(tiny, 1.0, slope)
        trial = select(tiny, 1e-6, 0.01 * (size / slope))
        there = [x + trial * slope_of for x, slope_of in zip(y, f)]
        again = _rates(model, field_at(field, t0 + trial, there, parameters(t0 + trial)))
        changes = [(new - old) / scale for new, old, scale in zip(again, f, scales)]
        curvature = _norm(changes) / trial
        # a NaN in either is the greater
        steepest = select(curvature < slope, slope, curvature)
        steepest = select(slope == slope, steepest, slope)
        likely = exp(log(0.01 / steepest) * (1.0 / stepper.error_order))
        least = select(trial * 1e-3 > 1e-6, trial * 1e-3, 1e-6)
        likely = select(steepest <= 1e-15, least, likely)
        dt = select(100.0 * trial < likely, 100.0 * trial, likely)
    if solver.is_adaptive and solver.dtmax is not None:
        dt = select(dt > builder.setting("dtmax"), builder.setting("dtmax"), dt)
    if solver.is_adaptive and solver.dtmin is not None:
        dt = select(dt < builder.setting("dtmin"), builder.setting("dtmin"), dt)
    return dt


def _rates(model: Model, f: Sequence[Value]) -> list[Value]:
    """The rows that are derivatives; zero for others."""
    return [x if is_rate else Value(x.builder, 0.0) for x, is_rate in zip(f, model.explicit)]


def _norm(values: Sequence[Value]) -> Value:
    """Root mean square."""
    return sqrt(total([value * value for value in values]) / float(len(values)))
