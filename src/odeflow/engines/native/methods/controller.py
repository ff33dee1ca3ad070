"""Step-size control as straight-line source: Diffrax's `PIDController` and `ConstantStepSize`.

A lane takes the steps that it takes under Diffrax, with three differences that
`engines.diffrax.lane_control` makes too: a candidate that is not finite is never kept, a step that
cannot advance t ends the lane, and each state may have its own absolute tolerance. Here moreover a
candidate that is infinite rejects the step, as one that is NaN does.

References: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 2nd ed., section
II.4; Soderlind, ACM Trans. Math. Softw. 29, 1-26 (2003), for the PID filter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import diffrax
import numpy as np
from diffrax._term import WrapTerm
from jaxtyping import Float

from odeflow.engines.native.frontend.field import evaluated, step_program
from odeflow.engines.native.frontend.names import component_labels, state_label
from odeflow.problem.methods import METHODS
from odeflow.problem.model import Model
from odeflow.problem.problem import Problem
from odeflow.problem.solver import Solver
from odeflow.problem.status import Status

#: Diffrax goes straight to the end of the time span where fewer ulp than this would be left.
_CLIP_ULPS = 100


@dataclass(frozen=True)
class ControllerSource:
    """The controller's part of the loop body.

    `lines` read `t`, `t_next`, `h`, `active`, `y_<component>`, the candidate `new_<component>`
    and its error estimate `error_<component>`, and define `keep`, `stalled` (0, or the status
    that ends the lane), `new_t`, `new_t_next`, and `new_<row>` for each row in `rows`. `rows` maps
    the controller's rows to their start values. `settings` are the numbers that the lines, and the
    choice of the first step, read by name. The lines read those of `end_columns` too.
    """

    lines: Sequence[str]
    rows: Mapping[str, str]
    settings: Mapping[str, float]


def controller_settings(problem: Problem, error_order: float) -> dict[str, float]:
    """The numbers that the lines of `controller_source` read, by name and in order."""
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
        key: value for key in ("dtmin", "dtmax") if (value := getattr(solver, key)) is not None
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


def controller_source(problem: Problem, error_order: float) -> ControllerSource:
    """The controller that a problem asks for; raises `UntranslatableError` as `translate`."""
    solver, model = problem.solver, problem.model
    settings = controller_settings(problem, error_order)
    if not solver.is_adaptive:
        return ControllerSource(
            _constant_lines(model, METHODS[solver.method].adaptive), {}, settings
        )
    coefficients = _coefficients(solver, error_order)
    memory = 2 if coefficients[2] != 0 else 1 if coefficients[1] != 0 else 0
    rows = {f"past_error{i}": "0.0" for i in range(1, memory + 1)}
    if solver.dtmin is not None:
        rows["at_dtmin"] = "0.0"
    lines = [
        *_error_lines(problem),
        *_factor_lines([i for i, c in enumerate(coefficients, start=1) if c != 0], memory),
        *_dt_lines("dtmin" in settings, "dtmax" in settings),
        *_next_step_lines(problem.rejected is not None),
    ]
    return ControllerSource(lines, rows, settings)


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
    """The tolerances by their names in the source."""
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
    """What the lines read of the end of each trajectory, in the precision of `t1`.

    Beside `t1`: `clip_floor`, so many ulp before it, counted like Diffrax without subnormal
    numbers; for constant steps their number, `steps`. Like Diffrax, a span of a whole number of
    dt0 takes that many.
    """
    columns = {"t1": t1, "clip_floor": _before(t1, _CLIP_ULPS)}
    if not solver.is_adaptive:
        dt = np.nextafter(t1.dtype.type(solver.dt0), t1.dtype.type(np.inf))
        columns["steps"] = np.ceil((t1 - t1.dtype.type(t0)) / dt)
    return columns


def _before(t: Float[np.ndarray, " *lane"], ulps: int) -> Float[np.ndarray, " *lane"]:
    """The numbers so many ulp before, where zero has the smallest normal ones beside it."""
    words = np.dtype(f"i{t.dtype.itemsize}")
    subnormal = np.finfo(t.dtype).tiny.view(words) - 1
    place = np.maximum(np.abs(t).view(words) - subnormal, 0)
    place = np.where(t < 0, -place, place) - ulps
    size = np.where(place == 0, 0, np.abs(place) + subnormal).astype(words).view(t.dtype)
    return np.where(place < 0, -size, size)


def _error_lines(problem: Problem) -> list[str]:
    """Defines `finite`, `keep`, and `squared_error`: the mean square of error / (atol + rtol |y|).

    It is infinite where the candidate or an error is not finite, where the candidate is negative,
    by more than its absolute tolerance, though it cannot be, and where the problem rejects it.
    """
    solver, model = problem.solver, problem.model
    lines, negative = _rejection_lines(problem), []
    names = component_labels(model)
    for n, component in zip(names, model.components):
        atol = atol_of(solver, model, component.state)
        lines += [
            f"size_{n} = abs(new_{n})",
            f"ratio_{n} = error_{n}/({atol} + rtol*maximum(abs(y_{n}), size_{n}))",
        ]
        if component.state in model.declared.nonnegative:
            negative.append(f"(new_{n} < -{atol})")
    forced = "" if solver.dtmin is None else " | (at_dtmin > 0.0)"
    fit = " & ~negative" if negative else ""
    fit += " & ~rejected" if problem.rejected is not None else ""
    squares = total([f"ratio_{n}*ratio_{n}" for n in names])
    return [
        *lines,
        f"mean_square = ({squares})/{float(len(names))!r}",
        f"finite = isfinite(mean_square) & isfinite({total([f'size_{n}' for n in names])})",
        *([f"negative = {' | '.join(negative)}"] if negative else []),
        f"squared_error = select(finite{fit}, mean_square, INFINITY)",
        f"keep = ((squared_error < 1.0){forced}){fit}",
    ]


def _rejection_lines(problem: Problem) -> list[str]:
    """Defines `rejected` and `vain`; nothing where the problem rejects no step."""
    if problem.rejected is None:
        return []
    program = step_program(problem.model, problem.rejected, problem.dtype)
    ends = {f"y_{n}": f"new_{n}" for n in component_labels(problem.model)}
    lines, (rejected, vain) = evaluated(program, {"t": "t_next"} | ends, "r_")
    return [*lines, f"rejected = {rejected}", f"vain = {vain}"]


def total(terms: Sequence[str]) -> str:
    """Sum of expressions, as a tree: neither a deep expression nor a long chain of additions."""
    if len(terms) <= 4:
        return " + ".join(terms)
    half = len(terms) // 2
    return f"({total(terms[:half])}) + ({total(terms[half:])})"


def _factor_lines(used: Sequence[int], memory: int) -> list[str]:
    """Defines `factor`: safety times powers of this error and, for PI and PID, of past ones."""
    errors = {1: "log_error", 2: "past_error1", 3: "past_error2"}
    exponent = " + ".join(f"power{i}*{errors[i]}" for i in used)
    # Where the step ends in some 10 digits is nothing that the solution depends on.
    lines = ["log_error = rough_log(squared_error)"] if memory or 1 in used else []
    lines += [
        f"free_factor = safety*rough_exp({exponent})" if used else "free_factor = safety",
        "least = select(keep, 1.0, factormin)",
        "most = select(keep, factormax, safety)",
        "raised_factor = select(free_factor > least, free_factor, least)",
        "factor = select(raised_factor < most, raised_factor, most)",
    ]
    if memory:
        # An error of zero or infinity says nothing about the next step.
        lines += [
            "sound = (squared_error > 0.0) & (squared_error < INFINITY)",
            "new_past_error1 = select(keep, select(sound, log_error, 0.0), past_error1)",
        ]
    if memory == 2:
        lines.append("new_past_error2 = select(keep, past_error1, past_error2)")
    return lines


def _dt_lines(dtmin: bool, dtmax: bool) -> list[str]:
    """Defines `dt`, the length of the next step, and `allowed`: whether dtmin permits it."""
    lines = ["dt = h*factor", "allowed = True"]
    if dtmax:
        lines.append("dt = select(dt < dtmax, dt, dtmax)")
    if dtmin:
        lines += [
            "allowed = dt >= dtmin",
            "dt = select((at_dtmin > 0.0) & (factor == 1.0), dtmin, dt)",
            "new_at_dtmin = select(dt <= dtmin, 1.0, 0.0)",
            "dt = select(dt > dtmin, dt, dtmin)",
        ]
    return lines


def _next_step_lines(vain: bool) -> list[str]:
    """Defines `keep`, `stalled`, `new_t` and `new_t_next` from `dt`; `vain` is whether that is."""
    return [
        "keep = keep & finite",
        "new_t = select(keep, t_next, t)",
        "next_end = new_t + dt",
        # A rejected step of one ulp may come back unchanged, rounded up.
        "advances = (next_end > new_t) & (keep | (next_end < t_next)) & allowed",
        *(["advances = advances & ~vain"] if vain else []),
        *_END_LINES,
    ]


def _constant_lines(model: Model, estimated: bool) -> list[str]:
    """Steps that end at equal parts of the time span, so that rounding does not add up.

    As under Diffrax the first is dt0 all the same: 0.3, 0.2, 0.25, 0.25 for dt0 = 0.3 and a span of
    1. An error estimate, where the method has one, says whether the step could be taken at all.
    """
    sizes = total([f"abs(new_{n})" for n in component_labels(model)])
    errors = total([f"error_{n}" for n in component_labels(model)])
    return [
        f"finite = isfinite({sizes})" + (f" & isfinite({errors})" if estimated else ""),
        "keep = finite",
        "new_t = select(keep, t_next, t)",
        "next_step = accepted + 2.0",
        "next_end = select(next_step == steps, t1, t0 + (t1 - t0)*(next_step/steps))",
        "advances = keep & (next_end > new_t)",
        *_END_LINES,
    ]


_END_LINES = [
    f"failure = select(finite, {Status.dt_min_reached:d}.0, {Status.non_finite:d}.0)",
    "stalled = select(advances, 0.0, failure)",
    "clipped = select(keep, t1, new_t + 0.5*(t1 - new_t))",
    "new_t_next = select(next_end > clip_floor, clipped, next_end)",
]
