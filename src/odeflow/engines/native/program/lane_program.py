"""Programs of lanes: what is read of a lane's rows, computed, and written there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.operations import OPERATIONS
from odeflow.engines.native.program.program import Operand, Program, Statement, needed
from odeflow.engines.native.program.value import Value, operand_of

#: Most statements of a program of lanes: Python takes half a minute for as many.
_LONGEST = 3_000_000

#: The groups of rows that calls may change.
CHANGED_BY_CALLS = frozenset({"MATRIX", "RIGHT"})

Lanes = Literal["all", "vector", "one"]


class LaneRow(NamedTuple):
    """A row of the lanes' buffer: the `index`-th of a group, or a group of one row."""

    group: str
    index: int = 0

    def __repr__(self) -> str:
        return f"{self.group}[{self.index}]" if self.index else self.group


@dataclass(frozen=True)
class LaneProgram:
    """A function of `all` lanes, a `vector` of them or `one`.

    Beside operations on scalars its program has `load(row)`, `setting(name)`, `store(row, value)`,
    `open(mask)` and `close()`, between which is what changes nothing unless the mask holds in a
    lane; of rows that lanes choose `gather(group, place)`, `ring_search(group, size, count, upto)`
    and `scatter(group, place, value, where)`; and `call(name, ...)`, which may change rows of
    `CHANGED_BY_CALLS`. It returns a mask of the lanes where its output holds, if it has one.
    """

    name: str
    lanes: Lanes
    doc: str
    program: Program

    def text(self) -> str:
        """To read, and to take digests of."""
        head = f"{self.name}, {self.lanes}: {self.doc}"
        return "\n    ".join([head, *self.program.text()])

    @cached_property
    def unconditional(self) -> Program:
        """The program without branches: what they would leave out changes nothing. What it stores
        it does not load again.
        """
        statements: list[Statement] = []
        stored: dict[Any, Operand] = {}
        known: dict[str, Operand] = {}
        for statement in self.program.statements:
            name, operation = statement.name, statement.operation
            operands: tuple[Any, ...] = tuple(
                known.get(x, x) if isinstance(x, str) else x for x in statement.operands
            )
            if operation == "load" and operands[0] in stored:
                known[name] = stored[operands[0]]
            elif operation not in ("open", "close"):
                statements.append(Statement(name, operation, operands))
            if operation == "store":
                stored[operands[0]] = operands[1]
            elif operation == "call":
                stored.clear()
        return replace(self.program, statements=tuple(statements))

    @property
    def cost(self) -> int:
        """What it takes to compile, in additions."""
        costs = (OPERATIONS.get(s.operation) for s in self.program.statements)
        return sum(operation.cost if operation else 1 for operation in costs)


class LaneBuilder(Builder):
    """Builds the program of one function of lanes.

    A row is loaded once until it is stored or a call may have changed it. What is stored and called
    stays in its order; all else goes where nothing reads it.
    """

    def __init__(self, dtype: Any = np.float64):
        super().__init__((), dtype, limit=_LONGEST)
        self._known: dict[LaneRow, Value] = {}
        self._effects: list[str] = []

    def row(self, group: str, index: int = 0) -> Value:
        """The number in a row."""
        row = LaneRow(group, index)
        if row not in self._known:
            self._known[row] = Value(self, self._append("load", (row,)))
        return self._known[row]

    def rows(self, names: Sequence[str]) -> list[Value]:
        """The numbers in rows."""
        return [self.row(name) for name in names]

    def setting(self, name: str) -> Value:
        """A number that is the same in all lanes."""
        return Value(self, self._emit("setting", (Setting(name),)))

    def store(self, group: str, value: Any, index: int = 0) -> None:
        """Writes a row, unless that is what it holds."""
        row, given = LaneRow(group, index), Value(self, operand_of(value))
        known = self._known.get(row)
        if known is not None and known.operand == given.operand and isinstance(given.operand, str):
            return
        self._effects.append(self._append("store", (row, given.operand)))
        self._known[row] = given

    def store_rows(self, names: Sequence[str], values: Sequence[Any]) -> None:
        """Writes rows."""
        for name, value in zip(names, values):
            self.store(name, value)

    def gathered(self, group: str, place: Value) -> Value:
        """The number in a row of a group, at a place which lanes have each for itself."""
        return Value(self, self._append("gather", (Setting(group), place.operand)))

    def ring_search(self, group: str, size: int, count: Value, upto: Value) -> Value:
        """The number of the last item of a group up to a value, see `targets.ring_search`."""
        data = (Setting(group), size, count.operand, upto.operand)
        return Value(self, self._append("ring_search", data))

    def scatter(self, group: str, place: Value, value: Value, where: Value) -> None:
        """Writes such a row in the lanes where a condition holds."""
        data = (Setting(group), place.operand, value.operand, where.operand)
        self._effects.append(self._append("scatter", data))

    @contextmanager
    def only_where(self, mask: Value) -> Iterator[None]:
        """What is computed and stored within is left out where a mask holds in no lane, which is
        mostly so. In lanes where it does not hold it must leave rows as nobody reads them.
        """
        shared, known = dict(self._shared), dict(self._known)
        self._effects.append(self._append("open", (mask.operand,)))
        first = len(self._effects)
        yield
        stored = [self._statements[name] for name in self._effects[first:]]
        self._effects.append(self._append("close", ()))
        self._shared, self._known = shared, known
        for statement in stored:
            if statement.operation == "store":
                self._known.pop(statement.operands[0], None)

    def call(self, name: str, *data: Any) -> None:
        """Calls what is written as a loop over rows."""
        self._effects.append(self._append("call", (Setting(name), *data)))
        self._known.clear()

    def finished(
        self, name: str, lanes: Lanes, doc: str, result: Value | None = None
    ) -> LaneProgram:
        """The program."""
        outputs: tuple[Operand, ...] = () if result is None else (result.operand,)
        names = {*self._effects, *(x for x in outputs if isinstance(x, str))}
        statements = needed(list(self._statements.values()), names)
        return LaneProgram(name, lanes, doc, Program((), statements, outputs))


class Setting(NamedTuple):
    """A name that is not an operand."""

    name: str

    def __repr__(self) -> str:
        return self.name
