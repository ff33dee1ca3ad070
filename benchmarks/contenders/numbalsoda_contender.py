"""numbalsoda's LSODA (C++ called from Numba), lanes shared over the cores by `prange`."""

from typing import Any

import numba
import numpy as np
from numbalsoda import lsoda, lsoda_sig

from benchmarks.compiled import order, writer

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

    place = order(case)
    back = np.argsort(place)

    def alone(lanes, scale):
        y0, args = lanes.y0[:, 0].copy(), lanes.args[:, 0].copy()
        tolerances = case.rtol * scale, case.atol * scale
        found, success = lsoda(address, y0, times, args, *tolerances, 1_000_000)
        return found[None, skip:] if success else np.full((1, len(case.times), states), np.nan)

    if getattr(case, "alone", False):
        alone(case.lanes(1), 1.0)
        return alone

    def solve(lanes, scale):
        y0, args = np.ascontiguousarray(lanes.y0[place].T), np.ascontiguousarray(lanes.args.T)
        return run(y0, args, case.rtol * scale, case.atol * scale)[..., back]

    numba.set_num_threads(cores)
    solve(case.lanes(cores), 1.0)
    return solve


def _callback(case: Any) -> Any:
    """The vector field as a C function: t, y, dy and p by pointer."""
    states, parameters = len(case.model.components), len(case.model.declared.parameters)
    write = writer(case)

    @numba.cfunc(lsoda_sig)
    def callback(t, y, dy, p):
        write(t, numba.carray(y, states), numba.carray(dy, states), numba.carray(p, parameters))

    return callback


def values(case: Any, solution: Any) -> np.ndarray:
    return solution
