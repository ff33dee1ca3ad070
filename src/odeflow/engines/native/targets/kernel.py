"""Compiled lane loops: programs of lanes and the loop around them as machine code in a store."""

import ast
import math
from functools import cache
from pathlib import Path

from llvmlite import ir

from odeflow.engines.native.targets.lane_code import lane_function
from odeflow.engines.native.targets.loop_code import write_loop
from odeflow.engines.native.targets.loop_module import LoopModule
from odeflow.engines.native.targets.machine_code import Kernel, object_code
from odeflow.engines.native.targets.runtime import LANE_CODE
from odeflow.files.collector import uncollected
from odeflow.files.compiled.machine import machine
from odeflow.files.compiled.store import open_store
from odeflow.files.digests import texts_digest
from odeflow.files.source_code import PACKAGE, bare_code, source_tree

_TARGETS = Path(__file__).parent
#: Kernels of this process, by folder and digest of the module.
_KERNELS: dict[tuple[Path | None, str], Kernel] = {}


@cache
def foundation() -> str:
    """Digest of all modules of the native engine that make machine code of a program."""
    starts = [_TARGETS / "kernel.py", _TARGETS / "cuda_kernel.py"]
    tree = source_tree(starts, PACKAGE.parent, within=_TARGETS.parent)
    return texts_digest(*(bare_code(tree[path]) for path in sorted(tree)))


def load_kernel(module: LoopModule, cache_dir: Path | None = None) -> Kernel:
    """The function `solve` of a module's loop.

    Its machine code is kept in `cache_dir`, in the user's cache by default, by a digest of the
    module and of what makes machine code of it. Many processes may do this at once.
    """
    known = _KERNELS.get((cache_dir, module.digest))
    if known is None:
        key = f"lanes {module.digest} {foundation()}\n{machine()}"
        store = open_store(cache_dir)
        code = store.get(key)
        if code is None:
            with uncollected():
                text = llvm_text(module)
            code = object_code(text)
            store.put(key, code)
        known = _KERNELS[cache_dir, module.digest] = Kernel(code)
    return known


def forget_kernels() -> None:
    """Lets this process load its kernels again, as a new one would."""
    _KERNELS.clear()


def llvm_text(module: LoopModule) -> str:
    """A module as an LLVM module."""
    layout, written = module.layout, ir.Module("lanes")
    functions = {x.name: x for x in ast.parse(module.loop).body if isinstance(x, ast.FunctionDef)}
    names = {**module.constants, "INFINITY": math.inf}
    names |= {x.name: lane_function(x, layout, LANE_CODE) for x in module.programs}
    real = ir.DoubleType() if layout.real == "float64" else ir.FloatType()
    write_loop(written, functions, names, real)
    return str(written)
