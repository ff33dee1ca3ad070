"""Compiled lane loops: generated source as a module, its machine code kept in a store."""

import linecache
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from odeflow.files.compiled.numba_cache import digest, keep
from odeflow.files.compiled.store import open_store
from odeflow.files.source_code import PACKAGE, bare_code, source_tree

_TARGETS = Path(__file__).parent


@cache
def _foundation() -> str:
    """Digest of all modules of the native engine that a generated module may run."""
    starts = [_TARGETS / "runtime.py", _TARGETS / "cuda_runtime.py"]
    tree = source_tree(starts, PACKAGE.parent, within=_TARGETS.parent)
    return digest(*(bare_code(tree[path]) for path in sorted(tree)))


def load_kernel(source: str, cache_dir: Path | None = None) -> Any:
    """The function `solve` of a generated module.

    The module is named by a digest of its source and of what it rests on. Its machine code is kept
    in `cache_dir`, in the user's cache by default. Many processes may do this at once.
    """
    whole = digest(source, _foundation())
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
