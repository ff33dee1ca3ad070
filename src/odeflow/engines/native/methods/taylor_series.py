"""Taylor coefficients of what a program computes, by a recurrence for each operation.

With normalised coefficients x_n = x^(n) / n!, that of order n of a sum, a product, a quotient or a
function follows from those of lower order of its operands and of itself.

References: Moore, Interval Analysis (1966), chapter 11; Jorba and Zou, Experimental Mathematics 14,
99-117 (2005), proposition 2.1.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.program import Operand, Program, Statement
from odeflow.engines.native.program.refusal import UntranslatableError
from odeflow.engines.native.program.value import Value, apply, exp, log, operand_of, sqrt, total

#: The coefficients that are known of a quantity, the lowest order first.
Series = list[Value]
Rule = Callable[[int], Value]
Start = Callable[[Value], Value]


def solution_series(
    field: Program, t: Value, y: Sequence[Value], parameters: Sequence[Value], order: int
) -> list[Series]:
    """Coefficients up to an order of the solution through (t, y), component by component.

    Raises UntranslatableError where the field is not smooth in them, or has no recurrence.
    """
    one = Value(t.builder, 1.0)
    expansion = _Expansion(t.builder)
    time = expansion.known(lambda n: t if n == 0 else one if n == 1 else expansion.zero)
    states = [[x] for x in y]
    inputs = dict(zip(field.inputs, [time, *states]))
    inputs |= {
        name: expansion.constant(x) for name, x in zip(field.inputs[len(inputs) :], parameters)
    }
    slopes = expansion.expand(field, inputs)
    for n in range(order):
        expansion.advance(n)
        for state, slope in zip(states, slopes):
            state.append(slope[n] / float(n + 1))
    return states


class _Expansion:
    """Series that grow together, order by order."""

    def __init__(self, builder: Builder):
        self.builder = builder
        self.zero = Value(builder, 0.0)
        self._growing: list[tuple[Series, Rule]] = []
        self._fixed: set[int] = set()
        self._pairs: dict[tuple[str, int], tuple[Series, Series]] = {}
        self._one = self.constant(1.0)

    def advance(self, n: int) -> None:
        """The coefficients of order n, given those of lower order."""
        for series, rule in self._growing:
            if len(series) == n:
                series.append(rule(n))

    def known(self, rule: Rule) -> Series:
        """A series whose coefficients of order n a rule gives."""
        series: Series = []
        self._growing.append((series, rule))
        return series

    def constant(self, x: Any) -> Series:
        """What does not change."""
        value = x if isinstance(x, Value) else Value(self.builder, x)
        series = [value]
        self._growing.append((series, lambda n: self.zero))
        self._fixed.add(id(series))
        return series

    def expand(self, program: Program, inputs: dict[str, Series]) -> list[Series]:
        """The outputs of a program."""
        known = dict(inputs)

        def series(operand: Operand) -> Series:
            return known[operand] if isinstance(operand, str) else self.constant(operand)

        for statement in program.statements:
            operands = [
                series(x) if isinstance(x, str | float | int) else x for x in statement.operands
            ]
            known[statement.name] = self._result(statement, operands)
        return [series(output) for output in program.outputs]

    def _result(self, statement: Statement, operands: list[Any]) -> Series:
        operation = statement.operation
        if all(id(x) in self._fixed or not isinstance(x, list) for x in operands):
            return self._at_start(operation, operands)
        if operation == "eq" and -math.inf in statement.operands:
            return self._at_start(operation, operands)  # a power's question, which is no switch
        if operation == "select" and id(operands[0]) in self._fixed:
            condition, one, other = operands
            return self.known(lambda n: apply("select", condition[0], one[n], other[n]))
        rule = getattr(self, f"_{operation}", None)
        if rule is None:
            why = "a Taylor series needs a vector field that is smooth"
            raise UntranslatableError(operation, why)
        return rule(*operands)

    def _at_start(self, operation: str, operands: Sequence[Any]) -> Series:
        """What is decided, or computed, once."""

        def first(n: int) -> Value:
            if n:
                return self.zero
            given = (operand_of(x[0]) if isinstance(x, list) else x for x in operands)
            return Value(self.builder, self.builder.apply(operation, *given))

        series = self.known(first)
        self._fixed.add(id(series))
        return series

    def _add(self, a: Series, b: Series) -> Series:
        return self.known(lambda n: a[n] + b[n])

    def _sub(self, a: Series, b: Series) -> Series:
        return self.known(lambda n: a[n] - b[n])

    def _neg(self, a: Series) -> Series:
        return self.known(lambda n: -a[n])

    def _mul(self, a: Series, b: Series) -> Series:
        if a is b:
            return self.known(lambda n: _square(a, n, 0))
        return self.known(lambda n: _products(a, b, n, 0, n))

    def _div(self, a: Series, b: Series) -> Series:
        if id(b) in self._fixed:
            return self.known(lambda n: a[n] / b[0])
        quotient: Series = []
        inverse: list[Value] = []

        def rule(n: int) -> Value:
            if n == 0:
                inverse.append(1.0 / b[0])
                return a[0] / b[0]
            return (a[n] - _products(b, quotient, n, 1, n)) * inverse[0]

        self._growing.append((quotient, rule))
        return quotient

    def _sqrt(self, a: Series) -> Series:
        root: Series = []
        half: list[Value] = []

        def rule(n: int) -> Value:
            if n == 0:
                value = sqrt(a[0])
                half.append(0.5 / value)
                return value
            return (a[n] - _square(root, n, 1)) * half[0] if n > 1 else a[n] * half[0]

        self._growing.append((root, rule))
        return root

    def _power(self, a: Series, exponent: float, start: Start) -> Series:
        power: Series = []
        inverse: list[Value] = []

        def rule(n: int) -> Value:
            if n == 0:
                inverse.append(1.0 / a[0])
                return start(a[0])
            weights = [(exponent * (n - j) - j) / n for j in range(n)]
            return total([w * (a[n - j] * power[j]) for j, w in enumerate(weights)]) * inverse[0]

        self._growing.append((power, rule))
        return power

    def _pow(self, a: Series, b: Series) -> Series:
        if b and isinstance(b[0].operand, float | int):
            exponent = float(b[0].operand)
            return self._power(a, exponent, lambda x: apply("pow", x, exponent))
        exponential = self._mul(b, self._log(a))
        return self._integral(exponential, lambda _: apply("pow", a[0], b[0]), lambda power: power)

    def _cbrt(self, a: Series) -> Series:
        return self._power(a, 1.0 / 3.0, _function("cbrt"))

    def _integral(self, a: Series, start: Start, slope: Callable[[Series], Series]) -> Series:
        """F(a), of F at the start and its derivative, a series that may be made of F's own."""
        result: Series = []

        def rule(n: int) -> Value:
            if n == 0:
                return start(a[0])
            terms = [float(j) * (a[j] * derivative[n - j]) for j in range(1, n + 1)]
            return total(terms) / float(n)

        self._growing.append((result, rule))
        derivative = slope(result)
        return result

    def _pair(self, a: Series, names: tuple[str, str], sign: float) -> tuple[Series, Series]:
        """Two functions that are each other's derivative, the second with a sign."""
        key = (names[0], id(a))
        if key not in self._pairs:
            one, two = names
            partner: list[Series] = []

            def derivative(first: Series) -> Series:
                signed = first if sign > 0 else self._neg(first)
                partner.append(self._integral(a, _function(two), lambda _: signed))
                return partner[0]

            self._pairs[key] = (self._integral(a, _function(one), derivative), partner[0])
        return self._pairs[key]

    def _sin(self, a: Series) -> Series:
        return self._pair(a, ("sin", "cos"), -1.0)[0]

    def _cos(self, a: Series) -> Series:
        return self._pair(a, ("sin", "cos"), -1.0)[1]

    def _sinh(self, a: Series) -> Series:
        return self._pair(a, ("sinh", "cosh"), 1.0)[0]

    def _cosh(self, a: Series) -> Series:
        return self._pair(a, ("sinh", "cosh"), 1.0)[1]

    def _exp(self, a: Series) -> Series:
        return self._integral(a, exp, lambda power: power)

    def _expm1(self, a: Series) -> Series:
        return self._integral(a, _function("expm1"), lambda x: self._add(x, self._one))

    def _exp2(self, a: Series) -> Series:
        base = self.constant(math.log(2.0))
        return self._integral(a, _function("exp2"), lambda power: self._mul(power, base))

    def _log(self, a: Series) -> Series:
        return self._integral(a, log, lambda _: self._div(self._one, a))

    def _log1p(self, a: Series) -> Series:
        slope = lambda _: self._div(self._one, self._add(self._one, a))
        return self._integral(a, _function("log1p"), slope)

    def _tan(self, a: Series) -> Series:
        slope = lambda x: self._add(self._one, self._mul(x, x))
        return self._integral(a, _function("tan"), slope)

    def _tanh(self, a: Series) -> Series:
        slope = lambda x: self._sub(self._one, self._mul(x, x))
        return self._integral(a, _function("tanh"), slope)

    def _atan(self, a: Series) -> Series:
        slope = lambda _: self._div(self._one, self._add(self._one, self._mul(a, a)))
        return self._integral(a, _function("atan"), slope)

    def _atanh(self, a: Series) -> Series:
        slope = lambda _: self._div(self._one, self._sub(self._one, self._mul(a, a)))
        return self._integral(a, _function("atanh"), slope)

    def _asin(self, a: Series) -> Series:
        return self._integral(a, _function("asin"), lambda _: self._by_root(self._one, a, -1.0))

    def _acos(self, a: Series) -> Series:
        slope = lambda _: self._neg(self._by_root(self._one, a, -1.0))
        return self._integral(a, _function("acos"), slope)

    def _asinh(self, a: Series) -> Series:
        return self._integral(a, _function("asinh"), lambda _: self._by_root(self._one, a, 1.0))

    def _erf(self, a: Series) -> Series:
        factor = self.constant(2.0 / math.sqrt(math.pi))
        bell = lambda _: self._mul(factor, self._exp(self._neg(self._mul(a, a))))
        return self._integral(a, _function("erf"), bell)

    def _by_root(self, one: Series, a: Series, sign: float) -> Series:
        """1 / sqrt(1 + sign a^2)."""
        square = self._mul(a, a)
        return self._div(one, self._sqrt(self._add(one, square if sign > 0 else self._neg(square))))


def _function(operation: str) -> Start:
    return lambda x: apply(operation, x)


def _products(a: Series, b: Series, n: int, first: int, last: int) -> Value:
    """The sum of a_j b_(n-j) over j from `first` to `last`."""
    return total([a[j] * b[n - j] for j in range(first, last + 1)])


def _square(a: Series, n: int, first: int) -> Value:
    """The sum of a_j a_(n-j) over j from `first` to n - `first`, each pair once."""
    pairs = [a[j] * a[n - j] for j in range(first, (n + 1) // 2)]
    twice = [2.0 * total(pairs)] if pairs else []
    middle = [a[n // 2] * a[n // 2]] if n % 2 == 0 and n // 2 >= first else []
    return total([*twice, *middle])
