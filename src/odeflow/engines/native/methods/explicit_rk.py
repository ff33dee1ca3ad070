"""Explicit Runge-Kutta methods as straight-line source, from Diffrax's own tableaus."""

from collections.abc import Mapping, Sequence
from typing import Any

import diffrax
import numpy as np

from odeflow.engines.native.frontend.field import evaluated, field_program
from odeflow.engines.native.frontend.names import component_labels
from odeflow.engines.native.methods.domains import defined_lines
from odeflow.engines.native.methods.interpolants import Interpolant, interpolant
from odeflow.engines.native.methods.stepper import Carried, StepSource
from odeflow.engines.native.program.program import Program
from odeflow.engines.native.program.proportions import proportions
from odeflow.problem.methods import Method
from odeflow.problem.model import Model

Weights = Sequence[float] | np.ndarray


def explicit_rk(model: Model, method: Method, dtype: Any = np.float64) -> StepSource:
    """One step of an explicit Runge-Kutta method.

    With the derivatives k_i = f(t + c_i h, u_i), u_i = y + h sum_j a_ij k_j, a step is
    y1 = y + h sum_i b_i k_i. A method whose last stage is y1 itself (FSAL) carries the last
    derivative over to the next step. Raises `UntranslatableError` from the field.

    Reference: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 2nd ed.,
    sections II.1 and II.5; each method's own reference is in the registry.
    """
    names = component_labels(model)
    field = field_program(model, dtype)
    if method.name == "euler":
        lines, k1 = _derivative(field, names, 1, "t", [f"y_{name}" for name in names])
        candidate = [f"y_{name} + h*{k}" for name, k in zip(names, k1)]
        dense = interpolant("Euler")
        return StepSource(2.0, lines, candidate, None, dense.polynomial(names))
    solver = getattr(diffrax, method.diffrax_name)()
    order = solver.error_order(diffrax.ODETerm(lambda t, y, args: y))
    return _runge_kutta(
        field, names, solver.tableau, float(order), interpolant(method.diffrax_name)
    )


def _runge_kutta(
    field: Program, names: Sequence[str], tableau: Any, error_order: float, dense: Interpolant
) -> StepSource:
    lines: list[str] = []
    carried: dict[str, Carried] = {}
    y = [f"y_{name}" for name in names]
    arguments, related = y, proportions(field)
    independent = [names[i] for i in related.independent]

    def changes(weights: Weights) -> dict[int, str]:
        return {i: f"h*({weighted_sum(weights, names[i])})" for i in related.independent}

    if not tableau.fsal:
        lines += _derivative(field, names, 1, "t", arguments)[0]
    for i, (row, c) in enumerate(zip(tableau.a_lower, tableau.c), start=2):
        arguments = [f"u{i}_{name}" for name in names]
        lines += related.advance(y, changes(row), arguments.__getitem__, f"change{i}_{{}}".format)
        time = "t_next" if c == 1 else f"t + {float(c)!r}*h"
        lines += _derivative(field, names, i, time, arguments)[0]
    last = tableau.num_stages
    if tableau.fsal:
        carried = {f"k1_{name}": Carried(f"f_{name}", f"k{last}_{name}") for name in independent}
    candidate = arguments
    if not tableau.ssal:
        candidate = [f"z_{name}" for name in names]
        change = changes(tableau.b_sol)
        lines += related.advance(y, change, candidate.__getitem__, "change_{}".format)
    error = related.complete(changes(tableau.b_error))
    if not tableau.fsal:
        # the others have the field at the end of the step in their error
        rename = {"t": "t_next"} | {f"y_{name}": x for name, x in zip(names, candidate)}
        domain, defined = defined_lines(field, rename, "d_")
        if defined is not None:
            lines += [*domain, f"defined = {defined}"]
            error = [f"select(defined, {error[0]}, INFINITY)", *error[1:]]
    return StepSource(
        error_order=error_order,
        lines=lines,
        candidate=candidate,
        error=error,
        polynomial=related.polynomials(
            dense.polynomial(names), names, [row.removesuffix("_@") for row in dense.rows]
        ),
        carried=carried,
        dense=dense.dense(independent),
    )


def _derivative(
    field: Program, names: Sequence[str], stage: int, time: str, state: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Statements of k<stage>_<component>, the field at a time and state; and these names."""
    rename: Mapping[str, str] = {"t": f"time{stage}"} | {
        f"y_{name}": value for name, value in zip(names, state)
    }
    lines, values = evaluated(field, rename, f"v{stage}_")
    ks = [f"k{stage}_{name}" for name in names]
    return [f"time{stage} = {time}", *lines, *(f"{k} = {v}" for k, v in zip(ks, values))], ks


def weighted_sum(weights: Weights, name: str, k: str = "k") -> str:
    """Sum of weights[i] times k<i+1>_<name> over the weights that are not zero."""
    terms = [f"{float(w)!r}*{k}{i}_{name}" for i, w in enumerate(weights, start=1) if w != 0]
    return " + ".join(terms).replace("+ -", "- ")
