"""Long programs as loops: expressions of one shape that do not need one another are one loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

from odeflow.engines.native.program.expressions import Expressions, kind
from odeflow.engines.native.program.lane_program import LaneProgram, LaneRow
from odeflow.engines.native.program.operations import OPERATIONS

#: The rows where programs that are loops keep numbers.
SCRATCH = "SCRATCH"

#: What an expression reads: a number, a row, or what another expression has kept.
Leaf = tuple[str, Any]


class Chain(NamedTuple):
    """An operation repeated over terms: the leaves from `first` on are lists, one for each term.

    `shape` is that of a term, which reads one of each.
    """

    operation: str
    length: int
    start: Any
    first: int
    leaves: int
    shape: Shape


class Shape(NamedTuple):
    """What expressions have in common: steps, each of an operation and its operands, and a result.

    An operand is ("step", its number), ("setting", name), ("literal", anything), or the number of
    a leaf: a constant "number", the "leaf" in a row, or a "truth", which holds or does not.
    """

    steps: tuple[Any, ...]
    result: Any

    @property
    def cost(self) -> int:
        """What it takes to compile, in additions."""
        total = 1
        for step in self.steps:
            if isinstance(step, Chain):
                total += 10 + step.shape.cost
            else:
                known = OPERATIONS.get(step[0])
                total += known.cost if known else 1
        return total


@dataclass
class Repeats:
    """Expressions of one shape: their leaves, and where each of their numbers goes.

    A number goes to a row, where `targets` has rows, else to the scratch rows from `place` on. It
    is one that holds or does not, where the group is a `truth`.
    """

    shape: Shape
    members: list[int]
    leaves: list[list[Leaf]]
    targets: list[LaneRow]
    truth: bool
    place: int = 0

    def __len__(self) -> int:
        return len(self.members)


class CallPiece(NamedTuple):
    """A call of what is written as a loop."""

    name: str
    data: tuple[Any, ...]


@dataclass(frozen=True)
class RolledProgram:
    """A program of lanes as groups and calls, in order. `slots` are the scratch rows it takes."""

    program: LaneProgram
    pieces: Sequence[Repeats | CallPiece]
    places: Mapping[int, int]
    output: int | None
    slots: int

    @property
    def name(self) -> str:
        """That of the program."""
        return self.program.name

    @property
    def lanes(self) -> Any:
        """The lanes it is for."""
        return self.program.lanes

    @cached_property
    def cost(self) -> int:
        """What it takes to compile, in additions."""
        groups = [piece for piece in self.pieces if isinstance(piece, Repeats)]
        return sum(x.shape.cost * (len(x) if len(x) < FEWEST else 1) for x in groups)

    def text(self) -> str:
        """To read, and to take digests of."""
        return "as loops\n" + self.program.text()


#: Members of a group from which on they are a loop.
FEWEST = 4
#: What expressions that are alike in too few places may cost; else they are cut at their sums, and
#: if that is not enough at every operation: there are only so many shapes of one operation.
_MOST_FEW = 2_000
_SUMS = frozenset({"add", "sub"})


def rolled(program: LaneProgram) -> RolledProgram:
    """A program of lanes with what it repeats in loops."""
    cut = Expressions(program.unconditional)
    groups = _grouped(cut)
    apart: set[int] = set()
    for operations in (_SUMS, None):
        few = [group for group in groups.values() if len(group) < FEWEST]
        if sum(group.shape.cost * len(group) for group in few) <= _MOST_FEW:
            break
        parts = (i for group in few for root in group.members for i in cut.parts(root))
        apart |= {
            i for i in parts if operations is None or cut.statements[i].operation in operations
        }
        cut.cut(apart)
        groups = _grouped(cut)
    calls = [s for s in cut.statements if s.operation == "call"]
    pieces: list[Repeats | CallPiece] = []
    done = 0
    for key in sorted(groups, key=lambda key: key[:4]):
        pieces += map(_call, calls[done : key[0]])
        done = key[0]
        pieces.append(groups[key])
    pieces += map(_call, calls[done:])
    places, slots = _places(pieces, cut.output)
    return RolledProgram(program, pieces, places, cut.output, slots)


def _grouped(cut: Expressions) -> dict[Any, Repeats]:
    """The expressions by section, which of its stores come last, how many wait, and shape."""
    heights = _heights(cut)
    groups: dict[Any, Repeats] = {}
    for i in sorted(cut.roots):
        shape, leaves = _Description(cut, i).described()
        statement, height = cut.statements[i], heights[i]
        is_store = statement.operation == "store"
        truth = i in cut.truths
        key = (cut.section[i], is_store, -height, i not in cut.early, truth, shape)
        group = groups.setdefault(key, Repeats(shape, [], [], [], truth))
        group.members.append(i)
        group.leaves.append(leaves)
        if is_store:
            group.targets.append(statement.operands[0])
    return groups


def _kept(leaf: Leaf) -> Iterator[int]:
    """The expressions that a leaf reads."""
    if leaf[0] == "kept":
        yield leaf[1]
    elif leaf[0] == "series":
        for inner in leaf[1]:
            yield from _kept(inner)


def _places(
    pieces: Sequence[Repeats | CallPiece], output: int | None
) -> tuple[dict[int, int], int]:
    """A scratch row for each number that is kept, and how many rows these are.

    The numbers of a group lie side by side, for as long as they are read.
    """
    owner: dict[int, int] = {}
    last: dict[int, int] = {}
    for time, piece in enumerate(pieces):
        if isinstance(piece, Repeats):
            owner |= dict.fromkeys(piece.members, time)
            for kept in {owner[x] for row in piece.leaves for leaf in row for x in _kept(leaf)}:
                last[kept] = time
    if output is not None:
        last[owner[output]] = len(pieces)
    ended: dict[int, list[int]] = {}
    for time, end in last.items():
        ended.setdefault(end, []).append(time)
    places: dict[int, int] = {}
    free: list[tuple[int, int]] = []
    size = 0
    for time, piece in enumerate(pieces):
        if isinstance(piece, Repeats) and not piece.targets:
            fitting = next((x for x in free if x[1] >= len(piece)), None)
            if fitting is None:
                piece.place, size = size, size + len(piece)
            else:
                start, length = fitting
                piece.place = start
                free.remove(fitting)
                if length > len(piece):
                    free.append((start + len(piece), length - len(piece)))
            places |= {x: piece.place + k for k, x in enumerate(piece.members)}
        for other in ended.get(time, ()):
            group = pieces[other]
            assert isinstance(group, Repeats)
            free = _joined([*free, (group.place, len(group))])
    return places, size


def _joined(free: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches of free rows in order, neighbours as one."""
    result: list[tuple[int, int]] = []
    for start, length in sorted(free):
        if result and sum(result[-1]) == start:
            result[-1] = (result[-1][0], result[-1][1] + length)
        else:
            result.append((start, length))
    return result


