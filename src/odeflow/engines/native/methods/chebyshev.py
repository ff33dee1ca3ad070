"""A stabilised explicit method: Runge-Kutta-Chebyshev, of as many stages as stability takes."""

import math
from collections.abc import Mapping
from functools import partial

import numpy as np

from odeflow.engines.native.frontend.field import field_at, field_program
from odeflow.engines.native.methods.chebyshev_weights import (
    WEIGHT_ROWS,
    begin_weights,
    next_weights,
)
from odeflow.engines.native.methods.differentiated_field import Point, differentiated_field
from odeflow.engines.native.methods.interpolants import interpolant
from odeflow.engines.native.methods.stepper import Inside, Stages, Start, Stepped, Stepper
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.value import Value, apply, maximum, select, sqrt, total
from odeflow.problem.problem import Problem

#: With s stages the stability polynomial is for real numbers down to -(s**2 - 1) / _BY_SQUARE.
_BY_SQUARE = 1.54
#: The errors of rounding within a step are s**2 of these.
_ROUNDING = 10.0
#: To which part of the state they may come where no tolerance says it.
_ROUGHEST = 1e-6

#: The numbers that a lane has between stages, beside the weights: how many stages are to come and
#: how many there are, the end of the step and its length.
_NUMBERS = ("stages_left", "stages", "stages_end", "stages_h")
#: The state at the last stages: each is in one of the two, where it takes the place of the last but
#: one.
_STATES = ("EVEN", "ODD")


def chebyshev(problem: Problem) -> Stepper:
    """The second-order Runge-Kutta-Chebyshev method.

    A step takes Y_0 = y, Y_1 = y + m_1 h f(Y_0) and

        Y_j = (1 - mu_j - nu_j) Y_0 + mu_j Y_{j-1} + nu_j Y_{j-2}
            + m_j h (f(Y_{j-1}) - a_{j-1} f(Y_0))

    up to Y_s, where s is the least for which the Jacobian's eigenvalues at the start of the step
    are within the stable part of the negative real axis; they are no larger than the greatest sum
    of a row of the Jacobian (Gershgorin). Stages cost next to nothing but the field. The
    derivatives at both ends give the error, of order 3, and a cubic in between. Raises
    `UntranslatableError` from the field and its Jacobian.

    Reference: Sommeijer, Shampine and Verwer, J. Comput. Appl. Math. 88, 315-326 (1998).
    """
    model, size = problem.model, len(problem.model.components)
    field, dense = field_program(model, problem.dtype), interpolant("RKC")
    derivatives = differentiated_field(model, problem.dtype)

    def slopes(start: Start) -> list[Value]:
        return [start.carried[f"k1_{i}"] for i in range(size)]

    def bound(start: Start) -> Value:
        point = Point(start.t, start.y, start.parameters(start.t))
        return _greatest_row(derivatives.differentiate(point).jacobian, start.t)

    def begin(start: Start) -> Value:
        b = _lane(start)
        number, h = _planned(problem, start, bound(start))
        first = h * begin_weights(b, number)
        for i, (y, k) in enumerate(zip(start.y, slopes(start))):
            b.store("EVEN", y, i)
            b.store("ODD", y + first * k, i)
        return b.row("stages_left") > 0.0

    def stage(older: str, newer: str, start: Start) -> Value:
        b = _lane(start)
        left, h = b.row("stages_left"), b.row("stages_h")
        t = start.t + h * b.row("stage_c1")
        states = [b.row(newer, i) for i in range(size)]
        f = field_at(field, t, states, start.parameters(t))
        mu, nu, m, a = next_weights(b)
        rest, hm, hma, goes_on = 1.0 - mu - nu, h * m, h * m * a, left > 0.0
        for i, (y, now, k0) in enumerate(zip(start.y, states, slopes(start))):
            new = mu * now + nu * b.row(older, i) + rest * y + (hm * f[i] - hma * k0)
            b.store(older, select(goes_on, new, now), i)
        b.store("stages_left", left - 1.0)
        return left > 1.0

    def step(start: Start) -> Stepped:
        b, k0 = _lane(start), slopes(start)
        start = start._replace(t_next=b.row("stages_end"), h=b.row("stages_h"))
        # passes are in pairs, so the last one is there
        candidate = [b.row("ODD", i) for i in range(size)]
        k1 = field_at(field, start.t_next, candidate, start.parameters(start.t_next))
        error = [
            0.8 * (y - y1) + 0.4 * start.h * (a + c)
            for y, y1, a, c in zip(start.y, candidate, k0, k1)
        ]
        error[0] = select(b.row("stages") > 0.0, error[0], math.inf)
        rows = {
            f"{row}_{i}": value
            for i in range(size)
            for row, value in dense.rows_of(start.h, [k0[i], k1[i]]).items()
        }
        carried = {f"k1_{i}": k for i, k in enumerate(k1)}
        return Stepped(
            candidate, error, carried, rows, start if problem.solver.is_adaptive else None
        )

    def polynomial(inside: Inside) -> list[list[Value]]:
        return [
            dense.polynomial(
                inside.h, y, y1, {row: inside.dense[f"{row}_{i}"] for row in dense.rows}
            )
            for i, (y, y1) in enumerate(zip(inside.y, inside.y1))
        ]

    def controls(inside: Inside) -> list[list[Value]]:
        assert dense.controls is not None
        return [
            dense.controls(inside.h, y, y1, {row: inside.dense[f"{row}_{i}"] for row in dense.rows})
            for i, (y, y1) in enumerate(zip(inside.y, inside.y1))
        ]

    return Stepper(
        3.0,
        step,
        polynomial,
        carried={f"k1_{i}": i for i in range(size)},
        dense=[f"{row}_{i}" for row in dense.rows for i in range(size)],
        controls=controls,
        row_groups=dict.fromkeys([*_NUMBERS, *WEIGHT_ROWS], 1) | dict.fromkeys(_STATES, size),
        stages=Stages(begin, [partial(stage, *_STATES), partial(stage, *_STATES[::-1])]),
    )


