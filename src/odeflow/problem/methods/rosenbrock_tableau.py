"""The form of a Rosenbrock method, by which both engines step."""

from dataclasses import dataclass
from functools import cached_property

Row = tuple[float, ...]


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
