"""The interface between a method and the lane loop: one step of one lane as a program.

A method's maker (`explicit_rk.explicit_rk`, `rosenbrock.rosenbrock`) takes a model and gives a
`Stepper`, whose functions compute with `Value`s: each stands for a scalar of one lane, and is a
vector of many in the machine code. There is no branch: write `select(condition, a, b)`, never `if`.

A step that must not be kept (a vanishing pivot, a failed solve) has an infinite error, and a finite
candidate such as the old state: the controller then rejects it and takes `factormin`. A NaN in the
error counts as infinite. A candidate that is not finite is never kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from odeflow.engines.native.program.value import Value


class Start(NamedTuple):
    """Where a step starts.

    `t_next` is its end to the last bit, for stages at c = 1, and `h` its length. `y` is the state,
    `parameters` are those at a time of the step, in order, `carried` the numbers that the step
    before has left by row.
    """

    t: Value
    t_next: Value
    h: Value
    y: Sequence[Value]
    parameters: Callable[[Value], Sequence[Value]]
    carried: Mapping[str, Value]


class Stepped(NamedTuple):
    """What a step gives.

    `candidate` is the state at `t_next`, `error` its estimate (None where the method has none),
    `carried` what an accepted step leaves, and `dense` what the interpolant needs, by row. `start`
    is the start with another end, where a step may end before it is planned to. `at_limit` is
    whether stability limits it, where a method with `reach` is asked to look. `controls` makes the
    coefficients that those of `Stepper` are, of the stages, where that takes less.
    """

    candidate: Sequence[Value]
    error: Sequence[Value] | None
    carried: Mapping[str, Value]
    dense: Mapping[str, Value]
    start: Start | None = None
    at_limit: Value | None = None
    controls: Callable[[], list[list[Value]]] | None = None


class Inside(NamedTuple):
    """A step that was taken: its length, the state at both ends, and its dense rows."""

    h: Value
    y: Sequence[Value]
    y1: Sequence[Value]
    dense: Mapping[str, Value]


class Stages(NamedTuple):
    """The stages of a step where lanes differ in their number.

    They are between rows of a lane: `begin` writes there before a step, and `passes`, one after
    another, do a stage each as long as a lane has one to do. Each gives where that is so.
    """

    begin: Callable[[Start], Value]
    passes: Sequence[Callable[[Start], Value]]


@dataclass(frozen=True)
class Stepper:
    """One method for one model. Sequences have one entry per component of the state.

    `error_order` is Diffrax's: the exponent of the step factor is -1 / error_order. `step` is one
    step; `carried` are rows that it hands on, with the component whose derivative at t0 is their
    first value. `dense` are rows that a step leaves where values inside of it are needed:
    `polynomial` makes of them the coefficients of each component's polynomial of theta, 0 at the
    step's start and 1 at its end, the constant first; `controls` those in Bernstein's basis but for
    both ends, where they are known more directly. `row_groups` are the numbers of further rows
    by name; `loops_over_tables` is whether its linear algebra does. `most_ways` are the most
    vectors that are worked on in turns. `ends_steps` is whether a step itself says where it ends:
    then it is planned as long as can be. `stages` are what is done before `step`.
    """

    error_order: float
    step: Callable[[Start], Stepped]
    polynomial: Callable[[Inside], list[list[Value]]]
    carried: Mapping[str, int] = field(default_factory=dict)
    dense: Sequence[str] = ()
    controls: Callable[[Inside], list[list[Value]]] | None = None
    row_groups: Mapping[str, int] = field(default_factory=dict)
    loops_over_tables: bool = False
    most_ways: int = 4
    ends_steps: bool = False
    stages: Stages | None = None


def interpolated(coefficients: Sequence[Value], theta: Value) -> Value:
    """A polynomial's value, by Horner's rule."""
    value = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = value * theta + coefficient
    return value


def coefficient(power: int, component: int) -> str:
    """The row of a coefficient of a step's polynomial."""
    return f"c{power}_{component}"
