"""Builds a scalar program: shares equal statements, folds constants, drops what nothing reads."""

import math
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np

from odeflow.engines.native.program.operations import OPERATIONS
from odeflow.engines.native.program.program import Operand, Program, Statement, needed
from odeflow.engines.native.program.refusal import Refused
from odeflow.engines.native.program.table import ConstantTable

#: Most statements of a program: what ten thousand states need.
LONGEST = 200_000


def is_name(operand: Operand) -> bool:
    """Whether the operand is a name, not a constant."""
    return isinstance(operand, str)


class Builder:
    """A program that grows by one operation at a time.

    Operands are numbers of one floating-point type, `dtype`, and booleans. Equal operations are
    one statement; operations on constants are not statements. A constant zero times anything is
    zero, and zero over anything that is not constant: that keeps the zeros of a Jacobian, at the
    price that JAX's NaN of 0 * inf is not seen. Else no rule changes a value, but for the sign of
    a zero, and for some roundings in `x**c` with a small multiple c of a quarter or a third, which
    becomes products of roots; a third is no number of this type, and the true one is meant.
    """

    def __init__(
        self, inputs: Sequence[str], dtype: Any = np.float64, limit: int = LONGEST
    ) -> None:
        for name in inputs:
            if not name.isidentifier():
                raise ValueError(f"an input must be named by an identifier, not {name!r}")
        if len(set(inputs)) != len(inputs):
            raise ValueError("two inputs have the same name")
        self.inputs = tuple(inputs)
        self.dtype = np.dtype(dtype)
        self.limit = limit
        self._statements: dict[str, Statement] = {}
        self._positions: dict[str, int] = {}
        self._shared: dict[tuple[Any, ...], str] = {}
        #: Selections whose every outcome is a constant, such as an entry of a table.
        self._tables: set[str] = set()
        self._rules: dict[str, Callable[..., Operand | None]] = {
            "add": self._add,
            "sub": self._sub,
            "mul": self._mul,
            "div": self._div,
            "neg": self._neg,
            "pow": self._pow,
            "eq": lambda x, y: self._compare("eq", x, y),
            "ne": lambda x, y: self._compare("ne", x, y),
            "and": self._and,
            "or": self._or,
            "xor": self._xor,
            "not": self._not,
            "select": self._select,
        }

    def apply(self, operation: str, *operands: Operand | ConstantTable) -> Operand:
        """The result of an operation: a constant or the name of a statement.

        Raises Refused where the program would have more than `limit` statements.
        """
        if operation != "select" and not any(isinstance(x, str) for x in operands):
            return self._fold(operation, operands)
        rule = self._rules.get(operation)
        if rule is not None:
            result = rule(*operands)
            if result is not None:
                return result
        return self._emit(operation, operands)

    def definition(self, operand: Operand) -> Statement | None:
        """The statement that an operand names; None for inputs and constants."""
        return self._statements.get(operand) if isinstance(operand, str) else None

    def position(self, operand: Operand) -> int:
        """Place of a name in the order of definition; inputs come first."""
        return self._positions.get(operand, -1) if isinstance(operand, str) else -1

    def program(self, outputs: Sequence[Operand], inputs: Sequence[str] | None = None) -> Program:
        """The statements that the outputs need, in order."""
        names = {output for output in outputs if isinstance(output, str)}
        statements = needed(list(self._statements.values()), names)
        return Program(self.inputs if inputs is None else tuple(inputs), statements, tuple(outputs))

    def _emit(self, operation: str, operands: tuple[Any, ...]) -> str:
        # repr tells apart what == does not: 0.0 from -0.0, 1.0 from 1 and True, NaN from NaN not.
        keys = [x if isinstance(x, str) else (repr(x),) for x in operands]
        known = OPERATIONS.get(operation)
        if known is not None and known.is_commutative:
            keys.sort(key=str)
        key = (operation, *keys)
        name = self._shared.get(key)
        if name is None:
            name = self._shared[key] = self._append(operation, operands)
            if operation == "select" and all(self._is_table(x) for x in operands[1:]):
                self._tables.add(name)
        return name

    def _append(self, operation: str, operands: tuple[Any, ...]) -> str:
        """The name of a further statement."""
        position = len(self._statements)
        if position >= self.limit:
            raise Refused(f"the program would have more than {self.limit:,} statements")
        name = f"{operation}_{position}"  # exp2 at 3 is not exp at 23
        while name in self.inputs:
            name += "_"
        self._statements[name] = Statement(name, operation, operands)
        self._positions[name] = position
        return name

    def _is_table(self, operand: Operand) -> bool:
        return not isinstance(operand, str) or operand in self._tables

    def _fold(self, operation: str, operands: tuple[Any, ...]) -> Operand:
        kept = (bool, ConstantTable)
        typed = [x if isinstance(x, kept) else self.dtype.type(x) for x in operands]
        with np.errstate(all="ignore"):
            return OPERATIONS[operation].numpy(*typed).item()  # type: ignore[misc]

    def _negated(self, operand: Operand) -> Operand | None:
        """The y of an operand that is -y."""
        statement = self.definition(operand)
        return statement.operands[0] if statement and statement.operation == "neg" else None

    def _add(self, x: Operand, y: Operand) -> Operand | None:
        if x == 0:
            return y
        if y == 0:
            return x
        if (negated := self._negated(y)) is not None:
            return self.apply("sub", x, negated)
        if (negated := self._negated(x)) is not None:
            return self.apply("sub", y, negated)
        return None

    def _sub(self, x: Operand, y: Operand) -> Operand | None:
        if y == 0:
            return x
        if x == 0:
            return self.apply("neg", y)
        if (negated := self._negated(y)) is not None:
            return self.apply("add", x, negated)
        return None

    def _mul(self, x: Operand, y: Operand) -> Operand | None:
        if isinstance(y, str) and not isinstance(x, str):
            x, y = y, x
        if y == 0:
            return 0.0
        if y == 1:
            return x
        if y == -1:
            return self.apply("neg", x)
        for one, other in ((x, y), (y, x)):
            if (negated := self._negated(one)) is not None:
                return self.apply("neg", self.apply("mul", negated, other))
        return None

    def _div(self, x: Operand, y: Operand) -> Operand | None:
        if x == 0:
            return 0.0
        if y == 1:
            return x
        if y == -1:
            return self.apply("neg", x)
        if not isinstance(y, str) and _is_power_of_two(y):
            return self.apply("mul", x, 1.0 / y)
        if (negated := self._negated(x)) is not None:
            return self.apply("neg", self.apply("div", negated, y))
        if (negated := self._negated(y)) is not None:
            return self.apply("neg", self.apply("div", x, negated))
        return None

    def _neg(self, x: Operand) -> Operand | None:
        return self._negated(x)

    def _pow(self, x: Operand, y: Operand) -> Operand | None:
        if isinstance(y, str) or isinstance(x, bool) or isinstance(y, bool):
            return None
        parts = self._parts(abs(y))
        if not parts:
            return None
        whole, rest = divmod(round(parts * abs(y)), parts)
        roots = self._roots(x, rest, parts)
        result = reduce(partial(self.apply, "mul"), roots, self.power(x, whole))
        result = self.apply("div", 1.0, result) if y < 0 else result
        if not rest or y == 0.5 or (whole == 0 and parts == 3):
            return result
        signs = whole + (len(roots) if parts == 4 else 0)
        if y < 0 and signs % 2:  # where x is -0.0 it is infinity, and the quotient -infinity
            is_lowest = self.apply("eq", result, -math.inf)
            result = self.apply("select", is_lowest, math.inf, result)
        # of -infinity there is a power, but no root
        is_lowest = self.apply("eq", x, -math.inf)
        return self.apply("select", is_lowest, 0.0 if y < 0 else math.inf, result)

    def _parts(self, size: float) -> int:
        """Of how many parts of 1 an exponent is a small multiple, 4 or 3; 0 where of neither."""
        if not size <= _LARGEST_PRODUCT:
            return 0
        number = self.dtype.type
        return next((n for n in (4, 3) if number(round(n * size) / n) == number(size)), 0)

    def _roots(self, x: Operand, rest: int, parts: int) -> list[Operand]:
        """What x to the power of rest / parts is the product of."""
        if not rest:
            return []
        if parts == 3:
            return [self._emit("pow", (x, 1 / 3))] * rest
        root = self.apply("sqrt", x)
        return [root] * (rest >= 2) + [self.apply("sqrt", root)] * (rest % 2)

    def power(self, x: Operand, exponent: int) -> Operand:
        """The integer power x**exponent by products, in JAX's order."""
        if exponent == 0:
            return 1.0
        remaining, result = abs(exponent), None
        while remaining > 0:
            if remaining & 1:
                result = x if result is None else self.apply("mul", result, x)
            remaining >>= 1
            if remaining > 0:
                x = self.apply("mul", x, x)
        assert result is not None
        return self.apply("div", 1.0, result) if exponent < 0 else result

    def _compare(self, operation: str, x: Operand, y: Operand) -> Operand | None:
        """Done on the constants of a table, where it mostly has one outcome (`x != x`, say)."""
        if not isinstance(x, str):
            x, y = y, x
        if x not in self._tables or not (x == y or not isinstance(y, str)):
            return None
        condition, *branches = self._statements[str(x)].operands
        outcomes = (self.apply(operation, branch, branch if x == y else y) for branch in branches)
        return self.apply("select", condition, *outcomes)

    def _and(self, x: Operand, y: Operand) -> Operand | None:
        if x is False or y is False:
            return False
        if x is True or x == y:
            return y
        return x if y is True else None

    def _or(self, x: Operand, y: Operand) -> Operand | None:
        if x is True or y is True:
            return True
        if x is False or x == y:
            return y
        return x if y is False else None

    def _xor(self, x: Operand, y: Operand) -> Operand | None:
        if x == y:
            return False
        for one, other in ((x, y), (y, x)):
            if isinstance(one, bool):
                return self.apply("not", other) if one else other
        return None

    def _not(self, x: Operand) -> Operand | None:
        statement = self.definition(x)
        return statement.operands[0] if statement and statement.operation == "not" else None

    def _select(self, condition: Operand, x: Operand, y: Operand) -> Operand | None:
        """`x` where the condition holds, else `y`."""
        if not isinstance(condition, str):
            return x if condition else y
        if identical(x, y):
            return x
        statement = self.definition(condition)
        if statement and statement.operation == "not":
            return self.apply("select", statement.operands[0], y, x)
        for branch, taken in ((x, 1), (y, 2)):
            inner = self.definition(branch)
            if inner and inner.operation == "select" and inner.operands[0] == condition:
                chosen = inner.operands[taken]
                pair = (chosen, y) if taken == 1 else (x, chosen)
                return self.apply("select", condition, *pair)
        if isinstance(x, bool) or isinstance(y, bool):
            if x is True:
                return self.apply("or", condition, y)
            if x is False:
                return self.apply("and", self.apply("not", condition), y)
            if y is True:
                return self.apply("or", self.apply("not", condition), x)
            return self.apply("and", condition, x)
        return None


def identical(x: Operand, y: Operand) -> bool:
    """Whether two operands are the same name, or constants of the same type and bits."""
    return repr(x) == repr(y)


#: The largest exponent of a power that is written as a product.
_LARGEST_PRODUCT = 8.0


def _is_power_of_two(y: float) -> bool:
    return math.isfinite(y) and abs(math.frexp(y)[0]) == 0.5 and 2.0**-120 < abs(y) < 2.0**120
