"""The kernel of a CUDA device: generated source as a module, which Numba compiles."""

import linecache
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from odeflow.engines.native.targets.kernel import foundation
from odeflow.files.compiled.numba_cache import keep
from odeflow.files.compiled.store import open_store
from odeflow.files.digests import texts_digest


def load_cuda_kernel(source: str, cache_dir: Path | None = None) -> Any:
    """The function `solve` of a module generated for a device.

    The module is named by a digest of its source and of what it rests on. Its machine code is kept
    in `cache_dir`, in the user's cache by default. Many processes may do this at once.
    """
    whole = texts_digest(source, foundation())
    name = f"lanes_{whole[:24]}"
    if name in sys.modules:
        return sys.modules[name].solve
    module, file = ModuleType(name), f"<generated {name}>"
    # so that a traceback shows the lines
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    sys.modules[name] = module
    try:
        exec(compile(source, file, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return keep(module.solve, whole, lambda: open_store(cache_dir))
