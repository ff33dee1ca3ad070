"""Step-size control as a program: Diffrax's `PIDController` and `ConstantStepSize`.

A lane takes the steps that it takes under Diffrax, with three differences that
`engines.diffrax.lane_control` makes too: a candidate that is not finite is never kept, a step that
cannot advance t ends the lane, and each state may have its own absolute tolerance. Here moreover a
candidate that is infinite rejects the step, as one that is NaN does.

References: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 2nd ed., section
II.4; Soderlind, ACM Trans. Math. Softw. 29, 1-26 (2003), for the PID filter.
"""

import math
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import diffrax
import numpy as np
from diffrax._term import WrapTerm
from jaxtyping import Float

from odeflow.engines.native.frontend.field import step_program
from odeflow.engines.native.frontend.names import state_label
from odeflow.engines.native.methods.delay_steps import DelaySteps
from odeflow.engines.native.methods.knot_steps import KnotSteps
from odeflow.engines.native.methods.stepper import Start, Stepped
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.value import (
    Value,
    any_of,
    inlined,
    isfinite,
    maximum,
    rough_exp,
    rough_log,
    select,
    total,
)
from odeflow.problem.methods import METHODS
from odeflow.problem.model import Model
from odeflow.problem.problem import Problem
from odeflow.problem.solver import Solver
from odeflow.problem.status import Status

#: Diffrax goes straight to the end of the time span where fewer ulp than this would be left.
_CLIP_ULPS = 100


class StepDecision(NamedTuple):
    """What the controller makes of a step, lane by lane.

    `keep` is whether it counts, `stalled` the status that ends the lane or 0, `t` and `t_next` the
    ends of the next step, and `rows` what the controller remembers.
    """

    keep: Value
    stalled: Value
    t: Value
    t_next: Value
    rows: Mapping[str, Value]


def controller_settings(problem: Problem, error_order: float) -> dict[str, float]:
    """The numbers that `decide` and the choice of the first step read, by name and in order."""
    solver, model = problem.solver, problem.model
    settings = {"t0": model.declared.t0}
    if solver.dt0 is not None:
        settings["dt0"] = solver.dt0
    elif not diffrax_selects_first_step():
        settings["dt0"] = _DEFAULT_DT0
    if not solver.is_adaptive:
        return settings
    settings |= tolerances(solver, model)
    settings |= {key: getattr(solver, key) for key in ("safety", "factormin", "factormax")}
    settings |= {
        key: value
        for key in ("dtmin", "dtmax", "stiff_steps")
        if (value := getattr(solver, key)) is not None
    }
    coefficients = _coefficients(solver, error_order)
    return settings | {f"power{i}": -c / 2 for i, c in enumerate(coefficients, start=1) if c != 0}


def _coefficients(solver: Solver, error_order: float) -> tuple[float, float, float]:
    """Those of this error and of the two before, as exponents."""
    return (
        (solver.icoeff + solver.pcoeff + solver.dcoeff) / error_order,
        -(solver.pcoeff + 2 * solver.dcoeff) / error_order,
        solver.dcoeff / error_order,
    )


def controller_rows(problem: Problem, error_order: float) -> list[str]:
    """Rows of what the controller remembers, which start at 0."""
    solver = problem.solver
    if not solver.is_adaptive:
        return []
    rows = [f"past_error{i}" for i in range(1, _memory(_coefficients(solver, error_order)) + 1)]
    rows += [] if solver.dtmin is None else ["at_dtmin"]
    return rows if solver.stiff_steps is None else [*rows, "at_limit"]


def _memory(coefficients: tuple[float, float, float]) -> int:
    """How many errors of the past are looked at."""
    return 2 if coefficients[2] != 0 else 1 if coefficients[1] != 0 else 0


def decide(
    builder: LaneBuilder,
    problem: Problem,
    error_order: float,
    start: Start,
    step: Stepped,
    t0: Value,
) -> StepDecision:
    """What becomes of a step. Raises `UntranslatableError` as `translate`.

    Reads the rows of `controller_rows` and `end_columns`, and `accepted`; `t0` is where the lane
    began.
    """
    if not problem.solver.is_adaptive:
        return _constant_steps(builder, problem, start, step, t0)
    return _adapted_steps(builder, problem, error_order, start, step)


#: What Diffrax takes where it does not select.
_DEFAULT_DT0 = 0.01


