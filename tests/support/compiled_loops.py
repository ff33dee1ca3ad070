"""Loops around lanes from their source, compiled as those of generated modules are."""

import ast
from typing import Any

from llvmlite import ir

from odeflow.engines.native.targets.loop_code import write_loop
from odeflow.engines.native.targets.machine_code import Kernel, object_code

_REAL = {"float64": ir.DoubleType(), "float32": ir.FloatType()}


def compiled_loop(source: str, real: str, **constants: Any) -> Kernel:
    """The function `solve` of a source; `constants` are names that it reads, code of lanes too."""
    module = ir.Module("loop")
    functions = {x.name: x for x in ast.parse(source).body if isinstance(x, ast.FunctionDef)}
    write_loop(module, functions, constants, _REAL[real])
    return Kernel(object_code(str(module)))
