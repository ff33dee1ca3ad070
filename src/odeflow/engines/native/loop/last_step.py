"""The last step of a lane, as its rows say it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, repeat
from math import comb
from operator import mul

from odeflow.engines.native.methods.stepper import Inside, Stepper, interpolated
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.value import Value, select, weighted_sum


def last_step(b: LaneBuilder, stepper: Stepper, size: int) -> Inside:
    """That of a state of `size` components."""
    return Inside(
        h=b.row("step_length"),
        y=b.rows([f"from_y_{i}" for i in range(size)]),
        y1=b.rows([f"y_{i}" for i in range(size)]),
        dense={row: b.row(row) for row in stepper.dense},
    )


def number_of_coefficients(stepper: Stepper, size: int) -> int:
    """How many coefficients the polynomial of each component has inside of a step."""
    return len(stepper.polynomial(last_step(LaneBuilder(), stepper, size))[0])


@dataclass
class LastStep:
    """A step of a lane: up to where it is `cut`, a fraction of it, if it can be.

    It ends at `until`, which is `start + length` but for rounding. `inner` makes the coefficients
    in Bernstein's basis but for both ends, where the step knows them more directly.
    """

    builder: LaneBuilder
    start: Value
    until: Value
    length: Value
    cut: Value | None
    inside: Inside
    stepper: Stepper
    inner: Callable[[], list[list[Value]]] | None = None

    @cached_property
    def polynomials(self) -> list[list[Value]]:
        """Of each component, see `Stepper`."""
        return self.stepper.polynomial(self.inside)

    @cached_property
    def _inner_controls(self) -> list[list[Value]] | None:
        if self.inner is not None:
            return self.inner()
        if self.cut is not None or self.stepper.controls is None:
            return None
        return self.stepper.controls(self.inside)

    def state(self, node: float) -> list[Value]:
        """The state at a node inside."""
        theta = Value(self.builder, node) if self.cut is None else node * self.cut
        return [interpolated(polynomial, theta) for polynomial in self.polynomials]

    def end(self) -> list[Value]:
        """The state at the end."""
        return [self._end(i) for i in range(len(self.inside.y))]

    def controls(self, i: int) -> list[Value]:
        """Coefficients of a component in Bernstein's basis."""
        if (known := self._inner_controls) is not None:
            return [self.inside.y[i], *known[i], self._end(i)]
        start, *rest = self.polynomials[i]
        if self.cut is not None:
            powers = accumulate(repeat(self.cut, len(rest)), mul)
            rest = [power * x for power, x in zip(powers, rest)]
        degree = len(rest)
        weights = lambda j: [comb(j, k) / comb(degree, k) for k in range(1, degree + 1)]
        inner = [start + weighted_sum(weights(j), rest) for j in range(1, degree)]
        return [start, *inner, self._end(i)]

    def _end(self, i: int) -> Value:
        y1 = self.inside.y1[i]
        if self.cut is None:
            return y1
        return select(self.cut < 1.0, interpolated(self.polynomials[i], self.cut), y1)
