"""Numbers of many lanes while their code is written: to compute with them is to write LLVM.

Programs run once, on the values of this module, and every operation
leaves a vector instruction behind. So a statement costs little to compile, and that vectors come
out does not depend on what LLVM can prove of a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from llvmlite import ir

from odeflow.engines.native.program.table import ConstantTable

Kind = Literal["float64", "float32", "word", "mask"]

_TYPES: dict[Kind, ir.Type] = {
    "float64": ir.DoubleType(),
    "float32": ir.FloatType(),
    "word": ir.IntType(64),
    "mask": ir.IntType(1),
}
_FLOATS = ("float64", "float32")
#: Products and sums may fuse, and quotients by one divisor share its reciprocal. Other fast-math
#: flags assume that there is no NaN, or reorder sums, and bring nothing more.
_FLAGS = ("contract", "arcp")


class Writer:
    """Writes instructions for `ways` vectors of `width` lanes each; width 0 is one number.

    A step is a long chain of dependent operations, so that of a small state leaves the processor
    waiting: with two or three ways its instructions take turns.
    """

    #: LLVM's number of the memory that holds constants.
    global_space = 0

    def __init__(self, builder: ir.IRBuilder, real: Kind, width: int, ways: int):
        self.builder = builder
        self.real: Kind = real
        self.width = width
        self.ways = ways
        self.flags: tuple[str, ...] = _FLAGS

    def type(self, kind: Kind) -> ir.Type:
        """The type of one vector."""
        return ir.VectorType(_TYPES[kind], self.width) if self.width else _TYPES[kind]

    def constant(self, number: Any, kind: Kind) -> LaneValue:
        """The same number in every lane."""
        number = bool(number) if kind == "mask" else int(number) if kind == "word" else number
        if kind in _FLOATS:
            number = float(number)
        scalar = _TYPES[kind]
        vector = ir.Constant(scalar, number)
        if self.width:
            vector = ir.Constant(self.type(kind), [vector] * self.width)
        return LaneValue(self, kind, [vector] * self.ways)

    def lanes(self, number: Any, kind: Kind) -> LaneValue:
        """A value as it is; a number in every lane."""
        if not isinstance(number, LaneValue):
            return self.constant(number, kind)
        if number.kind != kind:
            raise TypeError(f"{number.kind} where {kind} is needed")
        return number

    def each(self, kind: Kind, write: Callable[..., Any], *values: LaneValue) -> LaneValue:
        """What `write` makes of each vector."""
        return LaneValue(self, kind, [write(*part) for part in zip(*(v.parts for v in values))])

    def function(self, name: str, *values: LaneValue) -> LaneValue:
        """An LLVM function of numbers, by its name without type."""
        kind = values[0].kind
        function_type = ir.FunctionType(self.type(kind), [self.type(kind)] * len(values))
        scalar = {"float64": "f64", "float32": "f32"}[kind]
        suffix = f"v{self.width}{scalar}" if self.width else scalar
        function = self.declared(f"llvm.{name}.{suffix}", function_type)
        return self.each(kind, lambda *x: self.builder.call(function, x), *values)

    def library(self, name: str, *values: LaneValue) -> LaneValue:
        """A function of C's library for float64, called lane by lane."""
        return self.each("float64", lambda *x: self._called(name, x), *values)

    def library_where(
        self, condition: LaneValue, name: str, value: LaneValue, other: LaneValue
    ) -> LaneValue:
        """A function of C's library of `value` where a condition holds, which is rare, else
        `other`; a vector none of whose lanes needs it goes on without.
        """
        builder = self.builder

        def choose(condition: ir.Value, x: ir.Value, other: ir.Value) -> ir.Value:
            before = builder.block
            with builder.if_then(self.some(condition), likely=False):
                chosen = builder.select(condition, self._called(name, (x,)), other)
                inside = builder.block
            result = builder.phi(self.type("float64"))
            result.add_incoming(other, before)
            result.add_incoming(chosen, inside)
            return result

        return self.each("float64", choose, condition, value, other)

    def some(self, condition: ir.Value) -> ir.Value:
        """Whether the condition of one vector holds in a lane of it."""
        if not self.width:
            return condition
        word, builder = ir.IntType(self.width), self.builder
        return builder.icmp_unsigned("!=", builder.bitcast(condition, word), word(0))

    def _called(self, name: str, vectors: Sequence[ir.Value]) -> ir.Value:
        double = _TYPES["float64"]
        function = self.declared(name, ir.FunctionType(double, [double] * len(vectors)))
        if not self.width:
            return self.builder.call(function, vectors)
        result = ir.Constant(self.type("float64"), ir.Undefined)
        for lane in map(ir.IntType(32), range(self.width)):
            numbers = [self.builder.extract_element(vector, lane) for vector in vectors]
            result = self.builder.insert_element(result, self.builder.call(function, numbers), lane)
        return result

    def entry(self, table: ConstantTable, place: LaneValue) -> LaneValue:
        """The numbers of a table at places, which are whole numbers of its range."""
        kind, builder = place.kind, self.builder
        word = self.type("word")
        start = self.everywhere(builder.ptrtoint(self._constants(table, kind), _TYPES["word"]))
        length = self.constant(table.values.itemsize, "word").parts[0]

        def read(vector: ir.Value) -> ir.Value:
            offset = builder.mul(builder.fptosi(vector, word), length)
            return self.read(builder.add(start, offset), table.values.itemsize)

        return self.each(kind, read, place)

    def read(self, address: Any, alignment: int) -> Any:
        """The numbers at the addresses of one vector."""
        pointers = self._pointers(address)
        if not self.width:
            return self.builder.load(pointers, align=alignment)
        return self._gathered(pointers, self.real, alignment)

    def write_where(self, condition: Any, address: Any, vector: Any, alignment: int) -> None:
        """Stores the numbers of one vector at addresses, where a condition holds."""
        builder, pointers = self.builder, self._pointers(address)
        if not self.width:
            with builder.if_then(condition):
                builder.store(vector, pointers, align=alignment)
            return
        scalar = {"float64": "f64", "float32": "f32"}[self.real]
        given: Any = [vector, pointers, ir.IntType(32)(alignment), condition]
        kinds = ir.FunctionType(ir.VoidType(), [x.type for x in given])
        name = f"llvm.masked.scatter.v{self.width}{scalar}.v{self.width}p0"
        builder.call(self.declared(name, kinds), given)

    def _pointers(self, address: Any) -> Any:
        number = _TYPES[self.real].as_pointer()
        return self.builder.inttoptr(
            address, ir.VectorType(number, self.width) if self.width else number
        )

    def broadcast(self, values: np.ndarray, place: ir.Value) -> LaneValue:
        """The number of an array of constants at a place, the same in every lane."""
        builder, kind = self.builder, self.real
        table = ConstantTable(values.astype(kind))
        first = builder.bitcast(self._constants(table, kind), _TYPES[kind].as_pointer())
        number = builder.load(builder.gep(first, [place], inbounds=True))
        return LaneValue(self, kind, [self.everywhere(number)] * self.ways)

    def everywhere(self, scalar: Any) -> Any:
        """A scalar in every lane of one vector."""
        if not self.width:
            return scalar
        empty = ir.Constant(ir.VectorType(scalar.type, self.width), ir.Undefined)
        one = self.builder.insert_element(empty, scalar, ir.IntType(32)(0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.width), [0] * self.width)
        return self.builder.shuffle_vector(one, empty, mask)

    def _gathered(self, pointers: Any, kind: Kind, alignment: int) -> ir.Value:
        """The numbers that a vector of pointers leads to."""
        vector, scalar = self.type(kind), {"float64": "f64", "float32": "f32"}[kind]
        every = ir.Constant(self.type("mask"), [True] * self.width)
        given: Any = [pointers, ir.IntType(32)(alignment), every, vector(ir.Undefined)]
        shape = f"v{self.width}{scalar}.v{self.width}p0"
        kinds = ir.FunctionType(vector, [x.type for x in given])
        return self.builder.call(self.declared(f"llvm.masked.gather.{shape}", kinds), given)

    def _constants(self, table: ConstantTable, kind: Kind) -> Any:
        """Pointer to the first number of a table, which a module has once."""
        module = self.builder.module
        known: Any = module.globals.get(table.name)
        if known is None:
            # as bytes: a hundred thousand numbers are seconds of text
            numbers = table.values.astype(table.values.dtype.newbyteorder("<"))
            array = ir.ArrayType(ir.IntType(8), numbers.nbytes)
            known = ir.GlobalVariable(module, array, table.name, self.global_space)
            known.initializer = ir.Constant(array, bytearray(numbers.tobytes()))
            known.align = numbers.itemsize
            known.linkage, known.global_constant = "internal", True
        zero = ir.IntType(32)(0)
        first = self.builder.gep(known, [zero, zero], inbounds=True)
        if not self.global_space:
            return first
        return self.builder.addrspacecast(first, _TYPES[kind].as_pointer())

    def negative(self, value: LaneValue) -> LaneValue:
        """The number with the other sign."""
        return self.each(value.kind, self.builder.fneg, value)

    def declared(self, name: str, function_type: ir.FunctionType) -> ir.Function:
        """A function from elsewhere."""
        known = self.builder.module.globals.get(name)
        return known or ir.Function(self.builder.module, function_type, name)

    @contextmanager
    def settings(self, real: Kind, flags: Sequence[str]) -> Iterator[None]:
        """Writes with another precision of literals and other flags for a while."""
        before = self.real, self.flags
        self.real, self.flags = real, tuple(flags)
        try:
            yield
        finally:
            self.real, self.flags = before


