"""The interface between a method and the lane loop: one step of one lane as straight-line source.

A method's generator (`explicit_rk.explicit_rk`, `rosenbrock.rosenbrock`) takes the model and gives
a `StepSource`. The lane loop (`loop.lanes`) puts its statements into a function that runs once, on
values that write LLVM (`targets.lane_values`). So every name stands for a scalar of one lane, is a
vector of many in the machine code, and there is no branch: write `select(condition, a, b)`, never
`if`.

Names that the statements may read:

    t, t_next, h        start, end and length of the step (t_next is exact: stages at c = 1 use it)
    y_<component>       the state at t, by the labels of `frontend.names.component_labels`
    p_<parameter>       the parameters, by their numbers
    <row>               every row named in `carried`

and they may call `select`, `isfinite` and the functions of `targets.vector_math`. They define names
of their own; names with the prefixes `lane_` and `new_` are the loop's.

A step that must not be kept (a vanishing pivot, a failed solve) has an infinite `error`, and a
finite candidate such as the old state: the controller then rejects it and takes `factormin`. A NaN
in `error` counts as infinite. A candidate that is not finite is never kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Carried(NamedTuple):
    """A number that a lane carries from step to step, such as the derivative of a FSAL method.

    `start` is its value at t0, an expression in `f_<component>`, the derivative at (t0, y0);
    `next` its value after an accepted step, an expression in the names of the step. A rejected
    step leaves it as it was.
    """

    start: str
    next: str


@dataclass(frozen=True)
class StepSource:
    """One method for one model. Sequences have one entry a component of the state.

    `lines` are the statements of a step, and `candidate` and `error` expressions in the names they
    define: the state at t_next and its error estimate (None where a method has no estimate).
    `error_order` is Diffrax's: the exponent of the step factor is -1 / error_order.

    Inside of a step the state is a polynomial of theta, 0 at the step's start and 1 at its end:
    `polynomial` has its coefficients, the constant first, as expressions in `h`, `y_<component>`
    (the state at the start), `y1_<component>` (at the end) and the names in `dense`, rows that are
    written at each step where values inside of steps are needed. `blocks` are numbers of further
    rows by name, `constants` what the statements read besides, as source.
    """

    error_order: float
    lines: Sequence[str]
    candidate: Sequence[str]
    error: Sequence[str] | None
    polynomial: Sequence[Sequence[str]]
    carried: Mapping[str, Carried] = field(default_factory=dict)
    dense: Mapping[str, str] = field(default_factory=dict)
    blocks: Mapping[str, int] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)

    @property
    def interpolant_lines(self) -> list[str]:
        """Statements that define the coefficients, as `coefficient` names them."""
        return [
            f"{coefficient(power, i)} = {value}"
            for i, coefficients in enumerate(self.polynomial)
            for power, value in enumerate(coefficients)
        ]

    @property
    def interpolated(self) -> list[str]:
        """Expressions of the state at `theta`, in the names of `interpolant_lines`."""
        result = []
        for i, coefficients in enumerate(self.polynomial):
            names = [coefficient(power, i) for power in range(len(coefficients))]
            value = names.pop()
            for name in reversed(names):
                value = f"({value})*theta + {name}"
            result.append(value)
        return result


def coefficient(power: int, component: int) -> str:
    """The name of a coefficient of `StepSource.polynomial`."""
    return f"c{power}_{component}"
