"""What is kept of a vector of lanes, put where it belongs.

One lane in turn, a saved time costs a branch that is guessed wrong as often as not. So all lanes of
a vector move together, each to its own place, and those that are not due write to nobody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from llvmlite import ir

from odeflow.engines.native.targets.lane_loops import loop, number
from odeflow.engines.native.targets.lane_values import Writer
from odeflow.engines.native.targets.loop_values import WORD, Array, Scalar, Scalars

#: Numbers of a variable up to which lanes that are not due write too: a branch that is guessed
#: wrong costs about as much as eight writes.
_FEW = 8


class Kept(NamedTuple):
    """A variable's rows in the buffer: where the first begins, and how many there are."""

    place: int
    count: int


@dataclass(frozen=True)
class LaneSaving:
    """Moves what the lanes of a vector have for their next times, and sets the times after these.

    `next_save` and `saved_until` are where these rows begin. A row has `lanes` numbers, a vector
    `width`.
    """

    next_save: int
    saved_until: int
    kept: Sequence[Kept]
    lanes: int
    width: int

    def write(
        self,
        scalars: Scalars,
        rows: Array,
        base: Any,
        values: Sequence[Array],
        place: Array,
        index: Array,
        ts: Array,
    ) -> Scalar:
        """A mask of those of the lanes from `base` on that have a further time due.

        `place` is the row of each lane among `values`, `index` the number of its next time in `ts`;
        both go on by one where a time is due.
        """
        vectors = _Vectors(scalars, self.width, scalars.to("int", base))
        builder = scalars.builder
        until = vectors.read(vectors.pointer(rows, self.saved_until))
        next_save = vectors.pointer(rows, self.next_save)
        places, indices = vectors.pointer(place), vectors.pointer(index)
        where = vectors.read(places)
        now = vectors.read(next_save)
        due = builder.fcmp_ordered("<=", now, until)
        for array, kept in zip(values, self.kept, strict=True):
            self._move(vectors, rows, array, kept, where, due)
        advance = builder.zext(due, vectors.words)
        vectors.put(places, builder.add(where, advance))
        following = builder.add(vectors.read(indices), advance)
        vectors.put(indices, following)
        # the end of a lane may be a time of its own, which is not in `ts`
        time = builder.select(due, vectors.looked_up(ts, following), now)
        vectors.put(next_save, time)
        mask = builder.bitcast(builder.fcmp_ordered("<=", time, until), ir.IntType(self.width))
        return Scalar("int", builder.zext(mask, WORD))

    def _move(
        self, vectors: _Vectors, rows: Array, array: Array, kept: Kept, where: Any, due: Any
    ) -> None:
        """Copies a variable's rows of the buffer to the places of the lanes that are due."""
        builder, count = vectors.builder, kept.count
        there = vectors.addresses(array, where, count)
        if count > _FEW:
            for lane in range(self.width):
                with builder.if_then(vectors.lane(due, lane)):
                    target = vectors.as_pointer(there, lane)
                    for i in loop(builder, 0, count):
                        offset = builder.mul(i, number(self.lanes))
                        row = vectors.pointer(rows, kept.place + lane, offset, scalar=True)
                        builder.store(builder.load(row), builder.gep(target, [i], inbounds=True))
            return
        with builder.goto_entry_block():
            nowhere = builder.alloca(vectors.real, count)
        # of addresses: LLVM makes a branch of a choice between two pointers
        there = builder.select(due, there, vectors.everywhere(builder.ptrtoint(nowhere, WORD)))
        targets = [vectors.as_pointer(there, lane) for lane in range(self.width)]
        for i in range(count):
            numbers = vectors.read(vectors.pointer(rows, kept.place + i * self.lanes))
            for lane, target in enumerate(targets):
                one = builder.gep(target, [number(i)], inbounds=True)
                builder.store(vectors.lane(numbers, lane), one)


class _Vectors:
    """Reads and writes vectors of lanes, the first of which is `first`."""

    def __init__(self, scalars: Scalars, width: int, first: ir.Value):
        self.builder, self.real = scalars.builder, scalars.real
        self._width, self._first = width, first
        self.words, self._numbers = ir.VectorType(WORD, width), ir.VectorType(scalars.real, width)
        kind = "float64" if scalars.real == ir.DoubleType() else "float32"
        self._size = {"float64": 8, "float32": 4}[kind]
        self.everywhere = Writer(self.builder, kind, width, 1).everywhere

    def pointer(
        self, array: Array, start: int = 0, offset: Any = None, scalar: bool = False
    ) -> Any:
        """To the lanes' numbers from `start` on, or to the first lane's."""
        place = self.builder.add(self._first, number(start))
        if offset is not None:
            place = self.builder.add(place, offset)
        pointer = self.builder.gep(array.pointer, [place], inbounds=True)
        kind = self.words if array.kind == "int" else self._numbers
        return pointer if scalar else self.builder.bitcast(pointer, kind.as_pointer())

    def read(self, pointer: Any) -> Any:
        """A vector from memory."""
        return self.builder.load(pointer, align=self._alignment(pointer))

    def put(self, pointer: Any, vector: Any) -> None:
        """Writes a vector to memory."""
        self.builder.store(vector, pointer, align=self._alignment(pointer))

    def _alignment(self, pointer: Any) -> int:
        return 8 if pointer.type.pointee == self.words else self._size

    def lane(self, vector: Any, lane: int) -> Any:
        """That of one lane."""
        return self.builder.extract_element(vector, ir.IntType(32)(lane))

    def addresses(self, array: Array, rows: Any, columns: int) -> Any:
        """Where rows of an array begin, as integers."""
        length = ir.Constant(self.words, [self._size * columns] * self._width)
        start = self.everywhere(self.builder.ptrtoint(array.pointer, WORD))
        return self.builder.add(start, self.builder.mul(rows, length))

    def as_pointer(self, addresses: Any, lane: int) -> Any:
        """The address of one lane as a pointer to numbers."""
        return self.builder.inttoptr(self.lane(addresses, lane), self.real.as_pointer())

    def looked_up(self, array: Array, indices: Any) -> Any:
        """The numbers of an array at indices."""
        found: Any = ir.Constant(self._numbers, ir.Undefined)
        for lane in range(self._width):
            one = self.builder.gep(array.pointer, [self.lane(indices, lane)], inbounds=True)
            found = self.builder.insert_element(found, self.builder.load(one), ir.IntType(32)(lane))
        return found
