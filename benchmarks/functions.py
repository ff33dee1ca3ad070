"""What elementary functions cost in the native engine's lanes, beside those of glibc's libmvec.

    python -m benchmarks.functions                   all functions
    python -m benchmarks.functions exp pow --repeats 9
    python -m benchmarks.functions --avx2            as on a processor without AVX-512

Both are written into the same loop over an array of arguments in an ordinary range, as vectors of
the engine's width, and are asked in turn on one thread. Prints, one function per line, the
processor time of one value (median), the ratio of ours to libmvec's (median and range of the
pairs), and the largest errors in units of last place, against NumPy's extended precision at a
million arguments.
"""

import argparse
import ctypes
import statistics
import time
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from odeflow.engines.native.targets import primitives, vector_math
from odeflow.engines.native.targets.lane_values import LaneValue, Writer
from odeflow.engines.native.targets.layout import vector_width
from odeflow.engines.native.targets.machine_code import Kernel, object_code

Write = Callable[..., LaneValue]

#: The ranges of the arguments, and NumPy's name of each function.
FUNCTIONS = {
    "exp": ([(-30.0, 30.0)], "exp"),
    "log": ([(1e-3, 1e3)], "log"),
    "sin": ([(-30.0, 30.0)], "sin"),
    "cos": ([(-30.0, 30.0)], "cos"),
    "tan": ([(-30.0, 30.0)], "tan"),
    "tanh": ([(-5.0, 5.0)], "tanh"),
    "pow": ([(1e-3, 1e3), (-4.0, 4.0)], "power"),
    "cbrt": ([(-1e3, 1e3)], "cbrt"),
    "expm1": ([(-2.0, 2.0)], "expm1"),
    "log1p": ([(-0.9, 10.0)], "log1p"),
    "sinh": ([(-5.0, 5.0)], "sinh"),
    "cosh": ([(-5.0, 5.0)], "cosh"),
    "exp2": ([(-30.0, 30.0)], "exp2"),
    "atan": ([(-10.0, 10.0)], "arctan"),
}
#: Arguments of which a timed call takes all this often, and those at which errors are looked for.
COUNT, ROUNDS, MANY = 1 << 10, 1000, 1 << 20
_WORD, _DOUBLE = ir.IntType(64), ir.DoubleType()


def compiled(write: Write, arguments: int, width: int, avx2: bool) -> Kernel:
    """A function over arrays, those of the arguments and one for the values, and how often to run
    over them; their length is a power of 2.
    """
    module = ir.Module("functions")
    solve = ir.Function(module, ir.FunctionType(ir.VoidType(), [_WORD.as_pointer()]), "solve")
    entry, loop, end = (solve.append_basic_block(name) for name in ("entry", "loop", "end"))
    builder = ir.IRBuilder(entry)
    words = [builder.load(builder.gep(solve.args[0], [_WORD(i)])) for i in range(2 * arguments + 3)]
    vector = ir.VectorType(_DOUBLE, width)
    arrays = [builder.inttoptr(word, vector.as_pointer()) for word in words[:-1:2]]
    steps = builder.udiv(words[1], _WORD(width))
    last, total = builder.sub(steps, _WORD(1)), builder.mul(steps, words[-1])
    builder.branch(loop)
    builder.position_at_end(loop)
    step = builder.phi(_WORD)
    step.add_incoming(_WORD(0), entry)
    place = builder.and_(step, last)
    writer = Writer(builder, "float64", width, 1)
    given = [
        LaneValue(writer, "float64", [builder.load(builder.gep(array, [place]), align=8)])
        for array in arrays[:-1]
    ]
    builder.store(write(*given).parts[0], builder.gep(arrays[-1], [place]), align=8)
    following = builder.add(step, _WORD(1))
    step.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_unsigned("<", following, total), loop, end)
    ir.IRBuilder(end).ret_void()
    text = str(module)
    if avx2:
        without = ",".join(
            f"-{name}" for name in llvm.get_host_cpu_features() if name.startswith("avx512")
        )
        text = text.replace("\n{", f' "target-features"="{without}"\n{{', 1)
    return Kernel(object_code(text))


def of_libmvec(name: str, arguments: int, width: int) -> Write | None:
    """A function of glibc's vector library; None where it is not there."""
    symbol = f"_ZGV{'e' if width == 8 else 'd'}N{width}{'v' * arguments}_{name}"
    try:
        function = getattr(ctypes.CDLL("libmvec.so.1"), symbol)
    except (AttributeError, OSError):
        return None
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    llvm.add_symbol(symbol, address)

    def write(*values: LaneValue) -> LaneValue:
        writer = values[0].writer
        kind = writer.type("float64")
        declared = writer.declared(symbol, ir.FunctionType(kind, [kind] * len(values)))
        return writer.each("float64", lambda *x: writer.builder.call(declared, x), *values)

    return write


def of_lanes(name: str) -> Write:
    """The engine's function."""
    name = "power" if name == "pow" else name
    return getattr(vector_math, name, None) or getattr(primitives, name)


def nanoseconds(kernel: Kernel, x: list[np.ndarray]) -> float:
    """Processor time of one value."""
    out = np.empty(COUNT)
    start = time.process_time()
    kernel(*x, out, ROUNDS)
    return (time.process_time() - start) / (ROUNDS * COUNT) * 1e9


def largest_error(kernel: Kernel, x: list[np.ndarray], numpy: str) -> float:
    """In units of last place."""
    found = np.empty(x[0].size)
    kernel(*x, found, 1)
    exact = getattr(np, numpy)(*(a.astype(np.longdouble) for a in x))
    return float(np.max(abs(found - exact) / np.spacing(abs(exact.astype(float)))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("functions", nargs="*", default=list(FUNCTIONS))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--avx2", action="store_true", help="vectors of 4 without AVX-512")
    asked: Any = parser.parse_args()
    has_wide = llvm.get_host_cpu_features().get("avx512f") and not asked.avx2
    theirs_width = 8 if has_wide else 4
    rng = np.random.default_rng(0)
    print(f"{'function':8} {'ours':>6} {'libmvec':>8}  ratio (range)     {'ulp':>5} {'libmvec':>8}")
    for name in asked.functions:
        ranges, numpy = FUNCTIONS[name]
        ours = compiled(of_lanes(name), len(ranges), vector_width(np.dtype(float)), not has_wide)
        write = of_libmvec(name, len(ranges), theirs_width)
        theirs = write and compiled(write, len(ranges), theirs_width, not has_wide)
        many = [rng.uniform(*bounds, MANY) for bounds in ranges]
        few = [x[:COUNT].copy() for x in many]
        kernels = [ours, theirs] if theirs else [ours]
        pairs = [[nanoseconds(kernel, few) for kernel in kernels] for _ in range(asked.repeats)]
        times = [statistics.median(column) for column in zip(*pairs)]
        errors = [largest_error(kernel, many, numpy) for kernel in kernels]
        line = f"{name:8} {times[0]:6.2f}"
        if theirs:
            ratios = sorted(one / other for one, other in pairs)
            spread = f"({ratios[0]:.2f}-{ratios[-1]:.2f})"
            line += f" {times[1]:8.2f}  {statistics.median(ratios):.2f} {spread:13}"
        print(line.ljust(42), *(f"{error:6.2f}" for error in errors))


if __name__ == "__main__":
    main()
