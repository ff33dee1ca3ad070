"""Coefficients of Rosenbrock methods, shared by the Diffrax classes and the native engine."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Row = tuple[float, ...]


def largest_entry(dtype: Any) -> float:
    """Above this a sum of a row of the Jacobian is not used: products of two would overflow."""
    return float(np.sqrt(np.finfo(dtype).max))


@dataclass(frozen=True)
class RosenbrockTableau:
    """An s-stage Rosenbrock method with dense output, for y' = f(t, y).

    One step from (t, y) to t + h, with J = df/dy and f_t = df/dt at (t, y), solves for i = 1..s

        (I / (gamma h) - J) k_i = f(t + alpha_i h, u_i) + sum_j c_ij k_j / h + gammas_i h f_t
        u_i = y + sum_j a_ij k_j

    over j < i, and y1 = y + sum_i m_i k_i with the error estimate sum_i error_i k_i. Between, at
    t + theta h,

        y(theta) = (1 - theta) y + theta (y1 + (1 - theta) (q_1 + theta q_2 + theta^2 q_3 ...))

    where q_r = sum_i dense_ri k_i. `order`, `embedded_order` and `dense_order` are the orders of
    y1, of y1 minus the error, and of y(theta).

    Reference: Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed., section
    IV.7 (order conditions; "Implementation of Rosenbrock-type methods" for this form and names).
    """

    order: int
    embedded_order: int
    dense_order: int
    gamma: float
    a: tuple[Row, ...]
    c: tuple[Row, ...]
    alpha: Row
    gammas: Row
    m: Row
    error: Row
    dense: tuple[Row, ...]

    @property
    def stages(self) -> int:
        """Number of stages s."""
        return len(self.a)

    @cached_property
    def evaluations(self) -> tuple[int, ...]:
        """For every stage, the first stage with the same argument (t + alpha_i h, u_i).

        Stages that share an argument share one evaluation of f.
        """
        arguments = [(self.alpha[i], _trimmed(self.a[i])) for i in range(self.stages)]
        return tuple(arguments.index(argument) for argument in arguments)

    @cached_property
    def increments(self) -> tuple[tuple[int | None, dict[int, float]], ...]:
        """How to build u_1, ..., u_s and y1 with the fewest operations.

        `(base, terms)`: the vector is u_base (y where None) plus the sum of terms[j] k_j. A
        stiffly accurate method builds its last arguments one stage at a time.
        """
        rows = [_trimmed(row) for row in (*self.a, self.m)]
        result = []
        for i, row in enumerate(rows):
            inside = [j for j in range(i) if rows[j] and row[: len(rows[j])] == rows[j]]
            base = max(inside, key=lambda j: len(rows[j]), default=None)
            start = 0 if base is None else len(rows[base])
            result.append((base, {j: x for j, x in enumerate(row) if j >= start and x != 0}))
        return tuple(result)


def _trimmed(row: Row) -> Row:
    """The row without the zeros at its end."""
    used = max((j + 1 for j, x in enumerate(row) if x != 0), default=0)
    return row[:used]


_RODAS5P_U6 = (
    -7.502846399306121,
    2.561846144803919,
    -11.627539656261098,
    -0.18268767659942256,
    0.030198172008377946,
)

#: Reference: Steinebach, Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks
#: within the Julia Differential Equations package, BIT Numer. Math. 63:27 (2023),
#: https://doi.org/10.1007/s10543-023-00967-x.
RODAS5P = RosenbrockTableau(
    order=5,
    embedded_order=4,
    dense_order=4,
    gamma=0.21193756319429014,
    a=(
        (),
        (3.0,),
        (2.849394379747939, 0.45842242204463923),
        (-6.954028509809101, 2.489845061869568, -10.358996098473584),
        (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
        _RODAS5P_U6,
        (*_RODAS5P_U6, 1.0),
        (*_RODAS5P_U6, 1.0, 1.0),
    ),
    c=(
        (),
        (-14.155112264123755,),
        (-17.97296035885952, -2.859693295451294),
        (147.12150275711716, -1.41221402718213, 71.68940251302358),
        (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
        (
            24.854864614690072,
            -3.0009227002832186,
            47.4931110020768,
            5.5814197821558125,
            -0.6610691825249471,
        ),
        (
            30.91273214028599,
            -3.1208243349937974,
            77.79954646070892,
            34.28646028294783,
            -19.097331116725623,
            -28.087943162872662,
        ),
        (
            37.80277123390563,
            -3.2571969029072276,
            112.26918849496327,
            66.9347231244047,
            -40.06618937091002,
            -54.66780262877968,
            -9.48861652309627,
        ),
    ),
    alpha=(
        0.0,
        0.6358126895828704,
        0.4095798393397535,
        0.9769306725060716,
        0.4288403609558664,
        1.0,
        1.0,
        1.0,
    ),
    gammas=(
        0.21193756319429014,
        -0.42387512638858027,
        -0.3384627126235924,
        1.8046452872882734,
        2.325825639765069,
        0.0,
        0.0,
        0.0,
    ),
    m=(*_RODAS5P_U6, 1.0, 1.0, 1.0),
    error=(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
    dense=(
        (
            25.948786856663858,
            -2.5579724845846235,
            10.433815404888879,
            -2.3679251022685204,
            0.524948541321073,
            1.1241088310450404,
            0.4272876194431874,
            -0.17202221070155493,
        ),
        (
            -9.91568850695171,
            -0.9689944594115154,
            3.0438037242978453,
            -24.495224566215796,
            20.176138334709044,
            15.98066361424651,
            -6.789040303419874,
            -6.710236069923372,
        ),
        (
            11.419903575922262,
            2.8879645146136994,
            72.92137995996029,
            80.12511834622643,
            -52.072871366152654,
            -59.78993625266729,
            -0.15582684282751913,
            4.883087185713722,
        ),
    ),
)

#: Reference: Steinebach, Rosenbrock methods within OrdinaryDiffEq.jl: overview, recent
#: developments and applications (2024), https://github.com/hbrs-cse/RosenbrockMethods. Stage 3
#: takes f at (t, y), and stages 4 and 5 share an argument: three evaluations of f a step.
RODAS3P = RosenbrockTableau(
    order=3,
    embedded_order=2,
    dense_order=3,
    gamma=1 / 3,
    a=((), (4 / 3,), (), (2.90625, 3.375, 0.40625), (2.90625, 3.375, 0.40625)),
    c=(
        (),
        (-4.0,),
        (8.25, 6.75),
        (1.21875, -5.0625, -1.96875),
        (4.03125, -15.1875, -4.03125, 6.0),
    ),
    alpha=(0.0, 4 / 9, 0.0, 1.0, 1.0),
    gammas=(1 / 3, -1 / 9, 1.0, 0.0, 0.0),
    m=(2.90625, 3.375, 0.40625, 0.0, 1.0),
    error=(0.0, 0.0, 0.0, -1.0, 1.0),
    dense=(
        (1.78125, 6.75, 0.15625, -6.0, -1.0),
        (4.21875, -15.1875, -3.09375, 9.0, 0.0),
    ),
)
