"""What a long program repeats: expressions that are the same but for what they read.

A program is cut into expressions: what is read in several places, and what is stored, is one, and
what only it needs is part of it. Those of one shape that can be computed together are a group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from odeflow.engines.native.program.program import Operand, Program, Statement

#: Links of a chain of operations, such as a sum, from which on it is a loop of its own.
SHORTEST_CHAIN = 8
#: Statements of an expression from which on it is cut.
_LONGEST = 48
_CHAINED = frozenset({"add", "sub", "mul", "and", "or"})
_TRUTHS = frozenset({"lt", "le", "eq", "ne", "and", "or", "xor", "not"})
#: The rows that calls change.
_CHANGED = frozenset({"MATRIX", "RIGHT"})
_SEVERAL = object()


class Cut:
    """The statements of a program by number, and which of them are expressions.

    `roots` are their numbers in order; `section` counts the calls before a statement. `chains` are
    the last links of chains of like terms with their number of links: of `x0 + x1 + x2` the links
    are the sums and x0 is where it starts. `truths` are the statements that hold or do not.
    """

    def __init__(self, program: Program):
        self.statements = program.statements
        self.number = {s.name: i for i, s in enumerate(self.statements)}
        self.operands = [
            tuple(self.number[x] if isinstance(x, str) else None for x in s.operands)
            for s in self.statements
        ]
        self.section = self._sections()
        self.outputs = {self.number[x] for x in program.outputs if isinstance(x, str)}
        self._uses = self._counted()
        self.truths = self._truths()
        self.chains = self._chains()
        self.roots, self.read_by = self._roots(self._too_long())

    def read(self, i: int) -> Iterator[int]:
        """The numbers of the statements that one reads."""
        return (x for x in self.operands[i] if x is not None)

    def is_leaf(self, i: int) -> bool:
        """Whether a statement computes nothing."""
        return self.statements[i].operation in ("load", "setting")

    def _sections(self) -> list[int]:
        calls, sections = 0, []
        for statement in self.statements:
            sections.append(calls)
            calls += statement.operation == "call"
        return sections

    def _counted(self) -> list[int]:
        uses = [0] * len(self.statements)
        for i in range(len(uses)):
            for x in self.read(i):
                uses[x] += 1
        for i in self.outputs:
            uses[i] += 2
        return uses

    def _truths(self) -> set[int]:
        truths: set[int] = set()
        for i, statement in enumerate(self.statements):
            if statement.operation in _TRUTHS:
                truths.add(i)
            elif statement.operation == "select":
                branches = zip(self.operands[i][1:], statement.operands[1:])
                if all(x in truths if x is not None else isinstance(c, bool) for x, c in branches):
                    truths.add(i)
        return truths

    def _inside(self, i: int, reader: int) -> bool:
        """Whether a statement may be part of the expression of its only reader."""
        return (
            self._uses[i] == 1
            and not self.is_leaf(i)
            and self.section[i] == self.section[reader]
        )

    def _chains(self) -> dict[int, int]:
        """By last link, how many links of one shape end there."""
        shapes: dict[Any, int] = {}
        shape, links, ended = [0] * len(self.statements), [0] * len(self.statements), {}
        for i, statement in enumerate(self.statements):
            parts: list[Any] = []
            for x, constant in zip(self.operands[i], statement.operands):
                if x is None:
                    parts.append(_kind(constant))
                elif self._inside(x, i):
                    parts.append(shape[x])
                else:
                    parts.append(self.statements[x].operation if self.is_leaf(x) else "value")
            shape[i] = shapes.setdefault((statement.operation, *parts), len(shapes))
            if statement.operation not in _CHAINED:
                continue
            before, links[i] = self.operands[i][0], 1
            if before is not None and links[before] and self._inside(before, i):
                other = self.statements[before]
                # the shape of a link but for where it starts
                if other.operation == statement.operation and link[before] == parts[1]:
                    links[i] = links[before] + 1
                    ended.pop(before, None)
            link_shape = parts[1]
            link = link if i else {}
            link[i] = link_shape
            ended[i] = links[i]
        return {i: n for i, n in ended.items() if n >= SHORTEST_CHAIN}
