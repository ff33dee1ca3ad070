"""Loops in the code of a lane: their bodies are written once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from odeflow.engines.native.targets.lane_values import Kind, LaneValue

_WORD = ir.IntType(64)
_INDEX = ir.IntType(32)


def number(value: int) -> ir.Constant:
    """An integer that is known when the code is written."""
    return ir.Constant(_WORD, value)


def loop(builder: Any, start: Any, stop: Any) -> Iterator[Any]:
    """Writes what the body of a `for` writes, once, as the body of a loop over integers."""
    first, last = (number(x) if isinstance(x, int) else x for x in (start, stop))
    before = builder.block
    test, body, after = map(builder.append_basic_block, ("loop", "body", "after"))
    builder.branch(test)
    builder.position_at_end(test)
    index = builder.phi(_WORD)
    index.add_incoming(first, before)
    builder.cbranch(builder.icmp_signed("<", index, last), body, after)
    builder.position_at_end(body)
    yield index
    index.add_incoming(builder.add(index, number(1)), builder.block)
    builder.branch(test)
    builder.position_at_end(after)


class Table:
    """Integers that are known when the code is written, by an index that is not."""

    def __init__(self, builder: Any, values: Sequence[int] | np.ndarray):
        self._builder = builder
        data = np.asarray(values, "<i4")
        # as bytes: a hundred thousand numbers are seconds of text
        kind = ir.ArrayType(ir.IntType(8), max(data.nbytes, 4))
        name = f"odeflow_table_{hashlib.sha256(data.tobytes()).hexdigest()[:24]}"
        known: Any = builder.module.globals.get(name)
        if known is None:
            known = ir.GlobalVariable(builder.module, kind, name)
            known.linkage, known.global_constant = "internal", True
            known.align = 4
            known.initializer = ir.Constant(kind, bytearray(data.tobytes() or bytes(4)))
        self._place = builder.bitcast(known, _INDEX.as_pointer())

    def __getitem__(self, index: ir.Value) -> ir.Value:
        builder = self._builder
        place = builder.gep(self._place, [index], inbounds=True)
        return builder.zext(builder.load(place), _WORD)


class Sum:
    """A number of every lane that a loop changes."""

    def __init__(self, start: LaneValue):
        self._writer = start.writer
        self._kind: Kind = start.kind
        vector = self._writer.type(self._kind)
        with self._writer.builder.goto_entry_block():
            self._places = [self._writer.builder.alloca(vector) for _ in start.parts]
        self.set(start)

    def set(self, value: LaneValue) -> None:
        """Gives it another value."""
        for place, part in zip(self._places, value.parts):
            self._writer.builder.store(part, place)

    @property
    def value(self) -> LaneValue:
        """The number now."""
        parts = [self._writer.builder.load(place) for place in self._places]
        return LaneValue(self._writer, self._kind, parts)

    def subtract(self, value: LaneValue) -> None:
        """Takes a number from it."""
        self.set(self.value - value)
