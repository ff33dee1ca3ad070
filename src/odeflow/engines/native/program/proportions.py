"""Components of a state that change in proportion to others, so that a step computes them once.

A product grows as its substrate falls; an inactive form is lost to its active one. A step changes
such a component by a constant times what it changes the other by: so a method's sums and linear
systems are those of the other components. That holds of derivatives: a dose that changes one of
the two changes nothing of it.

Proportions only, though other conservation laws would save more: a component that follows from
several others has the rounding errors of the largest of them.
"""

import math
import sys
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from heapq import heappop, heappush

from odeflow.engines.native.program.program import Operand, Program
from odeflow.engines.native.program.value import Value

#: A sum of products: factors by name; and what a statement is the sum of, operands with factors.
Form = dict[str, Fraction]
Terms = tuple[tuple[Operand, Fraction | int], ...]

_ONE = "1"
_LINEAR = frozenset({"neg", "add", "sub", "mul"})


class Proportions:
    """Which components of a state of `size` scalars follow from which.

    `factors` has (i, factor) for each component d whose derivative is f_d = factor f_i.
    """

    def __init__(self, size: int, factors: Mapping[int, tuple[int, float]] | None = None):
        self.size = size
        self.factors = factors or {}

    @cached_property
    def independent(self) -> list[int]:
        """The components that follow from no other, in order."""
        return [i for i in range(self.size) if i not in self.factors]

    def complete(self, values: Mapping[int, Value]) -> list[Value]:
        """What is linear in the derivative, of all components, given that of the independents."""
        every = dict(values)
        for d, (i, factor) in self.factors.items():
            every[d] = factor * values[i]
        return [every[i] for i in range(self.size)]

    def rows(self, i: int, names: Sequence[str], dense: Mapping[str, Value]) -> dict[str, Value]:
        """Of rows that the independents have, `<name>_<component>`, those of component i."""
        source, factor = self.factors.get(i, (i, 1.0))
        return {name: factor * dense[f"{name}_{source}"] for name in names}

    def advance(self, start: Sequence[Value], changes: Mapping[int, Value]) -> list[Value]:
        """`start` plus a change that is given for the independents."""
        return [y + change for y, change in zip(start, self.complete(changes))]


def proportions(field: Program, residuals: Collection[int] = ()) -> Proportions:
    """Those of a vector field whose outputs are the derivatives, but for `residuals`."""
    first: dict[tuple[tuple[str, Fraction], ...], tuple[int, Fraction]] = {}
    factors: dict[int, tuple[int, float]] = {}
    for d, form in enumerate(_forms(field)):
        if not form or d in residuals:
            continue
        terms = sorted(form.items())
        scale = terms[0][1]
        key = tuple((name, x / scale) for name, x in terms)
        if key not in first:
            first[key] = d, scale
        elif (factor := _as_number(scale / first[key][1])) is not None:
            factors[d] = first[key][0], factor
    return Proportions(len(field.outputs), factors)


def _as_number(ratio: Fraction) -> float | None:
    """A ratio as a normal floating-point number, if it is one."""
    try:
        number = float(ratio)
    except OverflowError:
        return None
    return number if abs(number) >= sys.float_info.min else None


def _forms(field: Program) -> list[Form]:
    """The outputs as sums of products of constants with names that are not such sums."""
    linear: dict[str, Terms] = {}
    for statement in field.statements:
        if statement.operation not in _LINEAR:
            continue
        if not all(isinstance(x, str) or math.isfinite(x) for x in statement.operands):
            continue
        match statement.operation, statement.operands:
            case "neg", (x,):
                linear[statement.name] = ((x, -1),)
            case "add", (x, y):
                linear[statement.name] = ((x, 1), (y, 1))
            case "sub", (x, y):
                linear[statement.name] = ((x, 1), (y, -1))
            case "mul", (str(x), float(y)) | (float(y), str(x)):
                linear[statement.name] = ((x, Fraction(y)),)
    places = {name: place for place, name in enumerate(linear)}
    return [_form(output, linear, places) for output in field.outputs]


def _form(output: Operand, linear: Mapping[str, Terms], places: Mapping[str, int]) -> Form:
    """One output; the last statement is replaced by its terms first, so that each is once."""
    form: Form = {}
    waiting: list[tuple[int, str]] = []

    def add(operand: Operand, factor: Fraction) -> None:
        if not isinstance(operand, str):
            operand, factor = _ONE, factor * Fraction(operand)
        elif operand in linear and operand not in form:
            heappush(waiting, (-places[operand], operand))
        form[operand] = form.get(operand, Fraction(0)) + factor

    add(output, Fraction(1))
    while waiting:
        _, name = heappop(waiting)
        if factor := form.pop(name):
            for operand, x in linear[name]:
                add(operand, factor * x)
    return {name: x for name, x in form.items() if x}
