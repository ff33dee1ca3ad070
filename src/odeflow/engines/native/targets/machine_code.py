"""LLVM's text as machine code of this processor, and a Python function to call it by."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np

_LOCK = threading.Lock()
#: C's functions that code may call; the compiler itself asks for those to move memory.
_LIBRARY = (
    "acos", "acosh", "asin", "asinh", "atan2", "atanh", "ceil", "erf", "erfc", "floor", "fma",
    "fmod", "lgamma", "nextafter", "rint", "sqrt", "trunc",
)  # fmt: skip

#: Lines of a module from which on LLVM is not asked to look for what is computed twice: the
#: program shares that, and to share more keeps numbers for so long that they leave the registers.
#: POLLU, of 20 states (6,700 lines), takes 1.01 to 1.2 times as long where it does, a ring of 6
#: (4,000) 0.9 times, two states 0.93 times; HIRES (4,600) 1.01 times.
_LARGE = 4500


def object_code(text: str) -> bytes:
    """An LLVM module as an object file; raises RuntimeError where it is not a module."""
    with _LOCK:
        machine = _machine()
        module = llvm.parse_assembly(text)
        module.triple = machine.triple
        module.data_layout = str(machine.target_data)
        level = 3 if text.count("\n") < _LARGE else 1
        passes = llvm.create_pass_builder(
            machine, llvm.create_pipeline_tuning_options(speed_level=level)
        )
        passes.getModulePassManager().run(module, passes)
        return machine.emit_object(module)


class Kernel:
    """The function `solve` of an object file: called with arrays, tuples of them, and integers.

    Each array's address and lengths are handed over, so they must lie in memory row after row. The
    interpreter's lock is free meanwhile.
    """

    def __init__(self, code: bytes):
        with _LOCK:
            engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
            engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            engine.finalize_object()
            address = engine.get_function_address("solve")
        self._engine = engine  # the code lives as long
        self._solve: Callable[..., None] = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)

    def __call__(self, *arguments: Any) -> None:
        """Runs it; raises ValueError for an array of another order."""
        self.prepared(*arguments)()

    def prepared(self, *arguments: Any) -> Callable[[], None]:
        """What runs it, again and again, with what these arrays hold then; raises as a call."""
        words = np.fromiter(_words(arguments), np.int64)
        address = words.ctypes.data

        def run(kept: Any = (words, arguments)) -> None:  # they live as long as this function
            del kept
            self._solve(address)

        return run


def _words(argument: Any) -> Iterator[int]:
    if isinstance(argument, np.ndarray):
        if not argument.flags.c_contiguous:
            raise ValueError("an array of the loop must lie in memory row after row")
        yield argument.ctypes.data
        yield from argument.shape
    elif isinstance(argument, tuple):
        for entry in argument:
            yield from _words(entry)
    else:
        yield int(argument)


def _machine() -> llvm.TargetMachine:
    """The processor as the compiler's target; an engine takes one for its own."""
    _initialise()
    triple = llvm.get_process_triple()
    return llvm.Target.from_triple(triple).create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="static" if triple.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )


@cache
def _initialise() -> None:
    """Prepares the compiler. It is told where C's functions are, since it need not find them."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    process = ctypes.CDLL(None)
    for name in _LIBRARY:
        for precise in (name, f"{name}f"):
            address = ctypes.cast(getattr(process, precise), ctypes.c_void_p).value
            llvm.add_symbol(precise, address)
