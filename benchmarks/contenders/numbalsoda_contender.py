"""numbalsoda's LSODA (C++ called from Numba), lanes shared over the cores by `prange`."""

from typing import Any

import numba
import numpy as np
from numbalsoda import lsoda, lsoda_sig

from benchmarks.fields import scalar_field, write_ring

LABEL = "numbalsoda LSODA, prange"
SERIAL = False
SIZED = False


def build(case: Any, size: int, cores: int) -> Any:
    address = _callback(case).address
    times = np.unique(np.append(case.model.declared.t0, case.times))
    skip = len(times) - len(case.times)  # LSODA's first time is the start
    states = len(case.model.components)

    @numba.njit(parallel=True)
    def run(y0, args, rtol, atol):
        lanes = len(y0)
        out = np.empty((lanes, len(times), states))
        for lane in numba.prange(lanes):
            solution, success = lsoda(
                address, y0[lane].copy(), times, args[lane].copy(), rtol, atol, 1_000_000
            )
            out[lane] = solution
            if not success:
                out[lane] = np.nan
        return out[:, skip:]

    def solve(lanes, scale):
        y0, args = np.ascontiguousarray(lanes.y0.T), np.ascontiguousarray(lanes.args.T)
        return run(y0, args, case.rtol * scale, case.atol * scale)

    numba.set_num_threads(cores)
    solve(case.lanes(cores), 1.0)
    return solve


def _callback(case: Any) -> Any:
    """The vector field as a C function: t, y, dy and p by pointer."""
    states, parameters = len(case.model.components), len(case.model.declared.parameters)
    if case.model_name == "ring":
        write = numba.njit(write_ring)

        @numba.cfunc(lsoda_sig)
        def ring(t, y, dy, p):
            write(numba.carray(dy, states), numba.carray(y, states), numba.carray(p, parameters))

        return ring
    field = numba.njit(scalar_field(case.model_name))
    read_y, read_p = _reader(states), _reader(parameters)
    write_dy = _writer(states)

    @numba.cfunc(lsoda_sig)
    def callback(t, y, dy, p):
        write_dy(dy, field(t, read_y(y), read_p(p)))

    return callback


def _reader(count: int) -> Any:
    """A compiled function of a pointer: its first `count` numbers as a tuple."""
    return _generated(f"lambda x: ({', '.join(f'x[{i}]' for i in range(count))},)")


def _writer(count: int) -> Any:
    """A compiled function that stores a tuple at a pointer."""
    lines = "\n".join(f"    x[{i}] = values[{i}]" for i in range(count))
    namespace: dict[str, Any] = {}
    exec(f"def write(x, values):\n{lines}", namespace)
    return numba.njit(namespace["write"])


def _generated(source: str) -> Any:
    return numba.njit(eval(source))


def values(case: Any, solution: Any) -> np.ndarray:
    return solution
