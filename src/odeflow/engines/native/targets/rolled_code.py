"""Programs of lanes that are loops: what repeats is written once, its places are in tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from odeflow.engines.native.program.rolled import (
    FEWEST,
    SCRATCH,
    CallPiece,
    Chain,
    Repeats,
    RolledProgram,
    Shape,
)
from odeflow.engines.native.targets.lane_loops import Table, loop, number
from odeflow.engines.native.targets.lane_rows import Rows
from odeflow.engines.native.targets.lane_values import LaneValue

#: Members of a group that go through their chains together: each of their operations has to wait
#: for the one before.
_TOGETHER = 4
Functions = Mapping[str, Callable[..., Any]]
#: Places of one leaf in all loops around it.
Index = tuple[Any, ...]


def write_rolled(program: RolledProgram, rows: Rows, settings: Any, functions: Functions) -> Any:
    """Writes a program; gives its output, or None."""
    writer = _Writer(program, rows, settings, functions)
    for piece in program.pieces:
        if isinstance(piece, CallPiece):
            functions[piece.name](rows, *piece.data)
        else:
            writer.group(piece)
    if program.output is None:
        return None
    return writer.truth(rows[SCRATCH, program.places[program.output]])


class _Writer:
    """Writes the groups of one program."""

    def __init__(self, program: RolledProgram, rows: Rows, settings: Any, functions: Functions):
        self._program, self._rows = program, rows
        self._settings, self._functions = settings, functions
        self._builder = rows.builder

    def truth(self, value: LaneValue) -> Any:
        """What a number in a scratch row says."""
        return value != 0.0

    def group(self, group: Repeats) -> None:
        """One group: a loop, unless it has few members."""
        leaves = [
            self._leaf([leaves[k] for leaves in group.leaves]) for k in range(len(group.leaves[0]))
        ]
        if group.targets:
            target = self._places(np.array([self._rows.number(*row) for row in group.targets]))
        else:
            first = self._rows.number(SCRATCH, group.place)
            target = self._places(first + np.arange(len(group)))
        count = len(group)
        if count < FEWEST:
            for member in range(count):
                self._write(group, leaves, target, [member])
            return
        together = _TOGETHER if any(isinstance(x, Chain) for x in group.shape.steps) else 1
        whole = count // together
        for turn in loop(self._builder, 0, whole):
            first = self._builder.mul(turn, number(together))
            members = [self._builder.add(first, number(k)) for k in range(together)]
            self._write(group, leaves, target, members)
        for member in range(whole * together, count):
            self._write(group, leaves, target, [member])

    def _write(
        self, group: Repeats, leaves: Sequence[Any], target: Any, members: Sequence[Any]
    ) -> None:
        indices = [(member,) for member in members]
        for index, value in zip(indices, self._shape(group.shape, leaves, indices)):
            if group.truth:
                value = self._functions["select"](value, 1.0, 0.0)
            self._rows[self._rows.first, target(index)] = value

    def _shape(self, shape: Shape, leaves: Sequence[Any], indices: Sequence[Index]) -> list[Any]:
        """The values of a shape at some indices, which take turns."""
        steps: list[list[Any]] = []
        known: dict[Any, list[Any]] = {}

        def operand(ref: Any) -> list[Any]:
            sort, data = ref
            if sort == "step":
                return steps[data]
            if ref not in known:
                if sort in ("leaf", "number", "truth"):
                    values = [leaves[data](index) for index in indices]
                    known[ref] = [self.truth(x) for x in values] if sort == "truth" else values
                elif sort == "setting":
                    known[ref] = [getattr(self._settings, data)] * len(indices)
                else:
                    known[ref] = [data] * len(indices)
            return known[ref]

        for step in shape.steps:
            if isinstance(step, Chain):
                inner = leaves[step.first : step.first + step.leaves]
                steps.append(self._chain(step, operand(step.start), inner, indices))
            else:
                operation, *refs = step
                columns = zip(*map(operand, refs))
                steps.append([self._functions[operation](*values) for values in columns])
        return operand(shape.result)

    def _chain(
        self, chain: Chain, start: list[Any], leaves: Sequence[Any], indices: Sequence[Index]
    ) -> list[Any]:
        """A loop over the terms."""
        function = self._functions[chain.operation]
        if chain.length < FEWEST:
            values = start
            for place in range(chain.length):
                terms = self._shape(chain.shape, leaves, [(*index, place) for index in indices])
                values = [function(x, term) for x, term in zip(values, terms)]
            return values
        builder, before, writer = self._builder, self._builder.block, self._rows.writer
        kind: Any = "mask" if chain.operation in ("and", "or") else writer.real
        start = [writer.lanes(x, kind) for x in start]
        sums: list[Any] = []
        for place in loop(builder, 0, chain.length):
            head = ir.IRBuilder(place.parent)
            head.position_at_start(place.parent)
            for value in start:
                parts = [head.phi(part.type) for part in value.parts]
                sums.append(LaneValue(writer, kind, parts))
            terms = self._shape(chain.shape, leaves, [(*index, place) for index in indices])
            for total, value, term in zip(sums, start, terms):
                following = function(total, term)
                for phi, first, part in zip(total.parts, value.parts, following.parts):
                    phi.add_incoming(first, before)
                    phi.add_incoming(part, builder.block)
        return sums

    def _leaf(self, column: Sequence[Any]) -> Callable[[Index], Any]:
        """A leaf of all members as a function of an index."""
        data, sort = _array(column, self._place)
        if sort == "number":
            return self._numbers(data)
        places = self._places(data)
        return lambda index: self._rows[self._rows.first, places(index)]

    def _place(self, leaf: Any) -> Any:
        sort, data = leaf
        if sort == "row":
            return self._rows.number(*data)
        if sort == "kept":
            return self._rows.number(SCRATCH, self._program.places[data])
        return data

    def _numbers(self, data: np.ndarray) -> Callable[[Index], Any]:
        """Constants by index."""
        flat = data.reshape(-1)
        if len(np.unique(flat.view(np.int64))) == 1:
            return lambda index: float(flat[0])
        offset = self._offset(data.shape)
        writer = self._rows.writer

        def value(index: Index) -> Any:
            if all(isinstance(x, int) for x in index):
                return float(data[index])
            return writer.broadcast(flat, offset(index))

        return value

    def _places(self, data: np.ndarray) -> Callable[[Index], Any]:
        """Numbers of rows by index, computed where they are in equal distances."""
        strides = [
            int(np.take(data, 1, axis).flat[0] - data.flat[0]) if size > 1 else 0
            for axis, size in enumerate(data.shape)
        ]
        grid = np.ogrid[tuple(map(slice, data.shape))]
        first = int(data.flat[0])
        is_even = np.array_equal(data, first + sum(s * g for s, g in zip(strides, grid)))
        builder, offset = self._builder, self._offset(data.shape)

        def place(index: Index) -> Any:
            if all(isinstance(x, int) for x in index):
                return int(data[index])
            if not is_even:
                return Table(builder, data.reshape(-1))[offset(index)]
            return _sum(builder, first, strides, index)

        return place

    def _offset(self, shape: tuple[int, ...]) -> Callable[[Index], Any]:
        strides = [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
        return lambda index: _sum(self._builder, 0, strides, index)


def _sum(builder: Any, first: int, strides: Sequence[int], index: Index) -> Any:
    """The integer `first` plus strides times indices."""
    total: Any = None
    for stride, x in zip(strides, index):
        if isinstance(x, int):
            first += stride * x
        elif stride:
            term = x if stride == 1 else builder.mul(x, number(stride))
            total = term if total is None else builder.add(total, term)
    if total is None:
        return number(first)
    return builder.add(total, number(first)) if first else total


def _array(column: Sequence[Any], place: Callable[[Any], Any]) -> tuple[np.ndarray, str]:
    """The leaves of a column, which may be series of leaves, as an array, and what they are."""
    if column[0][0] == "series":
        parts = [_array(leaf[1], place) for leaf in column]
        return np.stack([part for part, _ in parts]), parts[0][1]
    if column[0][0] == "number":
        return np.array([leaf[1] for leaf in column], np.float64), "number"
    return np.array([place(leaf) for leaf in column], np.int64), "place"
