"""Compiled lane loops: generated source in a folder, its machine code cached beside it."""

import hashlib
import importlib.util
import os
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba

_HERE = Path(__file__).parent
_FOUNDATION = [
    f"{name}.py"
    for name in (
        "runtime", "lane_code", "lane_values", "layout", "primitives", "vector_math", "lane_loops",
        "dense_lu", "looped_lu", "cuda_runtime", "cuda_code",
    )
]  # fmt: skip


@cache
def _foundation() -> str:
    """Digest of all that a generated module rests on: our functions, Numba, LLVM."""
    digest = hashlib.sha256()
    for name in _FOUNDATION:
        digest.update((_HERE / name).read_bytes())
    digest.update(f"{numba.__version__} {llvmlite.__version__} {sys.version}".encode())
    return digest.hexdigest()


def load_kernel(source: str, cache_dir: Path) -> Any:
    """The function `solve` of a generated module, whose source is kept in `cache_dir`.

    The module is named by a digest of its source and of what it rests on; Numba keeps its machine
    code, by processor, in `__pycache__` beside it. Many processes may do this at once.
    """
    digest = hashlib.sha256((source + _foundation()).encode()).hexdigest()[:24]
    name = f"lanes_{digest}"
    if name in sys.modules:
        return sys.modules[name].solve
    path = cache_dir / f"{name}.py"
    if not path.exists():
        _write_once(path, source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module.solve


def _write_once(path: Path, text: str) -> None:
    """Writes a file whole or not at all, and never again: Numba's cache goes by its time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
        file.write(text)
    try:
        os.link(file.name, path)
    except FileExistsError:
        pass
    finally:
        Path(file.name).unlink()
