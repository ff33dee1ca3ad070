"""What the statements of a lane may call beside operators: selections, rounding, bits."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from llvmlite import ir

from odeflow.engines.native.program.table import ConstantTable
from odeflow.engines.native.targets.lane_values import Kind, LaneValue, Writer


def _writer(*values: Any) -> Writer | None:
    return next((value.writer for value in values if isinstance(value, LaneValue)), None)


def _kind(writer: Writer, *values: Any) -> Kind:
    """The kind of the values among them; that of literals where there is none."""
    for value in values:
        if isinstance(value, LaneValue):
            return value.kind
    return writer.real


def select(condition: Any, one: Any, other: Any) -> Any:
    """`one` where the condition holds, else `other`; both are evaluated."""
    if not isinstance(condition, LaneValue):
        return one if condition else other
    writer = condition.writer
    kind: Kind = _kind(writer, one, other)
    if isinstance(one, bool) and isinstance(other, bool):
        kind = "mask"
    values = writer.lanes(one, kind), writer.lanes(other, kind)
    return writer.each(kind, writer.builder.select, condition, *values)


def maximum(a: Any, b: Any) -> Any:
    """The greater of two numbers; `b` where one of them is NaN."""
    return select(a > b, a, b)


def in_lanes(x: Any, like: Any) -> Any:
    """A number in every lane of another value; a value of lanes as it is."""
    return like.writer.lanes(x, like.kind) if isinstance(like, LaneValue) else x


def isfinite(x: LaneValue) -> LaneValue:
    """Whether a number is neither infinite nor NaN."""
    return abs(x) < math.inf


def fma(a: Any, b: Any, c: Any) -> LaneValue:
    """The number a b + c, rounded once."""
    writer = _writer(a, b, c)
    assert writer is not None
    kind = _kind(writer, a, b, c)
    return writer.function("fma", *(writer.lanes(x, kind) for x in (a, b, c)))


def bits(x: LaneValue) -> LaneValue:
    """The 64 bits of a float64, as a word."""
    writer = x.writer
    return writer.each("word", lambda a: writer.builder.bitcast(a, writer.type("word")), x)


def from_bits(word: LaneValue) -> LaneValue:
    """The float64 of 64 bits."""
    writer = word.writer
    return writer.each("float64", lambda a: writer.builder.bitcast(a, writer.type("float64")), word)


def mask(condition: LaneValue) -> ir.Value:
    """A 64-bit integer with a bit for each lane, that of lane 0 lowest."""
    writer, builder, word = condition.writer, condition.writer.builder, ir.IntType(64)
    total: Any = ir.Constant(word, 0)
    for way, part in enumerate(condition.parts):
        vector = builder.bitcast(part, ir.IntType(writer.width)) if writer.width else part
        vector = builder.zext(vector, word)
        place = ir.Constant(word, way * writer.width)
        total = builder.or_(total, builder.shl(vector, place))
    return total


def _llvm(name: str, doc: str) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        return x.writer.function(name, x) if isinstance(x, LaneValue) else getattr(np, name)(x)

    function.__name__, function.__doc__ = name, doc
    return function


sqrt = _llvm("sqrt", "Square root; NaN below zero.")
floor = _llvm("floor", "The greatest integer that is not greater.")
ceil = _llvm("ceil", "The least integer that is not less.")
trunc = _llvm("trunc", "The integer part, towards zero.")
rint = _llvm("rint", "The nearest integer, even ones of two.")


def entry(table: ConstantTable, place: LaneValue) -> LaneValue:
    """The number of a table at a place, a whole number of its range."""
    return place.writer.entry(table, place)


def in_double(flags: tuple[str, ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A function that computes in float64 whatever it is given, with these fast-math flags.

    What it returns has the precision of its argument.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapped(*values: Any) -> Any:
            writer = _writer(*values)
            assert writer is not None
            kind = _kind(writer, *values)
            with writer.settings("float64", flags):
                result = function(*(_converted(x, "float64") for x in values))
            return _converted(result, kind) if isinstance(result, LaneValue) else result

        return wrapped

    return decorate


def _converted(x: Any, kind: Kind) -> Any:
    """A floating-point value in another precision; anything else as it is."""
    if not isinstance(x, LaneValue) or {x.kind, kind} != {"float64", "float32"}:
        return x
    writer, builder = x.writer, x.writer.builder
    convert = builder.fpext if kind == "float64" else builder.fptrunc
    return writer.each(kind, lambda a: convert(a, writer.type(kind)), x)


def library(name: str) -> Callable[..., LaneValue]:
    """A function of C's library, called lane by lane."""

    @in_double(())
    def function(*values: Any) -> LaneValue:
        writer = _writer(*values)
        assert writer is not None
        return writer.library(name, *(writer.lanes(x, "float64") for x in values))

    function.__name__ = name
    return function


acos, asin, acosh, asinh, atanh, erf, erfc, lgamma = map(
    library, ("acos", "asin", "acosh", "asinh", "atanh", "erf", "erfc", "lgamma")
)
atan2, fmod = library("atan2"), library("fmod")
