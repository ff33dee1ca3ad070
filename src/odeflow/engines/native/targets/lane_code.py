"""Functions written for lanes: vectors of numbers in the rows of a buffer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from odeflow.engines.native.program.lane_program import LaneProgram
from odeflow.engines.native.program.rolled import RolledProgram
from odeflow.engines.native.targets.lane_rows import LaneSettings, Rows
from odeflow.engines.native.targets.lane_values import Writer
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.engines.native.targets.rolled_code import write_rolled

_WORD = ir.IntType(64)


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
        result = self.function(Rows(writer, layout, rows), LaneSettings(writer, layout, settings))
        builder.ret(ir.Constant(_WORD, 0) if result is None else result)
        return written


def lane_function(
    program: LaneProgram | RolledProgram,
    layout: BufferLayout,
    functions: Mapping[str, Callable[..., Any]],
) -> LaneFunction:
    """The function of a program; `functions` write its operations and calls."""

    def write_loops(rows: Rows, settings: Any) -> Any:
        assert isinstance(program, RolledProgram)
        result = write_rolled(program, rows, settings, functions)
        return None if result is None else functions["mask"](result)

    def write_out(rows: Rows, settings: Any) -> Any:
        assert isinstance(program, LaneProgram)

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
            "open": rows.open,
            "close": rows.close,
            "call": called,
        }
        results = program.program.evaluate({}, {**functions, **effects})
        return functions["mask"](*results) if results else None

    write = write_out if isinstance(program, LaneProgram) else write_loops
    width, ways = vectors_of(layout, program.lanes)
    write.__name__ = program.name
    return LaneFunction(write, layout, width, ways)


def vectors_of(layout: BufferLayout, number: str) -> tuple[int, int]:
    """The width of a vector, and how many there are, for `all` lanes, a `vector`, or `one`."""
    sizes = {"all": (layout.width, layout.ways), "vector": (layout.width, 1), "one": (0, 1)}
    return sizes[number]
