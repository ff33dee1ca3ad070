"""Code for one thread of a CUDA device: a lane of numbers, functions of NVIDIA's libdevice.

Programs of lanes are written as for the processor, by a writer whose width is 0.
Numba's simulator of CUDA runs Python and no LLVM: there they are machine code of the processor, the
same instructions with C's library in the place of libdevice.

References: NVIDIA, NVVM IR Specification; libdevice User's Guide.
"""

import ctypes
import ctypes.util
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit
from numba.extending import intrinsic

from odeflow.engines.native.program.lane_program import LaneProgram
from odeflow.engines.native.program.operations import OPERATIONS
from odeflow.engines.native.targets.lane_code import LaneFunction, lane_function
from odeflow.engines.native.targets.lane_values import LaneValue, Writer
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.engines.native.targets.runtime import LANE_CODE

#: Functions that statements may call, by the names that they have in libdevice and in C.
_ARITHMETIC = ("ceil", "fabs", "floor", "fma", "rint", "sqrt", "trunc")
#: By operation. On a device float64 may be a 64th as fast, so they keep the precision of their
#: arguments: the step control of a float32 problem must not be in float64.
LIBRARY = {name: x.device for name, x in OPERATIONS.items() if x.device is not None}


class DeviceWriter(Writer):
    """Writes for NVVM: an LLVM without C's library, older than the instruction `fneg`."""

    global_space = 1  # on a processor, whose LLVM the simulator takes, as good as any

    def function(self, name: str, *values: LaneValue) -> LaneValue:
        """A function of libdevice by the name that C has for float64."""
        kind = values[0].kind
        name = f"__nv_{name}" + ("f" if kind == "float32" else "")
        number = self.type(kind)
        function = self.declared(name, ir.FunctionType(number, [number] * len(values)))
        return self.each(kind, lambda *x: self.builder.call(function, x), *values)

    def negative(self, value: LaneValue) -> LaneValue:
        """The number with the other sign."""
        return self.constant(-0.0, value.kind) - value


def device_function(name: str) -> Callable[..., LaneValue]:
    """A function of libdevice in the precision of its arguments, for the statements of a lane."""

    def function(*values: Any) -> LaneValue:
        first = next(value for value in values if isinstance(value, LaneValue))
        writer, kind = first.writer, first.kind
        return writer.function(name, *(writer.lanes(value, kind) for value in values))

    function.__name__ = name
    return function


#: What writes each operation of a program for a device.
DEVICE_CODE: Mapping[str, Callable[..., Any]] = {
    **LANE_CODE,
    **{name: device_function(known) for name, known in LIBRARY.items()},
}


def device_lanes(program: LaneProgram, layout: BufferLayout) -> Any:
    """A program's function for a CUDA kernel; inlined, so that rows can become registers."""
    from numba.cuda.extending import intrinsic as device_intrinsic

    function = lane_function(program, layout, DEVICE_CODE)
    attributes = ("alwaysinline", "nounwind")
    return _intrinsic(
        replace(function, writer=DeviceWriter, attributes=attributes), device_intrinsic
    )


def simulated_lanes(program: LaneProgram, layout: BufferLayout) -> Callable[..., Any]:
    """As `device_lanes`, for Python to call with the arrays of the simulator."""
    _put_c_in_the_place_of_libdevice()
    function = lane_function(program, layout, DEVICE_CODE)
    code = _intrinsic(replace(function, writer=DeviceWriter), intrinsic)
    compiled = njit(lambda rows, settings, lane: code(rows, settings, lane))
    return lambda rows, settings, lane: compiled(rows, np.positive(settings), lane)


def _intrinsic(written: LaneFunction, intrinsic: Callable[..., Any]) -> Any:
    """The function as an intrinsic of a Numba, `(rows, settings, first lane)`."""

    def called(typing: Any, rows: Any, settings: Any, lane: Any) -> Any:
        # `lane` is a 64-bit integer, and so is the result: types of the target's own Numba
        def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
            arrays = (
                context.make_array(kind)(context, builder, value).data
                for kind, value in zip(signature.args[:2], args)
            )
            return builder.call(written.written(builder.module), [*arrays, args[2]])

        return lane(rows, settings, lane), generate

    called.__name__ = written.function.__name__
    return intrinsic(called)


@cache
def _put_c_in_the_place_of_libdevice() -> None:
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    for name in (*_ARITHMETIC, *LIBRARY.values()):
        for precise in (name, f"{name}f"):
            address = ctypes.cast(getattr(library, precise), ctypes.c_void_p).value
            llvm.add_symbol(f"__nv_{precise}", address)
