"""Trajectories on a CUDA device: arrays there and back, a kernel with one thread per trajectory."""

import warnings
from typing import Any

import numba
import numpy as np
from numba import cuda

from odeflow.engines.native.loop.arrays import Arrays

#: Threads of a block, and blocks at most: beyond these a thread takes several trajectories.
_BLOCK, _MOST_BLOCKS = 128, 2**16
#: The same in Numba's simulator, where a thread is a Python thread.
_SIMULATED_BLOCK, _MOST_SIMULATED_BLOCKS = 4, 2


def missing_device() -> str | None:
    """Why there is no CUDA device to solve on, in a clause; None where there is one."""
    if cuda.is_available():
        return None
    found = cuda.cuda_error()
    return "Numba finds no NVIDIA GPU with its driver" if found else "Numba finds no libNVVM"


class Launch:
    """The arrays of a solve on the device, and the kernel that is called with them."""

    def __init__(self, arrays: Arrays, kernel: Any):
        self._kernel, self._arrays = kernel, arrays
        *inputs, max_steps = arrays.inputs()
        values, *others = arrays.outputs[:-2]
        self._values = tuple(map(_empty_like, values))
        self._others = [_empty_like(array) for array in others]
        on_device = map(cuda.to_device, inputs)
        self._arguments = (*on_device, max_steps, self._values, *self._others)
        simulated = numba.config.ENABLE_CUDASIM  # type: ignore[attr-defined]
        block, most = (
            (_SIMULATED_BLOCK, _MOST_SIMULATED_BLOCKS) if simulated else (_BLOCK, _MOST_BLOCKS)
        )
        self._grid = min(-(-arrays.size // block), most), block

    def start(self) -> None:
        """Starts the kernel, which runs on its own."""
        with warnings.catch_warnings():
            # a few trajectories, as of a check, do not fill a device
            warnings.filterwarnings("ignore", message="Grid size")
            self._kernel[self._grid](*self._arguments)

    def run(self) -> None:
        """Solves all trajectories and puts what was found into the arrays."""
        self.start()
        values, *others = self._arrays.outputs[:-2]
        for array, found in zip([*values, *others], [*self._values, *self._others]):
            found.copy_to_host(array)


def _empty_like(array: np.ndarray) -> Any:
    return cuda.device_array(array.shape, array.dtype)  # type: ignore[arg-type]
