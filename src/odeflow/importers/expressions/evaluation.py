"""Values of equations, by NumPy or JAX."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from odeflow.importers.expressions.expression import Call, Expression, Number, Symbol
from odeflow.importers.expressions.operations import OPERATIONS


def evaluate(
    equations: Iterable[tuple[str, Expression]],
    known: Mapping[str, Any],
    xp: Any = np,
    dtype: Any = np.float64,
) -> dict[str, Any]:
    """`known` and, by name, the value of each equation, in order.

    An equation may read what is known and what stands before it. `xp` is `numpy` or `jax.numpy`;
    constants have the type `dtype`, so that nothing else decides on the precision.
    """
    values = dict(known)
    done: dict[int, Any] = {}
    typed = np.dtype(dtype).type

    def leaf(expression: Number | Symbol) -> Any:
        named = isinstance(expression, Symbol)
        constant = values[expression.name] if named else expression.value
        if not isinstance(constant, bool | int | float) or isinstance(constant, np.floating):
            return constant  # an array; Python's own numbers do not divide by zero
        return constant if isinstance(constant, bool) else typed(constant)

    def result(expression: Call) -> Any:
        operands = [done[id(x)] for x in expression.operands]
        if expression.operation == "number":
            return xp.where(operands[0], typed(1), typed(0))
        return OPERATIONS[expression.operation](xp, *operands)

    def value(root: Expression) -> Any:
        # A stack of its own: sums of thousands of terms are deeper than Python's.
        pending = [root]
        while pending:
            expression = pending[-1]
            if id(expression) not in done:
                if isinstance(expression, Call):
                    missing = [x for x in expression.operands if id(x) not in done]
                    if missing:
                        pending += missing
                        continue
                    done[id(expression)] = result(expression)
                else:
                    done[id(expression)] = leaf(expression)
            pending.pop()
        return done[id(root)]

    with np.errstate(all="ignore"):
        for name, expression in equations:
            values[name] = value(expression)
    return values
