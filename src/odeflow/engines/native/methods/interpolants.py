"""Diffrax's local interpolants as polynomials: the state inside of a step."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import diffrax
import numpy as np
from jaxtyping import Float

from odeflow.engines.native.program.value import Value, weighted_sum

Rows = Mapping[str, Value]


class Interpolant(NamedTuple):
    """The state inside of a step as a polynomial of theta, component by component.

    `rows_of(h, k)` are what a step leaves behind for it, of its length and the stages' derivatives,
    under the names in `rows`. `polynomial(h, y, y1, rows)` are the coefficients, with the state at
    both ends. The constant comes first. `controls` are those in Bernstein's basis but for both
    ends, where they are known more directly. A quartic has y + h sum_i m_i k_i in the middle, m the
    weights `middle`.
    """

    rows: Sequence[str]
    rows_of: Callable[[Value, Sequence[Value]], dict[str, Value]]
    polynomial: Callable[[Value, Value, Value, Rows], list[Value]]
    controls: Callable[[Value, Value, Value, Rows], list[Value]] | None = None
    middle: Float[np.ndarray, " stage"] | None = None


def interpolant(method: str) -> Interpolant:
    """The interpolant of a method, given by the name of its Diffrax class."""
    if method == "Euler":
        return Interpolant((), lambda h, k: {}, lambda h, y, y1, rows: [y, y1 - y])
    if method == "Tsit5":
        # With both ends and the derivatives there, the value in the middle decides a quartic.
        return _fourth_order(np.array([np.polyval(p, 0.5) for p in _tsit5()]))
    if method == "Dopri5":
        return _fourth_order(diffrax.Dopri5.interpolation_cls.c_mid)
    if method == "Dopri8":
        return _eighth_order()
    return _HERMITE


def _slopes(h: Value, k: Sequence[Value]) -> dict[str, Value]:
    """The slopes at both ends: the first and the last stage's derivatives, times h."""
    return {"slope0": h * k[0], "slope1": h * k[-1]}


def _cubic(h: Value, y: Value, y1: Value, rows: Rows) -> list[Value]:
    slope0, slope1, change = rows["slope0"], rows["slope1"], y1 - y
    return [
        y,
        slope0,
        3.0 * change - 2.0 * slope0 - slope1,
        slope0 + slope1 - 2.0 * change,
    ]


def _cubic_controls(h: Value, y: Value, y1: Value, rows: Rows) -> list[Value]:
    return [y + (1.0 / 3.0) * rows["slope0"], y1 - (1.0 / 3.0) * rows["slope1"]]


#: Cubic through both ends with the slopes there.
_HERMITE = Interpolant(("slope0", "slope1"), _slopes, _cubic, _cubic_controls)


def _fourth_order(middle: Float[np.ndarray, " stage"]) -> Interpolant:
    """Quartic through both ends with the slopes there, and y + h sum_i m_i k_i in the middle.

    Reference: Shampine, Mathematics of Computation 46, 135-150 (1986).
    """

    def rows_of(h: Value, k: Sequence[Value]) -> dict[str, Value]:
        return _slopes(h, k) | {"half": h * weighted_sum(middle, k)}

    def polynomial(h: Value, y: Value, y1: Value, rows: Rows) -> list[Value]:
        slope0, slope1, half, change = rows["slope0"], rows["slope1"], rows["half"], y1 - y
        return [
            y,
            slope0,
            16.0 * half - 5.0 * change + (slope1 - 4.0 * slope0),
            14.0 * change - 32.0 * half + (5.0 * slope0 - 3.0 * slope1),
            16.0 * half - 8.0 * change + 2.0 * (slope1 - slope0),
        ]

    def controls(h: Value, y: Value, y1: Value, rows: Rows) -> list[Value]:
        first, last = y + 0.25 * rows["slope0"], y1 - 0.25 * rows["slope1"]
        # in the middle a quartic is (y + 4 first + 6 inner + 4 last + y1) / 16
        inner = (8.0 / 3.0) * rows["half"] - (1.0 / 6.0) * (y1 - y)
        return [first, y + (inner - (2.0 / 3.0) * ((first - y) + (last - y))), last]

    return Interpolant(("slope0", "slope1", "half"), rows_of, polynomial, controls, middle)


def inner_weights(
    middle: Float[np.ndarray, " stage"], end: Float[np.ndarray, " stage"]
) -> Float[np.ndarray, " stage"]:
    """Weights of the stages in the change to a quartic's inner coefficient in Bernstein's basis, of
    those in its changes to the middle and to the end.
    """
    slopes = np.zeros_like(middle)
    slopes[0], slopes[-1] = 1.0, -1.0
    return (16.0 * middle - 5.0 * end - slopes) / 6.0


def _eighth_order() -> Interpolant:
    """The state y + h sum_i b_i(theta) k_i for polynomials b_i, which vanish at 0.

    Reference: Bogacki and Shampine, Comput. Math. with Appl. 20, 15-24 (1990).
    """
    weights = np.array(diffrax.Dopri8.interpolation_cls.eval_coeffs, float)  # highest power first
    used = [i for i, polynomial in enumerate(weights) if polynomial.any()]

    def rows_of(h: Value, k: Sequence[Value]) -> dict[str, Value]:
        return {f"dense_k{i + 1}": k[i] for i in used}

    def polynomial(h: Value, y: Value, y1: Value, rows: Rows) -> list[Value]:
        coefficients = [y]
        for column in weights.T[::-1]:
            terms = weighted_sum(column[used], [rows[f"dense_k{i + 1}"] for i in used])
            coefficients.append(h * terms)
        return coefficients

    return Interpolant(tuple(f"dense_k{i + 1}" for i in used), rows_of, polynomial)


def _tsit5() -> list[np.ndarray]:
    """Coefficients of the polynomials b_i of y + h sum_i b_i(theta) k_i, highest power first.

    Reference: Tsitouras, Computers and Mathematics with Applications 62, 770-775 (2011), in the
    factored form of Diffrax.
    """
    square = [1.0, 0.0, 0.0]
    factors = [
        (
            -1.0530884977290216,
            [1.0, 0.0],
            [1.0, -1.3299890189751412],
            [1.0, -1.4364028541716351, 0.7139816917074209],
        ),
        (0.1017, square, [1.0, -2.1966568338249754, 1.2949852507374631]),
        (2.490627285651252793, square, [1.0, -2.38535645472061657, 1.57803468208092486]),
        (-16.54810288924490272, square, [1.0, -1.21712927295533244], [1.0, -0.61620406037800089]),
        (47.37952196281928122, square, [1.0, -1.203071208372362603], [1.0, -0.658047292653547382]),
        (-34.87065786149660974, square, [1.0, -1.2], [1.0, -0.666666666666666667]),
        (2.5, square, [1.0, -1.0], [1.0, -0.6]),
    ]
    return [scale * reduce(np.polymul, map(np.asarray, rest)) for scale, *rest in factors]
