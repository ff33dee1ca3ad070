"""The choice of the first step as source: Diffrax's `_select_initial_step`."""

from odeflow.engines.native.frontend.field import evaluated
from odeflow.engines.native.frontend.names import component_labels
from odeflow.engines.native.methods.controller import atol_of, diffrax_selects_first_step, total
from odeflow.engines.native.program.program import Program
from odeflow.problem.model import Model
from odeflow.problem.solver import Solver


def first_step_lines(solver: Solver, model: Model, field: Program, error_order: float) -> list[str]:
    """Defines `dt` from `t0`, `y_<component>`, `f_<component>` (the derivative) and the settings.

    Reference: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 2nd ed.,
    section II.4, "Starting step size".
    """
    if solver.dt0 is not None or not diffrax_selects_first_step():
        lines = ["dt = dt0"]
    else:
        lines = _selection(solver, model, field, error_order)
    if solver.is_adaptive:
        if solver.dtmax is not None:
            lines.append("dt = select(dt > dtmax, dtmax, dt)")
        if solver.dtmin is not None:
            lines.append("dt = select(dt < dtmin, dtmin, dt)")
    return lines


def _selection(solver: Solver, model: Model, field: Program, error_order: float) -> list[str]:
    names = component_labels(model)
    atols = [atol_of(solver, model, component.state) for component in model.components]
    scales = [f"scale_{n} = {atol} + abs(y_{n})*rtol" for n, atol in zip(names, atols)]
    rename = {"t": "trial_t"} | {f"y_{n}": f"trial_{n}" for n in names}
    again, values = evaluated(field, rename, "again_")
    return [
        *scales,
        f"size = {_norm([f'y_{n}/scale_{n}' for n in names])}",
        f"slope = {_norm([f'f_{n}/scale_{n}' for n in names])}",
        "tiny = (size < 1e-5) | (slope < 1e-5)",
        "slope = select(tiny, 1.0, slope)",
        "trial = select(tiny, 1e-6, 0.01*(size/slope))",
        "trial_t = t0 + trial",
        *(f"trial_{n} = y_{n} + trial*f_{n}" for n in names),
        *again,
        *(f"change_{n} = ({value} - f_{n})/scale_{n}" for n, value in zip(names, values)),
        f"curvature = {_norm([f'change_{n}' for n in names])}/trial",
        # a NaN in either is the greater
        "steepest = select(curvature < slope, slope, curvature)",
        "steepest = select(slope == slope, steepest, slope)",
        f"likely = exp(log(0.01/steepest)*{1.0 / error_order!r})",
        "least = select(trial*1e-3 > 1e-6, trial*1e-3, 1e-6)",
        "likely = select(steepest <= 1e-15, least, likely)",
        "dt = select(100.0*trial < likely, 100.0*trial, likely)",
    ]


def _norm(terms: list[str]) -> str:
    """Root mean square."""
    squares = total([f"({term})*({term})" for term in terms])
    return f"sqrt(({squares})/{float(len(terms))!r})"
