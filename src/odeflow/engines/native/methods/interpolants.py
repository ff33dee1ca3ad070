"""Diffrax's local interpolants as polynomials: the state inside of a step."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import diffrax
import numpy as np
from jaxtyping import Float


class Interpolant(NamedTuple):
    """The state inside of a step as a polynomial of theta, by templates with `@` for a component.

    `rows` are what a step leaves behind for it, as expressions in `h` and the derivatives
    `k<stage>_@`; `coefficients` are expressions in these rows, in `h`, and in the state at both
    ends, `y_@` and `y1_@`. The constant comes first.
    """

    rows: Mapping[str, str]
    coefficients: Sequence[str]

    def dense(self, names: Sequence[str]) -> dict[str, str]:
        """The rows of all components."""
        return {
            row.replace("@", name): value.replace("@", name)
            for row, value in self.rows.items()
            for name in names
        }

    def polynomial(self, names: Sequence[str]) -> list[list[str]]:
        """The coefficients of each component."""
        return [[c.replace("@", name) for c in self.coefficients] for name in names]


def interpolant(method: str) -> Interpolant:
    """The interpolant of a method, given by the name of its Diffrax class."""
    if method == "Euler":
        return Interpolant({}, ["y_@", _CHANGE])
    if method == "Tsit5":
        # With both ends and the derivatives there, the value in the middle decides a quartic.
        return _fourth_order(np.array([np.polyval(p, 0.5) for p in _tsit5()]))
    if method == "Dopri5":
        return _fourth_order(diffrax.Dopri5.interpolation_cls.c_mid)
    if method == "Dopri8":
        return _eighth_order()
    return _hermite(getattr(diffrax, method).tableau.num_stages)


_CHANGE = "(y1_@ - y_@)"


def _slopes(last: int) -> dict[str, str]:
    """Rows of the slopes at both ends: the first and the last stage's derivatives, times h."""
    return {"slope0_@": "h*k1_@", "slope1_@": f"h*k{last}_@"}


def _hermite(last: int) -> Interpolant:
    """Cubic through both ends with the slopes there."""
    coefficients = [
        "y_@",
        "slope0_@",
        f"3.0*{_CHANGE} - 2.0*slope0_@ - slope1_@",
        f"slope0_@ + slope1_@ - 2.0*{_CHANGE}",
    ]
    return Interpolant(_slopes(last), coefficients)


def _fourth_order(middle: Float[np.ndarray, " stage"]) -> Interpolant:
    """Quartic through both ends with the slopes there, and y + h sum_i m_i k_i in the middle.

    Reference: Shampine, Mathematics of Computation 46, 135-150 (1986).
    """
    terms = [f"({float(m)!r})*k{i}_@" for i, m in enumerate(middle, start=1) if m != 0]
    rows = _slopes(len(middle)) | {"half_@": f"h*({' + '.join(terms)})"}
    coefficients = [
        "y_@",
        "slope0_@",
        f"16.0*half_@ - 5.0*{_CHANGE} + (slope1_@ - 4.0*slope0_@)",
        f"14.0*{_CHANGE} - 32.0*half_@ + (5.0*slope0_@ - 3.0*slope1_@)",
        f"16.0*half_@ - 8.0*{_CHANGE} + 2.0*(slope1_@ - slope0_@)",
    ]
    return Interpolant(rows, coefficients)


def _eighth_order() -> Interpolant:
    """The state y + h sum_i b_i(theta) k_i for polynomials b_i, which vanish at 0.

    Reference: Bogacki and Shampine, Comput. Math. with Appl. 20, 15-24 (1990).
    """
    weights = np.array(diffrax.Dopri8.interpolation_cls.eval_coeffs, float)  # highest power first
    used = [i for i, polynomial in enumerate(weights, start=1) if polynomial.any()]
    coefficients = ["y_@"]
    for column in weights.T[::-1]:
        terms = [f"({float(column[i - 1])!r})*dense_k{i}_@" for i in used if column[i - 1] != 0]
        coefficients.append(f"h*({' + '.join(terms)})")
    return Interpolant({f"dense_k{i}_@": f"k{i}_@" for i in used}, coefficients)


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
