"""Diffrax's local interpolants written out: the state inside of a step."""

from collections.abc import Sequence
from typing import NamedTuple

import diffrax
import numpy as np


class Interpolant(NamedTuple):
    """`values` of the state at theta, a component each, in the names that `lines` define.

    `stages` are the numbers of the derivatives that the lines read as `dense_k<stage>_<component>`.
    """

    stages: tuple[int, ...]
    lines: list[str]
    values: list[str]


def interpolant(method: str, names: Sequence[str]) -> Interpolant:
    """The interpolant of a method, given by the name of its Diffrax class."""
    if method == "Euler":
        return _linear(names)
    if method == "Tsit5":
        return _weights(names, _TSIT5)
    if method == "Dopri5":
        return _fourth_order(names, diffrax.Dopri5.interpolation_cls.c_mid)
    if method == "Dopri8":
        return _weights(names, _dopri8())
    return _hermite(names, getattr(diffrax, method).tableau.num_stages)


def _linear(names: Sequence[str]) -> Interpolant:
    return Interpolant((), [], [f"y_{n} + theta*(y1_{n} - y_{n})" for n in names])


def _hermite(names: Sequence[str], last: int) -> Interpolant:
    """Cubic through both ends; its derivatives there are the first and the last stage's."""
    lines, values = [], []
    for n in names:
        lines += [
            f"k0_{n} = h*dense_k1_{n}",
            f"k1_{n} = h*dense_k{last}_{n}",
            f"a_{n} = k0_{n} + k1_{n} + 2.0*y_{n} - 2.0*y1_{n}",
            f"b_{n} = -2.0*k0_{n} - k1_{n} - 3.0*y_{n} + 3.0*y1_{n}",
        ]
        values.append(f"((a_{n}*theta + b_{n})*theta + k0_{n})*theta + y_{n}")
    return Interpolant((1, last), lines, values)


def _fourth_order(names: Sequence[str], middle: np.ndarray) -> Interpolant:
    """Quartic through both ends and the value in the middle of the step.

    Reference: Shampine, Mathematics of Computation 46, 135-150 (1986).
    """
    stages = tuple(i for i, w in enumerate(middle, start=1) if w != 0)
    last = len(middle)
    lines, values = [], []
    for n in names:
        terms = " + ".join(f"{float(middle[i - 1])!r}*dense_k{i}_{n}" for i in stages)
        lines += [
            f"mid_{n} = y_{n} + h*({terms})",
            f"k0_{n} = h*dense_k1_{n}",
            f"k1_{n} = h*dense_k{last}_{n}",
            f"a_{n} = 2.0*(k1_{n} - k0_{n}) - 8.0*(y1_{n} + y_{n}) + 16.0*mid_{n}",
            f"b_{n} = 5.0*k0_{n} - 3.0*k1_{n} + 18.0*y_{n} + 14.0*y1_{n} - 32.0*mid_{n}",
            f"c_{n} = k1_{n} - 4.0*k0_{n} - 11.0*y_{n} - 5.0*y1_{n} + 16.0*mid_{n}",
        ]
        values.append(f"(((a_{n}*theta + b_{n})*theta + c_{n})*theta + k0_{n})*theta + y_{n}")
    return Interpolant(stages, lines, values)


def _weights(names: Sequence[str], weights: dict[int, str]) -> Interpolant:
    """The state y + h sum_i b_i(theta) k_i for polynomials b_i."""
    lines = [f"b{i} = {polynomial}" for i, polynomial in weights.items()]
    values = [f"y_{n} + h*({' + '.join(f'b{i}*dense_k{i}_{n}' for i in weights)})" for n in names]
    return Interpolant(tuple(weights), lines, values)


#: Reference: Tsitouras, Computers and Mathematics with Applications 62, 770-775 (2011), in the
#: factored form of Diffrax.
_TSIT5 = {
    1: "-1.0530884977290216*theta*(theta - 1.3299890189751412)"
    "*(theta*theta - 1.4364028541716351*theta + 0.7139816917074209)",
    2: "0.1017*(theta*theta)*(theta*theta - 2.1966568338249754*theta + 1.2949852507374631)",
    3: "2.490627285651252793*(theta*theta)"
    "*(theta*theta - 2.38535645472061657*theta + 1.57803468208092486)",
    4: "-16.54810288924490272*(theta - 1.21712927295533244)"
    "*(theta - 0.61620406037800089)*(theta*theta)",
    5: "47.37952196281928122*(theta - 1.203071208372362603)"
    "*(theta - 0.658047292653547382)*(theta*theta)",
    6: "-34.87065786149660974*(theta - 1.2)*(theta - 0.666666666666666667)*(theta*theta)",
    7: "2.5*(theta - 1.0)*(theta - 0.6)*(theta*theta)",
}


def _dopri8() -> dict[int, str]:
    """Reference: Bogacki and Shampine, Comput. Math. with Appl. 20, 15-24 (1990)."""
    weights = {}
    for i, coefficients in enumerate(diffrax.Dopri8.interpolation_cls.eval_coeffs, start=1):
        if any(coefficients):
            polynomial = repr(float(coefficients[0]))
            for c in coefficients[1:]:
                polynomial = f"({polynomial})*theta + {float(c)!r}"
            weights[i] = f"({polynomial})*theta"
    return weights
