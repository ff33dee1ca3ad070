"""The functions of a generated module as machine code, for Numba to call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from odeflow.engines.native.targets.lane_values import LaneValue, Writer
from odeflow.engines.native.targets.layout import Layout

_WORD = ir.IntType(64)
#: That of one number: a buffer may begin anywhere, and where it is aligned this costs nothing.
_ALIGNMENT = 4


class Rows:
    """The rows of the buffer as attributes: reading one loads it, setting one stores it.

    `rows["BLOCK", i]` is row i of a block; i may be an LLVM integer.
    """

    if TYPE_CHECKING:
        _writer: Writer
        _layout: Layout
        _pointer: ir.Value

    def __init__(self, writer: Writer, layout: Layout, pointer: ir.Value):
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

    def _pointers(self, block: str, index: Any) -> list[ir.Value]:
        """Of each vector of a row."""
        writer, builder, layout = self._writer, self.builder, self._layout
        first = self._pointer
        if not isinstance(index, int):
            offset = builder.mul(index, ir.Constant(_WORD, layout.lanes))
            first, index = builder.gep(first, [offset], inbounds=True), 0
        pointers = []
        for way in range(writer.ways):
            place = layout.place(block) + index * layout.lanes + way * writer.width
            pointer = builder.gep(first, [ir.Constant(_WORD, place)], inbounds=True)
            pointers.append(builder.bitcast(pointer, writer.type(writer.real).as_pointer()))
        return pointers


class _Settings:
    """The settings as attributes, the same in every lane."""

    def __init__(self, writer: Writer, layout: Layout, pointer: ir.Value):
        self._writer, self._layout, self._pointer = writer, layout, pointer

    def __getattr__(self, name: str) -> LaneValue:
        writer, builder = self._writer, self._writer.builder
        place = ir.Constant(_WORD, self._layout.settings.index(name))
        vector = builder.load(builder.gep(self._pointer, [place], inbounds=True))
        if writer.width:
            empty = ir.Constant(writer.type(writer.real), ir.Undefined)
            first = ir.Constant(ir.IntType(32), 0)
            one = builder.insert_element(empty, vector, first)
            mask = ir.Constant(ir.VectorType(ir.IntType(32), writer.width), [0] * writer.width)
            vector = builder.shuffle_vector(one, empty, mask)
        return LaneValue(writer, writer.real, [vector] * writer.ways)


class Target(NamedTuple):
    """What code is written for: Numba's decorator of intrinsics, the writer, LLVM's attributes."""

    intrinsic: Callable[[Callable[..., Any]], Any]
    writer: type[Writer]
    attributes: tuple[str, ...]


PROCESSOR = Target(intrinsic, Writer, ("noinline", "nounwind"))


def lanes_of(
    layout: Layout, number: str, target: Target = PROCESSOR
) -> Callable[[Callable[..., Any]], Any]:
    """A function of `(rows, settings)` for `all` lanes, a `vector` of them or `one`.

    It is called with the number of the first lane as well. It returns 0, or the 64-bit integer
    that the function decorated returns.
    """
    numbers = {"all": (layout.width, layout.ways), "vector": (layout.width, 1), "one": (0, 1)}
    return lambda function: _compiled(function, layout, *numbers[number], target)


@intrinsic
def lowest_bit(typing: Any, word: Any) -> Any:
    """The number of the lowest bit that is set in a 64-bit integer."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


def _compiled(
    function: Callable[..., Any], layout: Layout, width: int, ways: int, target: Target
) -> Any:
    """The function as an intrinsic of Numba, `(rows, settings, first lane)`."""

    def called(typing: Any, rows: Any, settings: Any, lane: Any) -> Any:
        # `lane` is a 64-bit integer, and so is the result: types of the target's own Numba
        def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
            arrays = (
                context.make_array(kind)(context, builder, value).data
                for kind, value in zip(signature.args[:2], args)
            )
            written = _written(builder.module, function, layout, width, ways, target)
            return builder.call(written, [*arrays, args[2]])

        return lane(rows, settings, lane), generate

    called.__name__ = function.__name__
    return target.intrinsic(called)


def _written(
    module: ir.Module,
    function: Callable[..., Any],
    layout: Layout,
    width: int,
    ways: int,
    target: Target,
) -> ir.Function:
    """The function's own LLVM function in a module."""
    name = f"odeflow_{function.__name__}"
    if name in module.globals:
        return module.globals[name]
    real = ir.DoubleType() if layout.real == "float64" else ir.FloatType()
    pointer = real.as_pointer()
    written = ir.Function(module, ir.FunctionType(_WORD, [pointer, pointer, _WORD]), name)
    written.linkage = "internal"
    for attribute in target.attributes:
        written.attributes.add(attribute)
    rows, settings, lane = written.args
    builder = ir.IRBuilder(written.append_basic_block("entry"))
    writer = target.writer(builder, layout.real, width, ways)
    rows = builder.gep(rows, [lane], inbounds=True)
    result = function(Rows(writer, layout, rows), _Settings(writer, layout, settings))
    builder.ret(ir.Constant(_WORD, 0) if result is None else result)
    return written
