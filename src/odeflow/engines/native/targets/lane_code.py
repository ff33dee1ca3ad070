"""Functions written for lanes: vectors of numbers in the rows of a buffer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llvmlite import ir

from odeflow.engines.native.program.lane_program import LaneProgram
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

    def __init__(self, writer: Writer, layout: BufferLayout, pointer: ir.Value):
        vars(self).update(_writer=writer, _layout=layout, _pointer=pointer)

    @property
    def builder(self) -> Any:
        """What writes the instructions."""
        return self._writer.builder

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


class _Settings:
    """The settings as attributes, the same in every lane."""

    def __init__(self, writer: Writer, layout: BufferLayout, pointer: ir.Value):
        self._writer, self._layout, self._pointer = writer, layout, pointer

    def __getattr__(self, name: str) -> LaneValue:
        writer, builder = self._writer, self._writer.builder
        place = ir.Constant(_WORD, self._layout.settings.index(name))
        number = builder.load(builder.gep(self._pointer, [place], inbounds=True))
        vector = writer.everywhere(number)
        return LaneValue(writer, writer.real, [vector] * writer.ways)


@dataclass(frozen=True)
class LaneFunction:
    """A function of `(rows, settings)` that writes code for `ways` vectors of `width` lanes.

    Width 0 is one lane. It returns None or an integer of LLVM. `writer` and LLVM's `attributes` are
    the target's.
    """

    function: Callable[..., Any]
    layout: BufferLayout
    width: int
    ways: int
    writer: type[Writer] = Writer
    attributes: tuple[str, ...] = ("noinline", "nounwind")

    def written(self, module: ir.Module) -> ir.Function:
        """The function in a module, where it is once.

        It takes pointers to rows and settings and the number of the first lane, a 64-bit integer,
        and returns one, 0 in the place of None.
        """
        name = f"odeflow_{self.function.__name__}"
        if name in module.globals:
            return module.globals[name]
        layout = self.layout
        real = ir.DoubleType() if layout.real == "float64" else ir.FloatType()
        pointer = real.as_pointer()
        written = ir.Function(module, ir.FunctionType(_WORD, [pointer, pointer, _WORD]), name)
        written.linkage = "internal"
        for attribute in self.attributes:
            written.attributes.add(attribute)
        rows, settings, lane = written.args
        builder = ir.IRBuilder(written.append_basic_block("entry"))
        writer = self.writer(builder, layout.real, self.width, self.ways)
        rows = builder.gep(rows, [lane], inbounds=True)
        result = self.function(Rows(writer, layout, rows), _Settings(writer, layout, settings))
        builder.ret(ir.Constant(_WORD, 0) if result is None else result)
        return written


def lane_function(
    program: LaneProgram, layout: BufferLayout, functions: Mapping[str, Callable[..., Any]]
) -> LaneFunction:
    """The function of a program; `functions` write its operations and calls."""

    def write(rows: Rows, settings: Any) -> Any:
        def called(name: Any, *data: Any) -> None:
            functions[name.name](rows, *data)

        def stored(row: Any, value: Any) -> None:
            rows[row] = value

        effects = {
            "gather": lambda group, place: rows.gathered(group.name, place),
            "ring_search": lambda group, *data: functions["ring_search"](rows, group.name, *data),
            "scatter": lambda group, *data: rows.scatter(group.name, *data),
            "load": rows.__getitem__,
            "setting": lambda setting: getattr(settings, setting.name),
            "store": stored,
            "call": called,
        }
        results = program.program.evaluate({}, {**functions, **effects})
        return functions["mask"](*results) if results else None

    width, ways = vectors_of(layout, program.lanes)
    write.__name__ = program.name
    return LaneFunction(write, layout, width, ways)


def vectors_of(layout: BufferLayout, number: str) -> tuple[int, int]:
    """The width of a vector, and how many there are, for `all` lanes, a `vector`, or `one`."""
    sizes = {"all": (layout.width, layout.ways), "vector": (layout.width, 1), "one": (0, 1)}
    return sizes[number]
