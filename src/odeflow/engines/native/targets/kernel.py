"""Compiled lane loops: generated source as machine code, kept in a store."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

from llvmlite import ir

from odeflow.engines.native.targets.loop_code import write_loop
from odeflow.engines.native.targets.machine_code import Kernel, object_code
from odeflow.files.compiled.machine import machine
from odeflow.files.compiled.store import open_store
from odeflow.files.digests import texts_digest
from odeflow.files.source_code import PACKAGE, bare_code, source_tree

_TARGETS = Path(__file__).parent
#: The decorator of the functions that are code of lanes; all others are the loop's.
_OF_LANES = "lanes_of"


@cache
def foundation() -> str:
    """Digest of all modules of the native engine that a generated module may run."""
    starts = [_TARGETS / "runtime.py", _TARGETS / "kernel.py", _TARGETS / "cuda_runtime.py"]
    tree = source_tree(starts, PACKAGE.parent, within=_TARGETS.parent)
    return texts_digest(*(bare_code(tree[path]) for path in sorted(tree)))


@cache
def load_kernel(source: str, cache_dir: Path | None = None) -> Kernel:
    """The function `solve` of a generated module.

    Its machine code is kept in `cache_dir`, in the user's cache by default, by a digest of the
    source and of what it rests on. Many processes may do this at once.
    """
    key = f"lanes {texts_digest(source, foundation())}\n{machine()}"
    store = open_store(cache_dir)
    code = store.get(key)
    if code is None:
        code = object_code(llvm_text(source))
        store.put(key, code)
    return Kernel(code)


def llvm_text(source: str) -> str:
    """A generated module as one of LLVM's."""
    tree = ast.parse(source)
    functions = {x.name: x for x in tree.body if isinstance(x, ast.FunctionDef)}
    of_loop = {name: x for name, x in functions.items() if not _is_of_lanes(x)}
    tree.body = [x for x in tree.body if getattr(x, "name", None) not in of_loop]
    constants: dict[str, Any] = {}
    exec(compile(tree, "<generated>", "exec"), constants)
    module = ir.Module("lanes")
    real = ir.DoubleType() if constants["LAYOUT"].real == "float64" else ir.FloatType()
    write_loop(module, of_loop, constants, real)
    return str(module)


def _is_of_lanes(function: ast.FunctionDef) -> bool:
    return any(_OF_LANES in ast.unparse(decorator) for decorator in function.decorator_list)