def _lane(start: Start) -> LaneBuilder:
    builder = start.t.builder
    assert isinstance(builder, LaneBuilder)
    return builder


def _planned(problem: Problem, start: Start, bound: Value) -> tuple[Value, Value]:
    """How many stages a step takes, and its length, both kept in a lane's rows.

    It is shorter than planned where that would take more stages than rounding allows. Where none
    will do, it has none, which its error says.
    """
    b, adaptive = _lane(start), problem.solver.is_adaptive
    resolution = _ROUNDING * float(np.finfo(problem.dtype).eps)
    share = b.setting("rtol") if adaptive else Value(b, _ROUGHEST)
    most = maximum(apply("floor", sqrt(share / resolution)), Value(b, 2.0))
    h, end = start.h, start.t_next
    if adaptive:
        longest = start.t + (most * most - 1.0) / (_BY_SQUARE * bound)
        end = select((longest > start.t) & (longest < end), longest, end)
        h = end - start.t
    needed = 1.0 + apply("floor", sqrt(1.0 + _BY_SQUARE * h * bound))
    number = maximum(needed, Value(b, 2.0))
    does = needed <= most + 1.0
    number = select(does, number, 2.0)
    b.store("stages", select(does, number, 0.0))
    b.store("stages_left", select(does, number - 1.0, 0.0))
    b.store("stages_end", end)
    b.store("stages_h", h)
    return number, h


def _greatest_row(jacobian: Mapping[tuple[int, int], Value], t: Value) -> Value:
    """The greatest sum of the absolute values of a row."""
    rows: dict[int, list[Value]] = {}
    for (i, _), entry in jacobian.items():
        rows.setdefault(i, []).append(abs(entry))
    sums = [total(row) for row in rows.values()]
    return _greatest(sums) if sums else Value(t.builder, 0.0)


def _greatest(values: list[Value]) -> Value:
    """The greatest of numbers, as a tree."""
    while len(values) > 1:
        pairs = zip(values[::2], values[1::2])
        values = [*(maximum(a, b) for a, b in pairs), *values[len(values) // 2 * 2 :]]
    return values[0]
