"""A hand-written SIMD Tsit5 in C++ for one problem at a time, end values: what a compiler reaches.

The vector field is written into it, g++ has all its flags, lanes are not refilled.
"""

import ctypes
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

LABEL = "hand-written C++, g++ -O3"
SERIAL = True
SIZED = False
SOURCE = Path(__file__).with_name("spike.cpp")
FLAGS = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "-std=c++17"]
_FIELDS = {"michaelis_menten": "SEED", "lorenz63": "LORENZ", "ring": "RING"}


def refuses(case: Any) -> str | None:
    """Why this cannot run a case."""
    if case.ts is None and case.model_name in _FIELDS:
        return None
    return "written for the seed system, Lorenz and rings, end values only"


def build(case: Any, size: int, cores: int) -> Any:
    states, parameters = len(case.model.components), len(case.model.declared.parameters)
    target = Path(os.environ["BENCH_CACHE"]) / f"{case.name}-{os.getpid()}.so"
    defines = [f"-D{_FIELDS[case.model_name]}", f"-DSTATES={states}", f"-DPARAMETERS={parameters}"]
    command = ["g++", *FLAGS, *defines, str(SOURCE), "-o", str(target), "-lm", "-lmvec"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    run = ctypes.CDLL(str(target)).solve
    array = np.ctypeslib.ndpointer(np.float64, flags="C")
    run.argtypes = [ctypes.c_long, array, array, array, *[ctypes.c_double] * 4]
    run.restype = None

    def solve(lanes, scale):
        y0, args = np.ascontiguousarray(lanes.y0), np.ascontiguousarray(lanes.args)
        out = np.empty_like(y0)
        run(lanes.size, y0, args, out, case.t1, case.dt0, case.rtol * scale, case.atol * scale)
        return out

    return solve


def values(case: Any, solution: Any) -> np.ndarray:
    return solution.T[:, None, :]
