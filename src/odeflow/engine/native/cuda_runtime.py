"""What a module generated for a CUDA device imports: `runtime`, but with the device's functions."""

from functools import partial

import numba
from numba import cuda

from odeflow.engine.native import runtime
from odeflow.engine.native.cuda_code import device_function, device_lanes_of, simulated_lanes_of
from odeflow.engine.native.runtime import *  # noqa: F403

__all__ = [*runtime.__all__, "cuda"]  # pyright: ignore[reportUnsupportedDunderAll]

#: A part of the kernel.
inlined = partial(cuda.jit, device=True, inline="always")  # type: ignore[arg-type]
#: The kernel; its machine code is cached beside the module.
compiled = partial(cuda.jit, cache=True)

#: By the names in libdevice, which keep the precision of their arguments: on a device, where
#: float64 may be a 64th as fast, the step control of a float32 problem must not be in float64.
_LIBRARY = {
    name: name
    for name in (
        "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "erf",
        "erfc", "exp", "exp2", "expm1", "fmod", "lgamma", "log", "log1p", "sin", "sinh", "tan",
        "tanh",
    )
} | {"power": "pow", "rough_exp": "exp", "rough_log": "log"}  # fmt: skip

if numba.config.ENABLE_CUDASIM:  # type: ignore[attr-defined]
    lanes_of = simulated_lanes_of
else:
    lanes_of = device_lanes_of
    globals().update({name: device_function(known) for name, known in _LIBRARY.items()})
