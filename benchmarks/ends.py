"""What is short: one trajectory, a run again, compiling, and the first solve of a new process.

    python -m benchmarks.ends
    python -m benchmarks.ends --only calls run
    python -m benchmarks.ends --only calls --repeats 5000
    .venv-bench/bin/python -m benchmarks.ends --only calls

Processor seconds, the least of the repeats, one thread: `compile` is from the vector field to
machine code in memory (eight lanes solved once in an empty folder, less a second solve), `calls` is
`odeflow.ensemble_solve` of one trajectory whose numbers differ from call to call, in turn with
`jit(diffeqsolve)` and, where it is installed, numbalsoda's LSODA, `run` is
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
from importlib.util import find_spec
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

#: Calls in a row.
SOME = 20
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


def in_turn(calls: dict[str, Callable[[np.ndarray], Any]], repeats: int) -> dict[str, float]:
    """Microseconds of the fastest call of each, with parameters that it never had.

    They are called in turn, each some times, as one is in a loop: a first call is slower by 10.
    """
    fastest = dict.fromkeys(calls, np.inf)
    for i in range(-1, repeats // SOME):
        for name, call in calls.items():
            for j in range(SOME):
                parameters = np.array([10.0 + 1e-6 * (i * SOME + j), 5.0])
                taken = least(lambda call=call, p=parameters: call(p), 1)
                if i >= 0:
                    fastest[name] = min(fastest[name], 1e6 * taken)
    return fastest


def calls(repeats: int) -> None:
    """One trajectory of the README's model, beside others that were compiled before."""
    controller = diffrax.PIDController(rtol=1e-6, atol=1e-8)
    field = lambda t, y, p: jnp.stack([-1.0, 0.09]) * (y[1] * p[0] * y[0] / (p[1] + y[0]))
    term, solver, y0 = diffrax.ODETerm(field), diffrax.Tsit5(), np.array([10.0, 0.2])
    lsoda, more = numbalsoda_call(y0), {"in_axes": None, "threads": 1}
    for what, ts in (("end values", None), ("100 times", np.linspace(0.0, 120.0, 100))):
        saveat = diffrax.SaveAt(t1=True) if ts is None else diffrax.SaveAt(ts=ts)
        given: dict[str, Any] = {"saveat": saveat, "stepsize_controller": controller}
        with_diffrax = jax.jit(
            lambda p, given=given: (
                diffrax.diffeqsolve(term, solver, 0.0, 120.0, 0.1, jnp.asarray(y0), p, **given).ys
            )
        )
        contenders: dict[str, Callable[[np.ndarray], Any]] = {
            "odeflow": lambda p, given=given: odeflow.ensemble_solve(
                term, solver, 0.0, 120.0, 0.1, y0, p, **given, **more
            ),
            "odeflow, all written in the call": lambda p, ts=ts: odeflow.ensemble_solve(
                diffrax.ODETerm(field), diffrax.Tsit5(), 0.0, 120.0, 0.1, y0, p,
                saveat=diffrax.SaveAt(t1=True) if ts is None else diffrax.SaveAt(ts=ts),
                stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-8), **more,
            ),
            "jit(diffeqsolve)": lambda p, call=with_diffrax: call(p).block_until_ready(),
        }  # fmt: skip
        if lsoda is not None:
            times = np.array([0.0, 120.0]) if ts is None else ts
            contenders["numbalsoda"] = lambda p, times=times: lsoda(times, p)
        found = in_turn(contenders, repeats)
        for name, taken in found.items():
            ratio = f", odeflow / this: {found['odeflow'] / taken:.2f}"
            print(f"one trajectory, {what}, {name}: {taken:.0f} us{ratio * (name != 'odeflow')}")


def numbalsoda_call(y0: np.ndarray) -> Callable[[np.ndarray, np.ndarray], Any] | None:
    """LSODA of the same model at the same tolerances; None where it is not installed."""
    if find_spec("numbalsoda") is None:
        return None
    import numba
    from numbalsoda import lsoda, lsoda_sig

    @numba.cfunc(lsoda_sig)
    def field(t, y, dy, p):
        rate = y[1] * p[0] * y[0] / (p[1] + y[0])
        dy[0], dy[1] = -rate, 0.09 * rate

    address = field.address
    return lambda times, p: lsoda(address, y0, times, p, 1e-6, 1e-8)


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
