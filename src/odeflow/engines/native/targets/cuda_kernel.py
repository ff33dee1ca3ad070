"""The kernel of a CUDA device: the loop of a thread as a module, which Numba compiles."""

import linecache
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
from numba import cuda

from odeflow.engines.native.program.lane_program import LaneProgram
from odeflow.engines.native.targets.cuda_code import device_lanes, simulated_lanes
from odeflow.engines.native.targets.kernel import foundation
from odeflow.engines.native.targets.loop_module import LoopModule
from odeflow.files.compiled.numba_cache import keep
from odeflow.files.compiled.store import open_store
from odeflow.files.digests import texts_digest


def load_cuda_kernel(code: LoopModule, cache_dir: Path | None = None) -> Any:
    """The function `solve` of a module's loop on a device.

    Numba's module of it is named by a digest of the code and of what makes machine code of it,
    which is kept in `cache_dir`, in the user's cache by default. Many processes may do this at
    once.
    """
    whole = texts_digest(code.digest, foundation())
    name = f"lanes_{whole[:24]}"
    if name in sys.modules:
        return sys.modules[name].solve
    simulated = numba.config.ENABLE_CUDASIM  # type: ignore[attr-defined]
    lanes = simulated_lanes if simulated else device_lanes
    module, file = ModuleType(name), f"<generated {name}>"
    programs = [x for x in code.programs if isinstance(x, LaneProgram)]  # none is loops here
    names = {program.name: lanes(program, code.layout) for program in programs}
    inlined = partial(cuda.jit, device=True, inline="always")  # type: ignore[arg-type]
    names |= {"cuda": cuda, "compiled": cuda.jit, "inlined": inlined}
    module.__dict__.update(names, **code.constants, REAL=getattr(np, code.layout.real))
    # so that a traceback shows the lines
    linecache.cache[file] = (len(code.loop), None, code.loop.splitlines(keepends=True), file)
    sys.modules[name] = module
    try:
        exec(compile(code.loop, file, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return keep(module.solve, whole, lambda: open_store(cache_dir))
