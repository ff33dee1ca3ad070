"""A program cut into expressions: what is read in several places, or is stored, is one of its own.

What only one of them needs is part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from odeflow.engines.native.program.lane_program import CHANGED_BY_CALLS
from odeflow.engines.native.program.program import Program

#: Links of a chain of operations, such as a sum, from which on it is a loop.
_SHORTEST_CHAIN = 8
#: Statements from which on an expression is cut.
_LONGEST = 48
_CHAINED = frozenset({"add", "sub", "mul", "and", "or"})
_TRUTHS = frozenset({"lt", "le", "eq", "ne", "and", "or", "xor", "not"})


class Expressions:
    """The statements of a program by number, and which of them are expressions, the `roots`.

    `section` counts the calls before each statement. `chains` are the last links of chains of like
    terms, with the number of links: those of ((x0 + x1) + x2) are its two sums. `truths` are the
    statements that hold or do not hold.
    """

    def __init__(self, program: Program):
        self.statements = program.statements
        number = {s.name: i for i, s in enumerate(self.statements)}
        #: For each operand of a statement the number of what it names, None for constants.
        self.named = [
            [number[x] if isinstance(x, str) else None for x in s.operands] for s in self.statements
        ]
        self.output = next((number[x] for x in program.outputs if isinstance(x, str)), None)
        self.section: list[int] = []
        calls = 0
        for statement in self.statements:
            self.section.append(calls)
            calls += statement.operation == "call"
        self._readers = self._counted()
        self.truths = self._truths()
        self.chains, self._inner = self._chains()
        self.cut()

    def cut(self, apart: Collection[int] = ()) -> None:
        """Cuts the program, at the statements of `apart` in any case."""
        self._apart = apart
        self.roots, self.readers = self._roots()
        self.early: set[int] = set()
        self.roots |= self._with_stores()

    def reads(self, i: int) -> Iterator[int]:
        """The numbers of what a statement reads, each once."""
        return iter({x for x in self.named[i] if x is not None})

    def is_leaf(self, i: int) -> bool:
        """Whether a statement computes nothing."""
        return self.statements[i].operation in ("load", "setting")

    def parts(self, root: int) -> Iterator[int]:
        """The statements of an expression, but for the links of chains and what these need."""
        waiting, seen = [root], {root}
        while waiting:
            i = waiting.pop()
            yield i
            if i not in self.chains:
                inside = {x for x in self.reads(i) if x not in self.roots and not self.is_leaf(x)}
                waiting += sorted(inside - seen)
                seen |= inside

    def _counted(self) -> list[int]:
        readers = [0] * len(self.statements)
        for i in range(len(readers)):
            for x in self.reads(i):
                readers[x] += 1
        if self.output is not None:
            readers[self.output] += 2
        return readers

    def _truths(self) -> set[int]:
        truths: set[int] = set()
        for i, (statement, named) in enumerate(zip(self.statements, self.named)):
            if statement.operation == "select":
                branches = zip(named[1:], statement.operands[1:])
                is_truth = all(
                    isinstance(c, bool) if x is None else x in truths for x, c in branches
                )
            else:
                is_truth = statement.operation in _TRUTHS
            if is_truth:
                truths.add(i)
        return truths

    def _is_inside(self, i: int, reader: int) -> bool:
        """Whether only this reader needs what a statement computes, in one section."""
        alone = self._readers[i] == 1 and not self.is_leaf(i)
        return alone and self.section[i] == self.section[reader]

    def _chains(self) -> tuple[dict[int, int], set[int]]:
        """Chains by their last links, and their other links."""
        shapes: dict[Any, int] = {}
        shape = [0] * len(self.statements)
        links: dict[int, int] = {}
        terms: dict[int, Any] = {}
        before: dict[int, int] = {}
        for i, statement in enumerate(self.statements):
            parts = [
                kind(constant)
                if x is None
                else shape[x]
                if self._is_inside(x, i)
                else self._leaf(x)
                for x, constant in zip(self.named[i], statement.operands)
            ]
            shape[i] = shapes.setdefault((statement.operation, *parts), len(shapes))
            if statement.operation in _CHAINED:
                start, terms[i], links[i] = self.named[i][0], parts[1], 1
                if start in links and self._is_inside(start, i):
                    like = self.statements[start].operation == statement.operation
                    if like and terms[start] == terms[i]:
                        links[i], before[i] = links[start] + 1, start
        chains, inner = {}, set()
        for i in sorted(links, reverse=True):
            if i in inner or links[i] < _SHORTEST_CHAIN:
                continue
            chains[i] = links[i]
            while i in before:
                i = before[i]
                inner.add(i)
        return chains, inner

    def _leaf(self, i: int) -> str:
        return self.statements[i].operation if self.is_leaf(i) else "value"

    def _too_long(self) -> set[int]:
        """Statements at which an expression ends that would be too long."""
        length, ends = [0] * len(self.statements), set()
        for i, statement in enumerate(self.statements):
            if self.is_leaf(i):
                continue
            named = self.named[i]
            parts = named[:1] if i in self._inner else named
            inside = [x for x in parts if x is not None and self._is_inside(x, i)]
            length[i] = sum(length[x] for x in inside) + (i not in self._inner)
            if i in self._inner or statement.operation == "store":
                continue
            if length[i] > _LONGEST or i in self._apart:
                ends.add(i)
                length[i] = 0
        return ends

    def _roots(self) -> tuple[set[int], list[set[int]]]:
        """The expressions, and for each statement those that read it."""
        ends = self._too_long()
        readers: list[set[int]] = [set() for _ in self.statements]
        scopes: list[Any] = [None] * len(self.statements)
        roots: set[int] = set()
        for i in range(len(self.statements) - 1, -1, -1):
            operation, scope = self.statements[i].operation, scopes[i]
            if operation == "call" or self.is_leaf(i):
                continue
            root = next(iter(readers[i])) if len(readers[i]) == 1 else i
            apart = root == i or scope is _SEVERAL or self.section[root] != self.section[i]
            if operation == "store" or i == self.output or i in ends or apart:
                roots.add(i)
                root = scope = i
            is_link = i in self.chains or i in self._inner
            for place, x in enumerate(self.named[i]):
                if x is None:
                    continue
                readers[x].add(root)
                # what several terms of a chain need is computed before
                within = (i, "term") if is_link and place == 1 else scope
                scopes[x] = within if scopes[x] in (None, within) else _SEVERAL
        return roots, readers

    def _with_stores(self) -> set[int]:
        """Settles which stores come first, and gives the loads that have to be kept beside.

        Stores come last in a section, `early` ones before others: they read rows that these
        change. A number is kept beside where its row has changed before it is read.
        """
        stored: dict[tuple[int, Any], int] = {}
        changes: dict[Any, set[int]] = {}
        for i in sorted(self.roots):
            if self.statements[i].operation == "store":
                row, section = self.statements[i].operands[0], self.section[i]
                self.roots.discard(stored.get((section, row), -1))
                stored[section, row] = i
                changes.setdefault(row, set()).add(section)
        loads = [i for i, s in enumerate(self.statements) if s.operation == "load"]
        read_late: list[tuple[int, int]] = []
        kept = set()
        for i in loads:
            row, first = self.statements[i].operands[0], self.section[i]
            for reader in self.readers[i]:
                section = self.section[reader]
                changed = any(first <= x < section for x in changes.get(row, ()))
                if changed or (section > first and row.group in CHANGED_BY_CALLS):
                    kept.add(i)
                change = stored.get((section, row), reader)
                if change != reader and self.statements[reader].operation == "store":
                    self.early.add(reader)
                    read_late.append((i, change))
        return kept | {i for i, change in read_late if change in self.early}


_SEVERAL = object()


def kind(constant: Any) -> Any:
    """What distinguishes expressions of a constant: numbers differ from place to place."""
    return "number" if type(constant) is float else repr(constant)
