"""What is kept of a case: its settings, the outcome of each lane, a few of its numbers."""

import math
import re
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from odeflow.problem.problem import Problem, Solution

#: Numbers are equal where they differ by no more than this part of atol + rtol |number|.
PART = 0.01
OUTCOMES = ("status", "num_steps", "num_accepted_steps", "num_rejected_steps")
#: How many of the saved times are kept: the last, and others evenly before it.
_TIMES = 4


@dataclass(frozen=True, eq=False)
class Row:
    """One case as recorded, or as found.

    `refused` is why the native engine does not take it, else None. `outcomes` are those of each
    lane by name; `numbers[name]` are its values at `times`, its metrics, the time it reached and
    the derivatives of that, one row per lane, with the absolute tolerance `atol[name]`.
    """

    method: str
    precision: str
    rtol: float
    refused: str | None = None
    times: list[float] = field(default_factory=list)
    atol: dict[str, float] = field(default_factory=dict)
    outcomes: dict[str, Int[np.ndarray, " lane"]] = field(default_factory=dict)
    numbers: dict[str, Float[np.ndarray, "lane column"]] = field(default_factory=dict)

    @property
    def lanes(self) -> int:
        """Number of lanes that were solved."""
        return len(self.outcomes["status"]) if self.outcomes else 0

    def allowed(self, name: str) -> Float[np.ndarray, "lane column"]:
        """By how much another may differ from each of its numbers."""
        size = np.abs(self.numbers[name])
        return PART * (self.atol[name] + self.rtol * np.where(np.isfinite(size), size, 0.0))

    def as_data(self) -> dict[str, Any]:
        """As JSON has it, numbers rounded to a twentieth of what may differ."""
        data = asdict(self)
        data["outcomes"] = {name: values.tolist() for name, values in self.outcomes.items()}
        data["numbers"] = {
            name: [
                [rounded(x, by) for x, by in zip(numbers, allowed)]
                for numbers, allowed in zip(values.tolist(), self.allowed(name).tolist())
            ]
            for name, values in self.numbers.items()
        }
        return data

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> "Row":
        """The row that `as_data` wrote."""
        outcomes = {name: np.array(values, int) for name, values in data["outcomes"].items()}
        numbers = {name: np.array(values, float) for name, values in data["numbers"].items()}
        return cls(**{**data, "outcomes": outcomes, "numbers": numbers})


def rounded(number: float, allowed: float) -> float | int:
    """A number with the decimals that keep its error below a twentieth of what is allowed."""
    if not math.isfinite(number):
        return number
    decimals = math.ceil(-math.log10(0.1 * allowed))
    near = round(number, decimals)
    return int(near) if near == int(near) and abs(near) < 1e15 else near


def refused_row(problem: Problem, reason: str) -> Row:
    """The row of a case that the native engine does not take, whatever line of code is to blame."""
    solver = problem.solver
    reason = re.sub(r" \(\S+:\d+ in \S+\)", "", reason)
    return Row(solver.method, str(problem.dtype), solver.tolerances.rtol, refused=reason)


def row_of(problem: Problem, solution: Solution) -> Row:
    """The row of a solution."""
    tolerances, every = problem.solver.tolerances, len(problem.times)
    kept = np.unique(np.linspace(0, every - 1, _TIMES + 1).round().astype(int)[1:])
    numbers = {"time_reached": solution.time_reached}
    atol = {"time_reached": tolerances.least}
    for name, values in solution.values.items():
        numbers[name], atol[name] = values[:, kept], tolerances.of(name)
    reductions = {reduction.name: reduction for reduction in problem.reductions}
    for name, values in solution.reduced.items():
        numbers[name], atol[name] = values, tolerances.of(reductions[name].variable)
    for name, values in solution.time_derivatives.items():
        numbers[name], atol[name] = values, tolerances.of(name)
    size = len(solution.status)
    return Row(
        problem.solver.method,
        str(problem.dtype),
        tolerances.rtol,
        times=problem.times[kept].tolist(),
        atol={name: float(value) for name, value in atol.items()},
        outcomes={name: np.asarray(getattr(solution, name), int) for name in OUTCOMES},
        numbers={name: np.asarray(x, float).reshape(size, -1) for name, x in numbers.items()},
    )