def _arithmetic(name: str) -> Any:
    """An operation of floating-point numbers (f...) or words."""

    def apply(self: LaneValue, other: Any) -> LaneValue:
        writer, builder = self.writer, self.writer.builder
        other = writer.lanes(other, self.kind)
        if self.kind in _FLOATS:
            method, flags = getattr(builder, f"f{name}"), writer.flags
            return writer.each(self.kind, lambda a, b: method(a, b, flags=flags), self, other)
        return writer.each(self.kind, getattr(builder, name), self, other)

    return apply


def _reversed(operation: Any) -> Any:
    return lambda self, other: operation(self.writer.lanes(other, self.kind), self)


def _comparison(sign: str) -> Any:
    def apply(self: LaneValue, other: Any) -> LaneValue:
        writer, builder = self.writer, self.writer.builder
        other = writer.lanes(other, self.kind)
        if self.kind in _FLOATS:
            # NaN differs from all, and is otherwise not ordered with anything
            compare = builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered
        else:
            compare = builder.icmp_unsigned
        return writer.each("mask", lambda a, b: compare(sign, a, b), self, other)

    return apply


def _bitwise(name: str) -> Any:
    def apply(self: LaneValue, other: Any) -> LaneValue:
        other = self.writer.lanes(other, self.kind)
        return self.writer.each(self.kind, getattr(self.writer.builder, name), self, other)

    return apply


