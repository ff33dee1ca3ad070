"""Straight-line programs over scalars: statements in order, kept as data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: A name, or a constant known when the program is made.
Operand = str | float | bool | int


@dataclass(frozen=True)
class Statement:
    """`name = operation(*operands)`."""

    name: str
    operation: str
    operands: tuple[Any, ...]

    def reads(self) -> Iterator[str]:
        """The names among the operands."""
        return (operand for operand in self.operands if isinstance(operand, str))


@dataclass(frozen=True)
class Program:
    """Statements in order, each of which reads inputs and earlier statements only.

    Operations are those of `operations.OPERATIONS`, and in programs of lanes those of
    `lane_program` too.
    """

    inputs: tuple[str, ...]
    statements: tuple[Statement, ...]
    outputs: tuple[Operand, ...]

    def evaluate(
        self, inputs: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
    ) -> list[Any]:
        """The outputs, by functions that do each operation; what they do it on is theirs."""
        values = dict(inputs)

        def value(operand: Any) -> Any:
            return values[operand] if isinstance(operand, str) else operand

        for statement in self.statements:
            operands = map(value, statement.operands)
            values[statement.name] = functions[statement.operation](*operands)
        return [value(output) for output in self.outputs]

    def text(self) -> list[str]:
        """One line per statement, to read and to take digests of."""
        lines = [f"{s.name} = {s.operation}({_listed(s.operands)})" for s in self.statements]
        return [*lines, f"return {_listed(self.outputs)}"]


def needed(statements: Sequence[Statement], names: set[str]) -> tuple[Statement, ...]:
    """The statements that those of these names need, in order; adds what they read to the names."""
    live = []
    for statement in reversed(statements):
        if statement.name in names:
            live.append(statement)
            names.update(statement.reads())
    return tuple(reversed(live))


def _listed(operands: Sequence[Any]) -> str:
    return ", ".join(x if isinstance(x, str) else repr(x) for x in operands)