@cache
def diffrax_selects_first_step() -> bool:
    """Whether the installed Diffrax selects a first step where dt0 is None.

    Diffrax 0.7 takes 0.01: `diffeqsolve` wraps the terms, and what selects does not know them.
    """
    term = WrapTerm(diffrax.ODETerm(lambda t, y, args: y), 1)
    controller = diffrax.PIDController(rtol=1e-6, atol=1e-6)
    start, _ = controller.init(
        term, 0.0, 1.0, np.ones(()), None, None, lambda terms, t, y, args: y, 5.0
    )
    return float(start) != _DEFAULT_DT0


def tolerances(solver: Solver, model: Model) -> dict[str, float]:
    """The tolerances by their names as settings."""
    atol = solver.tolerances.atol
    named = {atol_of(solver, model, state): atol[state] for state in model.declared.states}
    return {"rtol": solver.tolerances.rtol} | named


def atol_of(solver: Solver, model: Model, state: str) -> str:
    """Name of the absolute tolerance of a state."""
    uniform = solver.tolerances.uniform is not None
    return "atol" if uniform else f"atol_{state_label(model, state)}"


def end_columns(
    solver: Solver, t0: float, t1: Float[np.ndarray, " *lane"]
) -> dict[str, Float[np.ndarray, " *lane"]]:
    """What `decide` reads of the end of each trajectory, in the precision of `t1`.

    Beside `t1`: `clip_floor`, `_CLIP_ULPS` ulp before it, counted like Diffrax without subnormal
    numbers; for constant steps their number, `steps`. Like Diffrax, a span of a whole number of
    dt0 takes that many.
    """
    columns = {"t1": t1, "clip_floor": _before(t1, _CLIP_ULPS)}
    if not solver.is_adaptive:
        dt = np.nextafter(t1.dtype.type(solver.dt0), t1.dtype.type(np.inf))
        columns["steps"] = np.ceil((t1 - t1.dtype.type(t0)) / dt)
    return columns


def _before(t: Float[np.ndarray, " *lane"], ulps: int) -> Float[np.ndarray, " *lane"]:
    """The numbers this many ulp before, where zero has the smallest normal ones beside it."""
    words = np.dtype(f"i{t.dtype.itemsize}")
    subnormal = np.finfo(t.dtype).tiny.view(words) - 1
    place = np.maximum(np.abs(t).view(words) - subnormal, 0)
    place = np.where(t < 0, -place, place) - ulps
    size = np.where(place == 0, 0, np.abs(place) + subnormal).astype(words).view(t.dtype)
    return np.where(place < 0, -size, size)


def _adapted_steps(
    builder: LaneBuilder, problem: Problem, error_order: float, start: Start, step: Stepped
) -> StepDecision:
    solver, coefficients = problem.solver, _coefficients(problem.solver, error_order)
    finite, fit, squared_error, vain = _judged(builder, problem, start, step)
    keep = squared_error < 1.0
    if solver.dtmin is not None:
        keep = keep | (builder.row("at_dtmin") > 0.0)
    keep = keep & fit
    factor, rows = _factor(builder, coefficients, keep, squared_error)
    if step.start is not None:
        factor = select(keep, builder.setting("factormax"), factor)
    knots = KnotSteps(problem)
    dt, allowed = knots.planned(builder, keep, start.h * factor), True
    if solver.dtmax is not None:
        dtmax = builder.setting("dtmax")
        dt = select(dt < dtmax, dt, dtmax)
    if solver.dtmin is not None:
        dtmin = builder.setting("dtmin")
        allowed = dt >= dtmin
        dt = select((builder.row("at_dtmin") > 0.0) & (factor == 1.0), dtmin, dt)
        rows["at_dtmin"] = select(dt <= dtmin, 1.0, 0.0)
        dt = select(dt > dtmin, dt, dtmin)
    keep = keep & finite
    t = select(keep, start.t_next, start.t)
    next_end = t + dt
    # A rejected step of one ulp may come back unchanged, rounded up.
    advances = (next_end > t) & (keep | (next_end < start.t_next)) & allowed
    if vain is not None:
        advances = advances & ~vain
    decision = _ended(builder, keep, t, next_end, advances, finite, rows)
    end, known = knots.next_step_end(builder, keep, start.t_next, t, dt, decision.t_next)
    end, points = DelaySteps(problem).next_step_end(builder, keep, start.t_next, t, end)
    return decision._replace(t_next=end, rows={**decision.rows, **known, **points})