class LaneValue:
    """A number, a word of 64 bits or a truth value of every lane.

    Numbers of Python beside it take its precision.
    """

    __slots__ = ("kind", "parts", "writer")
    __array_ufunc__ = None  # a NumPy scalar leaves an operation to this class
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, writer: Writer, kind: Kind, parts: Sequence[ir.Value]):
        self.writer = writer
        self.kind: Kind = kind
        self.parts = parts

    def __bool__(self) -> bool:
        raise TypeError("lanes differ: use select(condition, a, b)")

    __add__ = _arithmetic("add")
    __sub__ = _arithmetic("sub")
    __mul__ = _arithmetic("mul")
    __truediv__ = _arithmetic("div")
    __radd__ = _reversed(__add__)
    __rsub__ = _reversed(__sub__)
    __rmul__ = _reversed(__mul__)
    __rtruediv__ = _reversed(__truediv__)
    __lt__ = _comparison("<")
    __le__ = _comparison("<=")
    __gt__ = _comparison(">")
    __ge__ = _comparison(">=")
    __eq__ = _comparison("==")
    __ne__ = _comparison("!=")
    __and__ = __rand__ = _bitwise("and_")
    __or__ = __ror__ = _bitwise("or_")
    __xor__ = __rxor__ = _bitwise("xor")
    __lshift__ = _bitwise("shl")
    __rshift__ = _bitwise("lshr")

    def __invert__(self) -> LaneValue:
        return self.writer.each(self.kind, self.writer.builder.not_, self)

    def __neg__(self) -> LaneValue:
        return self.writer.negative(self)

    def __abs__(self) -> LaneValue:
        return self.writer.function("fabs", self)