def _call(statement: Any) -> CallPiece:
    name, *data = statement.operands
    return CallPiece(name.name, tuple(data))


def _heights(cut: Expressions) -> list[int]:
    """How many expressions of its section wait for each, one after another.

    What is read alike comes together, whatever it is made of: the values at a boundary with those
    inside.
    """
    heights = [0] * len(cut.statements)
    for i in sorted(cut.roots, reverse=True):
        waiting = [x for x in cut.readers[i] if cut.section[x] == cut.section[i] and x != i]
        heights[i] = 1 + max((heights[x] for x in waiting), default=0)
    return heights


class _Description:
    """One expression as a shape and what its leaves are."""

    def __init__(self, cut: Expressions, root: int):
        self._cut, self._root = cut, root
        self._steps: list[Any] = []
        self._leaves: list[Any] = []
        self._known: dict[int, Any] = {}

    def described(self) -> tuple[Shape, list[Any]]:
        """Both."""
        cut, root = self._cut, self._root
        statement = cut.statements[root]
        if statement.operation == "store":
            result = self._operand(cut.named[root][1], statement.operands[1])
        elif statement.operation == "load":
            result = self._leaf(("row", statement.operands[0]))
        else:
            result = self._computed(root)
        return Shape(tuple(self._steps), result), self._leaves

    def _leaf(self, leaf: Leaf, name: str = "leaf") -> Any:
        self._leaves.append(leaf)
        return (name, len(self._leaves) - 1)

    def _operand(self, named: int | None, constant: Any) -> Any:
        if named is None:
            if kind(constant) == "number":
                return self._leaf(("number", constant), "number")
            return ("literal", constant)
        if named not in self._known:
            self._known[named] = self._named(named)
        return self._known[named]

    def _named(self, i: int) -> Any:
        cut = self._cut
        if i in cut.roots:
            return self._leaf(("kept", i), "truth" if i in cut.truths else "leaf")
        statement = cut.statements[i]
        if statement.operation == "load":
            return self._leaf(("row", statement.operands[0]))
        if statement.operation == "setting":
            return ("setting", statement.operands[0].name)
        return self._computed(i)

    def _computed(self, i: int) -> Any:
        if i in self._cut.chains:
            return self._chain(i)
        statement = self._cut.statements[i]
        operands = tuple(map(self._operand, self._cut.named[i], statement.operands))
        self._steps.append((statement.operation, *operands))
        return ("step", len(self._steps) - 1)

    def _chain(self, end: int) -> Any:
        cut, length = self._cut, self._cut.chains[end]
        links = [end]
        for _ in range(length - 1):
            links.append(cut.named[links[-1]][0])  # type: ignore[arg-type]
        links.reverse()
        first = cut.statements[links[0]]
        result = self._operand(cut.named[links[0]][0], first.operands[0])
        described = [(*_Description(cut, link).term(), link) for link in links]
        for shape, run in groupby(described, lambda term: term[0]):
            columns = list(zip(*(leaves for _, leaves, _ in run)))
            length = len(columns[0]) if columns else 0
            place = len(self._leaves)
            self._leaves += [("series", column) for column in columns]
            self._steps.append(Chain(first.operation, length, result, place, len(columns), shape))
            result = ("step", len(self._steps) - 1)
        return result

    def term(self) -> tuple[Shape, list[Any]]:
        """The second operand of a link, described."""
        cut, link = self._cut, self._root
        result = self._operand(cut.named[link][1], cut.statements[link].operands[1])
        return Shape(tuple(self._steps), result), self._leaves
