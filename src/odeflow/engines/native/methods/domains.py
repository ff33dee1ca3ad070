"""Where a program may have values that are not finite although its inputs are.

Sums, products, choices and bounded functions of moderate numbers are moderate; quotients, powers,
roots and logarithms need not be. Nothing is emitted for what cannot go wrong.
"""

import math
from collections.abc import Iterable, Mapping

from odeflow.engines.native.frontend.field import evaluated
from odeflow.engines.native.methods.controller import total
from odeflow.engines.native.program.program import Operand, Program, Statement

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


def defined_lines(
    program: Program, rename: Mapping[str, Operand], prefix: str
) -> tuple[list[str], str | None]:
    """Statements, and the condition that a field is finite at the point that `rename` names.

    The condition is None where the field is finite at every moderate point. A step whose end lies
    outside of the field's domain must not be kept, since no other could start there.
    """
    lines, values = evaluated(_restricted(program), rename, prefix)
    return lines, f"isfinite({total(values)})" if values else None


def _restricted(program: Program) -> Program:
    """The outputs that hang on operations which are defined for some arguments only."""
    touched: set[str] = set()
    for statement in program.statements:
        if statement.operation in _RESTRICTED or any(x in touched for x in statement.reads()):
            touched.add(statement.name)
    outputs = tuple(output for output in program.outputs if output in touched)
    return Program(program.inputs, _needed(program, outputs), outputs)


def _needed(program: Program, outputs: tuple[Operand, ...]) -> tuple[Statement, ...]:
    names = {output for output in outputs if isinstance(output, str)}
    live = []
    for statement in reversed(program.statements):
        if statement.name in names:
            live.append(statement)
            names.update(statement.reads())
    return tuple(reversed(live))
