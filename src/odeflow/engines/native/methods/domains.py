"""Where a program may have values that are not finite although its inputs are.

Sums, products, choices and bounded functions of moderate numbers are moderate; quotients, powers,
roots and logarithms need not be. Nothing is emitted for what cannot go wrong.
"""

import math
from collections.abc import Iterable, Sequence

from odeflow.engines.native.frontend.field import field_at
from odeflow.engines.native.program.program import Program, Statement, needed
from odeflow.engines.native.program.value import Value, isfinite, total

#: Operations whose value is moderate where their operands are.
_BOUNDED = frozenset(
    [
        "add",
        "sub",
        "mul",
        "neg",
        "abs",
        "floor",
        "ceil",
        "trunc",
        "round_even",
        "sin",
        "cos",
        "tanh",
        "atan",
        "erf",
        "erfc",
        "select",
        "entry",
    ]
)
#: Operations that are true or false, whatever their operands.
_LOGICAL = frozenset({"lt", "le", "eq", "ne", "and", "or", "xor", "not"})
#: Operations that are not a number for some finite operands.
_RESTRICTED = frozenset(
    ["sqrt", "log", "log1p", "pow", "rem", "asin", "acos", "acosh", "atanh", "lgamma"]
)


def unbounded(program: Program, varying: Iterable[str]) -> list[bool]:
    """For every output, whether it may be infinite or NaN where the inputs are moderate numbers.

    `varying` are the inputs that change on the way: what the others are divided by is a number of
    the whole trajectory.
    """
    moves = set(varying)
    wild: set[str] = set()
    for statement in program.statements:
        if any(name in moves for name in statement.reads()):
            moves.add(statement.name)
        if statement.operation in _LOGICAL:
            continue
        if not _is_bounded(statement, moves) or any(name in wild for name in statement.reads()):
            wild.add(statement.name)
    return [x in wild if isinstance(x, str) else not math.isfinite(x) for x in program.outputs]


def _is_bounded(statement: Statement, moves: set[str]) -> bool:
    if statement.operation == "div":
        return statement.operands[1] not in moves
    return statement.operation in _BOUNDED


def defined_at(
    program: Program, t: Value, y: Sequence[Value], parameters: Sequence[Value]
) -> Value | None:
    """Whether a field is finite at a point; None where it is at every moderate one.

    A step whose end lies outside of the field's domain must not be kept, since no other could
    start there.
    """
    values = field_at(_restricted(program), t, y, parameters)
    return isfinite(total(values)) if values else None


def _restricted(program: Program) -> Program:
    """The outputs that depend on operations which are defined for some arguments only."""
    touched: set[str] = set()
    for statement in program.statements:
        if statement.operation in _RESTRICTED or any(x in touched for x in statement.reads()):
            touched.add(statement.name)
    outputs = tuple(output for output in program.outputs if output in touched)
    statements = needed(program.statements, {x for x in outputs if isinstance(x, str)})
    return Program(program.inputs, statements, outputs)
