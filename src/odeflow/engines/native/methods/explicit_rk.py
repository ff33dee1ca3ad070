"""Explicit Runge-Kutta methods as programs, from Diffrax's own tableaus."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import diffrax
import numpy as np

from odeflow.engines.native.frontend.field import field_at, field_program
from odeflow.engines.native.methods.domains import defined_at
from odeflow.engines.native.methods.interpolants import Interpolant, inner_weights, interpolant
from odeflow.engines.native.methods.stepper import Inside, Start, Stepped, Stepper
from odeflow.engines.native.methods.stiffness import is_at_limit
from odeflow.engines.native.program.program import Program
from odeflow.engines.native.program.proportions import proportions
from odeflow.engines.native.program.value import Value, select, weighted_sum
from odeflow.problem.methods import Method
from odeflow.problem.model import Model

Weights = Sequence[float] | np.ndarray


def explicit_rk(
    model: Model, method: Method, dtype: Any = np.float64, watches_stiffness: bool = False
) -> Stepper:
    """An explicit Runge-Kutta method.

    With the derivatives k_i = f(t + c_i h, u_i), u_i = y + h sum_j a_ij k_j, a step is
    y1 = y + h sum_i b_i k_i. A method whose last stage is y1 itself (FSAL) carries the last
    derivative over to the next step. Raises `UntranslatableError` from the field.

    Reference: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 2nd ed.,
    sections II.1 and II.5; each method's own reference is in the registry.
    """
    field = field_program(model, dtype)
    if method.name == "euler":
        return _euler(field)
    solver = getattr(diffrax, method.diffrax_name)()
    order = solver.error_order(diffrax.ODETerm(lambda t, y, args: y))
    dense, has_delays = interpolant(method.diffrax_name), bool(model.declared.delays)
    reach = method.reach if watches_stiffness else None
    return _runge_kutta(field, solver.tableau, float(order), dense, has_delays, reach)


def _euler(field: Program) -> Stepper:
    dense = interpolant("Euler")

    def step(start: Start) -> Stepped:
        slopes = field_at(field, start.t, start.y, start.parameters(start.t))
        candidate = [y + start.h * k for y, k in zip(start.y, slopes)]
        return Stepped(candidate, None, {}, {})

    def polynomial(inside: Inside) -> list[list[Value]]:
        return [dense.polynomial(inside.h, y, y1, {}) for y, y1 in zip(inside.y, inside.y1)]

    return Stepper(2.0, step, polynomial)


def _runge_kutta(
    field: Program,
    tableau: Any,
    error_order: float,
    dense: Interpolant,
    has_delays: bool,
    reach: float | None,
) -> Stepper:
    related = proportions(field)
    solved = related.independent
    # what a delay looks back at may jump where a step ends, and with it the derivative
    carried = {f"k1_{i}": i for i in solved} if tableau.fsal and not has_delays else {}

    def step(start: Start) -> Stepped:
        h, y = start.h, start.y
        if carried:
            slopes = related.complete({i: start.carried[row] for row, i in carried.items()})
        else:
            slopes = field_at(field, start.t, y, start.parameters(start.t))
        stages = [slopes]

        def changed(weights: Weights) -> dict[int, Value]:
            return {i: h * weighted_sum(weights, [k[i] for k in stages]) for i in solved}

        arguments: Sequence[Value] = y
        before = y
        for row, c in zip(tableau.a_lower, tableau.c):
            before, arguments = arguments, related.advance(y, changed(row))
            time = start.t_next if c == 1 else start.t + float(c) * h
            stages.append(field_at(field, time, arguments, start.parameters(time)))
        candidate = arguments if tableau.ssal else related.advance(y, changed(tableau.b_sol))
        error = related.complete(changed(tableau.b_error))
        if not tableau.fsal:
            # the others have the field at the end of the step in their error
            parameters = start.parameters(start.t_next)
            defined = defined_at(field, start.t_next, candidate, parameters)
            if defined is not None:
                error = [select(defined, error[0], math.inf), *error[1:]]
        rows = {
            f"{row}_{i}": value
            for i in solved
            for row, value in dense.rows_of(h, [k[i] for k in stages]).items()
        }
        following = {row: stages[-1][i] for row, i in carried.items()}
        at_limit = None
        if reach is not None:
            at_limit = is_at_limit(reach, h, stages[-2:], [before, arguments])

        def controls() -> list[list[Value]]:
            assert dense.middle is not None
            inner = related.complete(changed(inner_weights(dense.middle, tableau.b_sol)))
            quarter = 0.25 * h
            ends = zip(y, candidate, stages[0], stages[-1], inner)
            return [[a + quarter * p, a + m, b - quarter * q] for a, b, p, q, m in ends]

        of_stages = None if dense.middle is None else controls
        return Stepped(candidate, error, following, rows, None, at_limit, of_stages)

    def coefficients(of: Callable[..., list[Value]]) -> Callable[[Inside], list[list[Value]]]:
        def made(inside: Inside) -> list[list[Value]]:
            # both ends remain a component's own: the change between those of a large one is not
            # known well enough for a small one
            rows = (related.rows(i, dense.rows, inside.dense) for i in range(related.size))
            return [of(inside.h, y, y1, own) for y, y1, own in zip(inside.y, inside.y1, rows)]

        return made

    return Stepper(
        error_order,
        step,
        polynomial=coefficients(dense.polynomial),
        controls=coefficients(dense.controls) if dense.controls else None,
        carried=carried,
        dense=[f"{row}_{i}" for row in dense.rows for i in solved],
    )
