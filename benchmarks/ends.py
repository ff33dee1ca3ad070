"""What is short: one trajectory, a run again, compiling, and the first solve of a new process.

    python -m benchmarks.ends
    python -m benchmarks.ends --only calls run
    python -m benchmarks.ends --only calls --repeats 5000

Processor seconds, the least of the repeats, one thread: `compile` is from the vector field to
machine code in memory (eight lanes solved once in an empty folder, less a second solve), `calls` is
`odeflow.ensemble_solve` of one trajectory whose numbers differ from call to call, `run` is
`odeflow.run` of 64 samples of a config that was run before, `first` a process of its own, from its
start to the values of a model that nobody has compiled.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import odeflow
from benchmarks.problems import find_case
from odeflow.engines.native import engine
from odeflow.engines.native.targets.kernel import forget_kernels
from odeflow.problem.problem import Lanes, Problem

#: States of the compiled problems: 2, 3, 6, 8, 20 and 24.
COMPILED = ("seed", "robertson", "ring_6", "hires", "pollution", "ring_24")
NEW = """
import diffrax, odeflow
from pathlib import Path
def field(t, y, p):
    return p[0] * y[1], -p[1] * y[0]
sol = odeflow.ensemble_solve(
    diffrax.ODETerm(field), diffrax.Tsit5(), 0.0, 10.0, 0.1, (1.0, 0.0), (1.0, 2.0),
    in_axes=None, stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-8),
    cache=Path({cache!r}),
)
assert sol.engine == "native"
"""


def least(call: Callable[[], Any], repeats: int) -> float:
    """Processor seconds of the fastest of some calls."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return min(taken)


def compiling(problem: Problem, lanes: Lanes) -> float:
    """Processor seconds until the machine code is there, of a problem that was never seen."""
    forget_kernels()
    with tempfile.TemporaryDirectory() as folder:
        solve = lambda: engine.solve(problem, lanes, threads=1, cache_dir=Path(folder))
        return least(solve, 1) - least(solve, 3)


def compile_times() -> None:
    """Of the benchmark's problems, and of a table that is looked up by time."""
    for name in COMPILED:
        case = find_case(name)
        seconds = min(compiling(case.problem(), case.lanes(8)) for _ in range(2))
        print(f"compile {name}: {seconds:.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        times, course = np.linspace(0.0, 10.0, 1000), np.sin(np.arange(1000) / 50)
        field = lambda t, y, p: -p * y + jnp.interp(t, times, course)
        solve = lambda: odeflow.ensemble_solve(
            diffrax.ODETerm(field), diffrax.Tsit5(), 0.0, 10.0, 0.01, np.ones(8), np.ones(8),
            stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-8), cache=Path(folder),
        )  # fmt: skip
        print(f"compile interp of 1,000 entries: {least(solve, 1) - least(solve, 3):.2f} s")


def parameters(number: int) -> list[np.ndarray]:
    return [np.array([10.0 + 1e-6 * i, 5.0]) for i in range(number)]


def calls(repeats: int) -> None:
    """One trajectory of the README's model."""
    controller = diffrax.PIDController(rtol=1e-6, atol=1e-8)
    field = lambda t, y, p: jnp.stack([-1.0, 0.09]) * (y[1] * p[0] * y[0] / (p[1] + y[0]))
    term, solver, y0 = diffrax.ODETerm(field), diffrax.Tsit5(), np.array([10.0, 0.2])
    for what, saveat in (
        ("end values", diffrax.SaveAt(t1=True)),
        ("100 times", diffrax.SaveAt(ts=np.linspace(0.0, 120.0, 100))),
    ):
        given = iter(parameters(repeats + 1))
        call = lambda given=given, saveat=saveat: odeflow.ensemble_solve(
            term, solver, 0.0, 120.0, 0.1, y0, next(given), in_axes=None,
            saveat=saveat, stepsize_controller=controller, threads=1,
        )  # fmt: skip
        call()
        print(f"one trajectory, {what}: {1e6 * least(call, repeats):.0f} us")


def run_again() -> None:
    config = odeflow.compose("design.axes={vmax: {linspace: [8, 12, 64]}}")
    odeflow.run(config)
    print(f"odeflow.run again: {1e3 * least(lambda: odeflow.run(config), 20):.1f} ms")


def first_run() -> None:
    used = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            text = NEW.format(cache=folder)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", text], check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"first run of a new model: {min(used):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=["calls", "run", "first", "compile"])
    parser.add_argument("--repeats", type=int, default=1000)
    given = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    parts = {
        "calls": lambda: calls(given.repeats),
        "run": run_again,
        "first": first_run,
        "compile": compile_times,
    }
    for name in given.only:
        parts[name]()


if __name__ == "__main__":
    main()
