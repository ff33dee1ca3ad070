"""Weights of the stages of a Runge-Kutta-Chebyshev step, by recurrences from stage to stage.

They are those of T_j(w0 + w1 z), Chebyshev's polynomial shifted and scaled: with b_j =
T_j''(w0) / T_j'(w0)**2 stage j has the stability polynomial 1 + b_j (T_j(w0 + w1 z) - T_j(w0)).

Reference: Sommeijer, Shampine and Verwer, J. Comput. Appl. Math. 88, 315-326 (1998), section 2.
"""

from collections.abc import Sequence
from typing import Any

from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.value import Value, apply, exp, sqrt

#: How far the polynomial stays below 1: w0 = 1 + _DAMPING / s**2.
_DAMPING = 2.0 / 13.0
#: What is remembered of a stage: b_j, T_j and its derivatives at w0, and c_j, at which part of the
#: step it is.
_REMEMBERED = tuple(f"stage_{name}" for name in ("b", "value", "slope", "curvature", "c"))
#: The rows of it all: of the stage before and of the one before that.
WEIGHT_ROWS = ("w0", "w1", *(f"{name}{age}" for name in _REMEMBERED for age in (1, 2)))


def begin_weights(b: LaneBuilder, number: Value) -> Value:
    """Begins the recurrences of a number of stages; the weight of the first slope."""
    damping = _DAMPING / (number * number)
    w0, root = 1.0 + damping, sqrt(damping * (2.0 + damping))
    # the Chebyshev polynomial of this degree at w0 is a hyperbolic cosine
    grown = exp(number * apply("log1p", damping + root))
    sinh, cosh = 0.5 * (grown - 1.0 / grown), 0.5 * (grown + 1.0 / grown)
    w1 = sinh * (root * root) / (cosh * number * root - w0 * sinh)
    b0 = 0.25 / (w0 * w0)
    first = w1 * b0
    b.store("w0", w0)
    b.store("w1", w1)
    _remember(b, (b0, w0, 1.0, 0.0, first), (b0, 1.0, 0.0, 0.0, 0.0))
    return first


def next_weights(b: LaneBuilder) -> tuple[Value, Value, Value, Value]:
    """mu_j, nu_j, m_j and a_{j-1} of the next stage, and the recurrences one on."""
    w0, w1 = b.row("w0"), b.row("w1")
    last, before = ([b.row(f"{name}{age}") for name in _REMEMBERED] for age in (1, 2))
    (b1, value1, slope1, curvature1, c1), (b2, value2, slope2, curvature2, c2) = last, before
    value = 2.0 * w0 * value1 - value2
    slope = 2.0 * w0 * slope1 - slope2 + 2.0 * value1
    curvature = 2.0 * w0 * curvature1 - curvature2 + 4.0 * slope1
    b0 = curvature / (slope * slope)
    a, mu, nu = 1.0 - value1 * b1, 2.0 * w0 * b0 / b1, -(b0 / b2)
    m = mu * (w1 / w0)
    c = mu * c1 + nu * c2 + m * (1.0 - a)
    _remember(b, (b0, value, slope, curvature, c), last)
    return mu, nu, m, a


def _remember(b: LaneBuilder, last: Sequence[Any], before: Sequence[Any]) -> None:
    """The numbers of the recurrences of the last stage and of the one before."""
    for age, numbers in ((1, last), (2, before)):
        b.store_rows([f"{name}{age}" for name in _REMEMBERED], numbers)
