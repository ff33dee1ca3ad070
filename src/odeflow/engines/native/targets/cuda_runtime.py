"""What a module generated for a CUDA device imports: `runtime`, but with the device's functions."""

from functools import partial

import numba
from numba import cuda

from odeflow.engines.native.targets import runtime
from odeflow.engines.native.targets.cuda_code import (
    LIBRARY,
    device_function,
    device_lanes_of,
    simulated_lanes_of,
)
from odeflow.engines.native.targets.runtime import *  # noqa: F403

__all__ = [*runtime.__all__, "cuda"]  # pyright: ignore[reportUnsupportedDunderAll]

#: A part of the kernel.
inlined = partial(cuda.jit, device=True, inline="always")  # type: ignore[arg-type]
#: The kernel; `load_kernel` keeps its machine code.
compiled = cuda.jit

globals().update({name: device_function(known) for name, known in LIBRARY.items()})

simulated = numba.config.ENABLE_CUDASIM  # type: ignore[attr-defined]
lanes_of = simulated_lanes_of if simulated else device_lanes_of
