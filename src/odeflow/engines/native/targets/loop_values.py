"""What the loop around the lanes computes with: integers, numbers, truth values, arrays.

What is known when the code is written stays a value of Python: a constant of the module, an array's
place among the arguments, a tuple of arrays. So a branch on a constant is no branch.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from llvmlite import ir

Kind = Literal["int", "real", "bool"]

WORD = ir.IntType(64)
_BIT = ir.IntType(1)
#: Of operations on integers, numbers; both by the operator's name in `operator`.
_INTEGERS = {
    "add": "add", "sub": "sub", "mul": "mul", "and_": "and_", "or_": "or_", "xor": "xor",
    "lshift": "shl", "rshift": "ashr", "mod": "srem",
}  # fmt: skip
_NUMBERS = {"add": "fadd", "sub": "fsub", "mul": "fmul", "truediv": "fdiv"}
_SIGNS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


@dataclass(frozen=True)
class Scalar:
    """A scalar that is known when the code runs."""

    kind: Kind
    value: ir.Value


@dataclass(frozen=True)
class Array:
    """An array in memory, its rows one after another; `lengths` are integers of LLVM."""

    pointer: ir.Value
    kind: Kind
    lengths: Sequence[ir.Value]


class Cell:
    """A variable of the function: a place on its stack, which LLVM makes a register of."""

    def __init__(self, scalars: Scalars, kind: Kind):
        self.kind: Kind = kind
        builder = scalars.builder
        with builder.goto_entry_block():
            self.place = builder.alloca(scalars.type(kind))


class Scalars:
    """Writes operations on scalars; beside a number of the function, Python's take its kind."""

    def __init__(self, builder: Any, real: ir.Type):
        self.builder = builder
        self.real = real

    def type(self, kind: Kind) -> ir.Type:
        """The type of a kind."""
        return {"int": WORD, "real": self.real, "bool": _BIT}[kind]

    def kind(self, value: Any) -> Kind:
        """The kind of a number, or of a value of Python."""
        if isinstance(value, Scalar):
            return value.kind
        return "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "real"

    def to(self, kind: Kind, value: Any) -> ir.Value:
        """The value as an LLVM value of this kind; numbers become integers by leaving the rest."""
        if not isinstance(value, Scalar):
            python = {"int": int, "real": float, "bool": bool}[kind]
            return ir.Constant(self.type(kind), python(value))
        builder, target = self.builder, self.type(kind)
        match value.kind, kind:
            case before, after if before == after:
                return value.value
            case "int", "real":
                return builder.sitofp(value.value, target)
            case "bool", "real":
                return builder.uitofp(value.value, target)
            case "real", "int":
                return builder.fptosi(value.value, target)
            case "bool", "int":
                return builder.zext(value.value, target)
            case _:
                raise TypeError(f"{value.kind} where {kind} is needed")

    def binary(self, name: str, a: Any, b: Any) -> Any:
        """An operation of arithmetic, by its name in `operator`."""
        if not (isinstance(a, Scalar) or isinstance(b, Scalar)):
            return getattr(operator, name)(a, b)
        kinds = {self.kind(a), self.kind(b)}
        if kinds == {"bool"} and name in ("and_", "or_", "xor"):
            kind: Kind = "bool"
        else:
            kind = "real" if "real" in kinds or name == "truediv" else "int"
        write = getattr(self.builder, (_NUMBERS if kind == "real" else _INTEGERS)[name])
        return Scalar(kind, write(self.to(kind, a), self.to(kind, b)))

    def compare(self, name: str, a: Any, b: Any) -> Any:
        """A comparison by its name in `operator`; NaN differs from all numbers."""
        if not (isinstance(a, Scalar) or isinstance(b, Scalar)):
            return getattr(operator, name)(a, b)
        kind: Kind = "real" if "real" in (self.kind(a), self.kind(b)) else "int"
        builder, sign = self.builder, _SIGNS[name]
        if kind == "int":
            write = builder.icmp_signed
        else:
            write = builder.fcmp_unordered if name == "ne" else builder.fcmp_ordered
        return Scalar("bool", write(sign, self.to(kind, a), self.to(kind, b)))

    def negative(self, a: Any) -> Any:
        """The value with the other sign."""
        if not isinstance(a, Scalar):
            return -a
        write = self.builder.fneg if a.kind == "real" else self.builder.neg
        return Scalar(a.kind, write(a.value))

    def inverted(self, a: Any) -> Any:
        """The other truth value."""
        return Scalar("bool", self.builder.not_(a.value)) if isinstance(a, Scalar) else not a

    def chosen(self, condition: Any, a: Any, b: Any) -> Any:
        """One of two values, both of which are there."""
        if not isinstance(condition, Scalar):
            return a if condition else b
        kind: Kind = "real" if "real" in (self.kind(a), self.kind(b)) else self.kind(a)
        select = self.builder.select(condition.value, self.to(kind, a), self.to(kind, b))
        return Scalar(kind, select)

    def function(self, name: str, *values: Any) -> Scalar:
        """A function of numbers in LLVM (`llvm.`) or C's library, its type left out."""
        suffix = {"double": ".f64", "float": ".f32"} if name.startswith("llvm.") else {}
        c_suffix = {"double": "", "float": "f"}
        full = name + (suffix or c_suffix)[str(self.real)]
        module = self.builder.module
        known = module.globals.get(full)
        if known is None:
            known = ir.Function(module, ir.FunctionType(self.real, [self.real] * len(values)), full)
        return Scalar("real", self.builder.call(known, [self.to("real", x) for x in values]))


def place(scalars: Scalars, array: Array, index: Sequence[Any]) -> ir.Value:
    """Pointer to an element."""
    builder = scalars.builder
    offset: Any = scalars.to("int", index[0])
    for length, i in zip(array.lengths[1:], index[1:], strict=True):
        offset = builder.add(builder.mul(offset, length), scalars.to("int", i))
    return builder.gep(array.pointer, [offset], inbounds=True)


def _stored_type(array: Array) -> Any:
    """The type of an element in memory, which may be a shorter integer."""
    return array.pointer.type.pointee  # type: ignore[attr-defined]


def loaded(scalars: Scalars, array: Array, index: Sequence[Any]) -> Scalar:
    """An element."""
    value = scalars.builder.load(place(scalars, array, index))
    if array.kind == "int" and _stored_type(array) != WORD:
        value = scalars.builder.sext(value, WORD)
    return Scalar(array.kind, value)


def store(scalars: Scalars, array: Array, index: Sequence[Any], value: Any) -> None:
    """Changes an element."""
    given = scalars.to(array.kind, value)
    if array.kind == "int" and _stored_type(array) != WORD:
        given = scalars.builder.trunc(given, _stored_type(array))
    scalars.builder.store(given, place(scalars, array, index))
