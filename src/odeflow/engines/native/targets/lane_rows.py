"""The rows of the lanes' buffer, and the settings, while the code of a program is written."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

from llvmlite import ir

from odeflow.engines.native.targets.lane_values import LaneValue, Writer
from odeflow.engines.native.targets.layout import BufferLayout

_WORD = ir.IntType(64)
#: That of one number: a buffer may begin anywhere, and where it is aligned this costs nothing.
_ALIGNMENT = 4


class Rows:
    """The rows of the buffer as attributes: reading one loads it, setting one stores it.

    `rows["GROUP", i]` is row i of a group; i may be an LLVM integer.
    """

    if TYPE_CHECKING:
        _writer: Writer
        _layout: BufferLayout
        _pointer: ir.Value
        _branches: list[Any]

    def __init__(self, writer: Writer, layout: BufferLayout, pointer: ir.Value):
        vars(self).update(_writer=writer, _layout=layout, _pointer=pointer, _branches=[])

    @property
    def builder(self) -> Any:
        """What writes the instructions."""
        return self._writer.builder

    @property
    def writer(self) -> Writer:
        """What they are written for."""
        return self._writer

    @property
    def first(self) -> str:
        """The first row, from which `number` counts."""
        return self._layout.rows[0]

    def number(self, group: str, index: int = 0) -> int:
        """The number of a row among all."""
        return self._layout.place(group) // self._layout.lanes + index

    def written_apart(self, name: str, write: Callable[[Rows], None]) -> None:
        """Calls a function that a module has once, whose code `write` writes, with these rows."""
        writer, builder = self._writer, self.builder
        known = builder.module.globals.get(name)
        if known is None:
            pointer: Any = self._pointer
            kind = ir.FunctionType(ir.VoidType(), [pointer.type])
            known = ir.Function(builder.module, kind, name)
            known.linkage = "internal"
            for attribute in ("noinline", "nounwind"):
                known.attributes.add(attribute)
            inside = ir.IRBuilder(known.append_basic_block("entry"))
            other = type(writer)(inside, writer.real, writer.width, writer.ways)
            write(Rows(other, self._layout, known.args[0]))
            inside.ret_void()
        builder.call(known, [self._pointer])

    def __getattr__(self, row: str) -> LaneValue:
        return self[row, 0]

    def __setattr__(self, row: str, value: Any) -> None:
        self[row, 0] = value

    def __getitem__(self, place: tuple[str, Any]) -> LaneValue:
        load, writer = self.builder.load, self._writer
        parts = [load(pointer, align=_ALIGNMENT) for pointer in self._pointers(*place)]
        return LaneValue(writer, writer.real, parts)

    def __setitem__(self, place: tuple[str, Any], value: Any) -> None:
        parts = self._writer.lanes(value, self._writer.real).parts
        for pointer, part in zip(self._pointers(*place), parts):
            self.builder.store(part, pointer, align=_ALIGNMENT)

    def gathered(self, group: str, place: LaneValue) -> LaneValue:
        """Of each lane the row at its own place in a group, a whole number."""
        writer = self._writer
        addresses = self._addresses(group, place)
        return LaneValue(writer, writer.real, [writer.read(x, _ALIGNMENT) for x in addresses])

    def scatter(self, group: str, place: LaneValue, value: Any, where: Any) -> None:
        """Stores such rows where a condition holds."""
        writer = self._writer
        parts = writer.lanes(value, writer.real).parts, writer.lanes(where, "mask").parts
        for address, part, condition in zip(self._addresses(group, place), *parts):
            writer.write_where(condition, address, part, _ALIGNMENT)

    def _addresses(self, group: str, place: LaneValue) -> list[Any]:
        """Of each vector of rows that lanes choose."""
        writer, builder, layout = self._writer, self.builder, self._layout
        size = 8 if writer.real == "float64" else 4
        first = writer.everywhere(builder.ptrtoint(self._pointer, _WORD))
        addresses = []
        for way, part in enumerate(place.parts):
            start = layout.place(group) + way * writer.width
            word = writer.type("word")
            lanes = [start + i for i in range(writer.width)] if writer.width else start
            index = builder.mul(
                builder.fptosi(part, word), writer.constant(layout.lanes, "word").parts[0]
            )
            index = builder.add(index, ir.Constant(word, lanes))
            offset = builder.mul(index, writer.constant(size, "word").parts[0])
            addresses.append(builder.add(first, offset))
        return addresses

    def open(self, mask: LaneValue) -> None:
        """Writes what follows, up to `close`, where a mask may not hold in any lane."""
        writer, builder = self._writer, self.builder
        holds = reduce(builder.or_, map(writer.some, mask.parts))
        branch = builder.if_then(holds, likely=False)
        branch.__enter__()
        self._branches.append(branch)

    def close(self) -> None:
        """Ends the innermost branch."""
        self._branches.pop().__exit__(None, None, None)

    def _pointers(self, group: str, index: Any) -> list[ir.Value]:
        """Of each vector of a row."""
        writer, builder, layout = self._writer, self.builder, self._layout
        first = self._pointer
        if not isinstance(index, int):
            offset = builder.mul(index, ir.Constant(_WORD, layout.lanes))
            first, index = builder.gep(first, [offset], inbounds=True), 0
        pointers = []
        for way in range(writer.ways):
            place = layout.place(group) + index * layout.lanes + way * writer.width
            pointer = builder.gep(first, [ir.Constant(_WORD, place)], inbounds=True)
            pointers.append(builder.bitcast(pointer, writer.type(writer.real).as_pointer()))
        return pointers


class LaneSettings:
    """The settings as attributes, the same in every lane."""

    def __init__(self, writer: Writer, layout: BufferLayout, pointer: ir.Value):
        self._writer, self._layout, self._pointer = writer, layout, pointer

    def __getattr__(self, name: str) -> LaneValue:
        writer, builder = self._writer, self._writer.builder
        place = ir.Constant(_WORD, self._layout.settings.index(name))
        number = builder.load(builder.gep(self._pointer, [place], inbounds=True))
        vector = writer.everywhere(number)
        return LaneValue(writer, writer.real, [vector] * writer.ways)