def _judged(
    builder: LaneBuilder, problem: Problem, start: Start, step: Stepped
) -> tuple[Value, Value, Value, Value | None]:
    """Whether a step is finite, and fit to be kept; its squared error; whether another is in vain.

    The squared error is the mean square of error / (atol + rtol |y|). It is infinite where the
    candidate or an error is not finite, where the candidate is negative, by more than its absolute
    tolerance, though it cannot be, and where the problem rejects it.
    """
    solver, model = problem.solver, problem.model
    rtol = builder.setting("rtol")
    assert step.error is not None
    sizes, ratios, negative = [], [], []
    for component, y, new, error in zip(model.components, start.y, step.candidate, step.error):
        atol = builder.setting(atol_of(solver, model, component.state))
        sizes.append(abs(new))
        ratios.append(error / (atol + rtol * maximum(abs(y), sizes[-1])))
        if component.state in model.declared.nonnegative:
            negative.append(new < -atol)
    mean_square = total([ratio * ratio for ratio in ratios]) / float(len(ratios))
    finite = isfinite(mean_square) & isfinite(total(sizes))
    unfit, vain = [any_of(negative)] if negative else [], None
    if problem.rejected is not None:
        program = step_program(model, problem.rejected, problem.dtype)
        point = [start.h, start.t_next, *step.candidate, *start.parameters(start.t_next)]
        rejected, vain = inlined(builder, program, dict(zip(program.inputs, point)))
        unfit.append(rejected)
    fit: Value = Value(builder, True)
    for condition in unfit:
        fit = fit & ~condition
    return finite, fit, select(finite & fit, mean_square, math.inf), vain


def _factor(
    builder: LaneBuilder,
    coefficients: tuple[float, float, float],
    keep: Value,
    squared_error: Value,
) -> tuple[Value, dict[str, Value]]:
    """Safety times powers of this error and, for PI and PID, of past ones; and what to remember."""
    used = [i for i, c in enumerate(coefficients, start=1) if c != 0]
    memory = _memory(coefficients)
    # Where the step ends in some 10 digits is nothing that the solution depends on.
    log_error = rough_log(squared_error)
    errors = [log_error, *(builder.row(f"past_error{i}") for i in range(1, memory + 1))]
    factor = safety = builder.setting("safety")
    if used:
        exponent = total([builder.setting(f"power{i}") * errors[i - 1] for i in used])
        factor = safety * rough_exp(exponent)
    least = select(keep, 1.0, builder.setting("factormin"))
    most = select(keep, builder.setting("factormax"), safety)
    factor = select(factor > least, factor, least)
    factor = select(factor < most, factor, most)
    rows = {}
    if memory:
        # An error of zero or infinity says nothing about the next step.
        sound = (squared_error > 0.0) & (squared_error < math.inf)
        rows["past_error1"] = select(keep, select(sound, log_error, 0.0), errors[1])
    if memory == 2:
        rows["past_error2"] = select(keep, errors[1], errors[2])
    return factor, rows


def _constant_steps(
    builder: LaneBuilder, problem: Problem, start: Start, step: Stepped, t0: Value
) -> StepDecision:
    """Steps that end at equal parts of the time span, so that rounding does not add up.

    As under Diffrax the first is dt0 all the same: 0.3, 0.2, 0.25, 0.25 for dt0 = 0.3 and a span of
    1. An error estimate, where the method has one, says whether the step could be taken at all.
    """
    keep = isfinite(total([abs(new) for new in step.candidate]))
    if METHODS[problem.solver.method].adaptive:
        assert step.error is not None
        keep = keep & isfinite(total(list(step.error)))
    t1, steps = builder.row("t1"), builder.row("steps")
    t = select(keep, start.t_next, start.t)
    next_step = builder.row("accepted") + 2.0
    next_end = select(next_step == steps, t1, t0 + (t1 - t0) * (next_step / steps))
    return _ended(builder, keep, t, next_end, keep & (next_end > t), keep, {})


def _ended(
    builder: LaneBuilder,
    keep: Value,
    t: Value,
    next_end: Value,
    advances: Value,
    finite: Value,
    rows: Mapping[str, Value],
) -> StepDecision:
    """The decision, the next step cut at the end of the trajectory."""
    t1, clip_floor = builder.row("t1"), builder.row("clip_floor")
    failure = select(finite, float(Status.dt_min_reached), float(Status.non_finite))
    clipped = select(keep, t1, t + 0.5 * (t1 - t))
    t_next = select(next_end > clip_floor, clipped, next_end)
    return StepDecision(keep, select(advances, 0.0, failure), t, t_next, rows)
