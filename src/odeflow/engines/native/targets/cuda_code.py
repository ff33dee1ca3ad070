"""Code for one thread of a CUDA device: a lane of numbers, functions of NVIDIA's libdevice.

The functions of a generated module are written as for the processor, by a writer whose width is 0.
Numba's simulator of CUDA runs Python and no LLVM: there they are machine code of the processor, the
same instructions with C's library in the place of libdevice.

References: NVIDIA, NVVM IR Specification; libdevice User's Guide.
"""

import ctypes
import ctypes.util
from collections.abc import Callable
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit

from odeflow.engines.native.targets.lane_code import PROCESSOR, Target, lanes_of
from odeflow.engines.native.targets.lane_values import LaneValue, Writer
from odeflow.engines.native.targets.layout import Layout

#: Functions that statements may call, by the names that they have in libdevice and in C.
_ARITHMETIC = ("ceil", "fabs", "floor", "fma", "rint", "sqrt", "trunc")
#: By their names in generated modules. On a device float64 may be a 64th as fast, so they keep the
#: precision of their arguments: the step control of a float32 problem must not be in float64.
LIBRARY = {
    name: name
    for name in (
        "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "erf",
        "erfc", "exp", "exp2", "expm1", "fmod", "lgamma", "log", "log1p", "sin", "sinh", "tan",
        "tanh",
    )
} | {"power": "pow", "rough_exp": "exp", "rough_log": "log"}  # fmt: skip


class DeviceWriter(Writer):
    """Writes for NVVM: an LLVM without C's library, older than the instruction `fneg`."""

    def function(self, name: str, *values: LaneValue) -> LaneValue:
        """A function of libdevice by the name of C's for float64."""
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


def device_lanes_of(layout: Layout, number: str) -> Callable[[Callable[..., Any]], Any]:
    """As `lane_code.lanes_of`, for a CUDA device; inlined, so that rows can become registers."""
    from numba.cuda.extending import intrinsic

    target = Target(intrinsic, DeviceWriter, ("alwaysinline", "nounwind"))
    return lanes_of(layout, number, target)


def simulated_lanes_of(layout: Layout, number: str) -> Callable[[Callable[..., Any]], Any]:
    """As `device_lanes_of`, for Python to call with the arrays of the simulator."""
    _put_c_in_the_place_of_libdevice()
    target = PROCESSOR._replace(writer=DeviceWriter)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        code = lanes_of(layout, number, target)(function)
        compiled = njit(lambda rows, settings, lane: code(rows, settings, lane))
        return lambda rows, settings, lane: compiled(rows, np.positive(settings), lane)

    return decorate


@cache
def _put_c_in_the_place_of_libdevice() -> None:
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    for name in (*_ARITHMETIC, *LIBRARY.values()):
        for precise in (name, f"{name}f"):
            address = ctypes.cast(getattr(library, precise), ctypes.c_void_p).value
            llvm.add_symbol(f"__nv_{precise}", address)
