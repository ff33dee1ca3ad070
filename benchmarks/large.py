"""Large systems: the native engine's rodas5p against CVODE's BDF, at equal errors.

    .venv-bench/bin/python -m benchmarks.large                      all; some minutes
    .venv-bench/bin/python -m benchmarks.large --only dense_64 heat_256

CVODE is SUNDIALS' by scikit-sundae: the best of its linear solvers for the problem, the right-hand
side compiled by Numba, and so is the Jacobian but of bands, whose differences SUNDIALS takes itself
in C. Its wheel has SuperLU_MT as the sparse solver, and no KLU. Both run on one thread, in turn,
each at several tolerances; the engine's time at CVODE's error is read off its own by interpolation
(of logarithms). An error is the root mean square of (y - reference) / (1 + |reference|) at the end;
the reference is the native engine's at rtol 1e-11, and `sure` its difference from CVODE's at 1e-10.
Prints a line a tolerance of CVODE's: microseconds a lane of processor time, and below it what the
engine takes to compile and its largest memory; `large.json` keeps it for the page. At loose
tolerances a lane may end as `suspect`, which the workflow solves again at `SAFE_RTOL`: such a
tolerance is left out. `python` is the part of CVODE's time that is taken
by its right-hand side and Jacobian with the entry into them, `two` how many times as fast the
engine is on two threads.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks.large_problems import ATOL, PROBLEMS, Large
from odeflow.engines.native import engine
from odeflow.problem.solver import SAFE_RTOL

LANES, CVODE_LANES = 64, 4
LADDER = tuple(10.0 ** np.arange(-2.5, -9.1, -0.5))
RESULTS = Path(__file__).parent / "large.json"
RTOLS = (1e-4, 1e-6, 1e-8)


class Cvode:
    """CVODE on a problem, by one of its linear solvers."""

    def __init__(self, large: Large, linear: str):
        place = np.arange(len(large.start)) if large.place is None else large.place
        self._start, self._back = large.start[place], np.argsort(place)
        self._large, self._rate, write = large, np.ones(1), large.write
        rate = self._rate
        self.calls = {"rhsfn": lambda t, y, dy: write(t, y, dy, rate)}
        self._options: dict[str, Any] = {"linsolver": linear, "max_num_steps": 10**6}
        if "band" in linear:
            self._options |= {"lband": large.band, "uband": large.band}
        elif (jacobian := large.write_jacobian) is not None:
            self.calls["jacfn"] = lambda t, y, dy, values: jacobian(t, y, dy, values, rate)
        if linear == "sparse":
            warnings.filterwarnings("ignore", "Custom sparse Jacobian approximation")
            self._options |= {"sparsity": large.pattern, "nthreads": 1}

    def solve(self, rtol: float, rate: float) -> tuple[np.ndarray, Any]:
        """The state at the end as the model has it, and all that CVODE says."""
        from sksundae.cvode import CVODE

        self._rate[0] = rate
        solver = CVODE(**self.calls, rtol=rtol, atol=rtol * ATOL, **self._options)
        # with two times it would keep every step
        result = solver.solve(np.linspace(0.0, self._large.t1, 3), self._start)
        assert result.success, result.message
        return result.y[-1][self._back], result

    def call_seconds(self, result: Any) -> float:
        """What the calls of a solve take by themselves."""
        y = self._start.copy()
        dy, pattern = np.empty_like(y), self._large.pattern
        n = len(y)
        values = np.empty((n, n)) if pattern is None else np.empty(pattern.nnz)
        total = result.nfev * _each(lambda: self.calls["rhsfn"](0.0, y, dy))
        if "jacfn" in self.calls:
            total += result.njev * _each(lambda: self.calls["jacfn"](0.0, y, dy, values))
        return total


def _each(call: Callable[[], Any], repeats: int = 300) -> float:
    call()
    start = time.process_time()
    for _ in range(repeats):
        call()
    return (time.process_time() - start) / repeats


def linear_solvers(large: Large) -> tuple[str, ...]:
    """Those that suit."""
    if large.pattern is not None:
        return ("sparse",)
    return ("band", "lapackband") if large.band else ("dense", "lapackdense")


def error(values: np.ndarray, reference: np.ndarray) -> float:
    """See the module."""
    return float(np.sqrt(np.mean(((values - reference) / (1 + np.abs(reference))) ** 2)))


class Engine:
    """The native engine on a problem."""

    def __init__(self, large: Large, cache: Path):
        self._large, self._cache = large, cache
        # steps are looked at for being wild above SAFE_RTOL alone: two programs
        self._first: dict[bool, Any] = {}
        start = time.process_time()
        self.solve(self.at(1e-6), 1)
        self.compile_seconds = time.process_time() - start

    def solve(self, problem: Any, lanes: int, threads: int = 1) -> np.ndarray:
        """End values by lane and component."""
        solution = engine.solve(
            problem, self._large.lanes(lanes), threads=threads, cache_dir=self._cache
        )
        if solution.status.any():
            raise RuntimeError("a lane failed")
        return np.concatenate([x[:, 0] for x in solution.values.values()], axis=1)

    def at(self, rtol: float) -> Any:
        """The problem with a tolerance."""
        problem = self._large.problem("rodas5p", rtol)
        first = self._first.setdefault(rtol > SAFE_RTOL, problem)
        if first is not problem:
            engine.renumber(problem, first)
        return problem

    def timed(self, rtol: float) -> tuple[float, np.ndarray] | None:
        """Seconds a lane, of the better of two runs, and end values; None where a lane failed."""
        times, values, problem = [], np.empty(0), self.at(rtol)
        try:
            self.solve(problem, LANES)
        except RuntimeError:
            return None
        for _ in range(2):
            start = time.process_time()
            values = self.solve(problem, LANES)
            times.append((time.process_time() - start) / LANES)
        return min(times), values

    def speed_of_two(self) -> float:
        """How many times as fast two threads are, by the clock."""
        problem, seconds = self.at(1e-6), []
        for threads in (1, 2):
            start = time.perf_counter()
            self.solve(problem, 2 * LANES, threads)
            seconds.append(time.perf_counter() - start)
        return seconds[0] / seconds[1]


def compare(name: str, cache: Path) -> None:
    """Prints the lines of a problem."""
    large = PROBLEMS[name]()
    ours = Engine(large, cache)
    rates = large.lanes(LANES).args[0]
    ladder = [found for rtol in LADDER if (found := ours.timed(rtol)) is not None]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    reference = ours.solve(ours.at(1e-11), CVODE_LANES)
    errors = [error(values[:CVODE_LANES], reference) for _, values in ladder]
    rivals = [Cvode(large, linear) for linear in linear_solvers(large)]
    rows = []
    for rtol in RTOLS:
        best = None
        for linear, rival in zip(linear_solvers(large), rivals):
            rival.solve(1e-4, 1.0)
            start, values, result = time.process_time(), [], None
            for rate in rates[:CVODE_LANES]:
                end, result = rival.solve(rtol, rate)
                values.append(end)
            seconds = (time.process_time() - start) / CVODE_LANES
            share = rival.call_seconds(result) / seconds
            found = (seconds, linear, error(np.array(values), reference), share)
            best = min(found, best or found)
        seconds, linear, theirs, share = best  # type: ignore[misc]
        equal = _at_error(theirs, errors, [s for s, _ in ladder])
        rows.append([rtol, theirs, seconds * 1e6, equal * 1e6, linear])
        print(
            f"{name:17} {rtol:7.0e} {theirs:9.1e} {seconds * 1e6:11.1f} {equal * 1e6:9.1f} "
            f"{seconds / equal:7.1f}  {linear}, python {share:.0%}",
            flush=True,
        )
    sure = error(rivals[0].solve(1e-10, rates[0])[0][None], reference[:1])
    print(
        f"{'':17} compile {ours.compile_seconds:.1f} s of processor, {peak:.0f} MiB, "
        f"two {ours.speed_of_two():.2f}, sure {sure:.0e}",
        flush=True,
    )

    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    known[name] = {"compile": ours.compile_seconds, "memory": peak, "against": rows}
    RESULTS.write_text(json.dumps(known, indent=1) + "\n", "utf-8")


def _at_error(wanted: float, errors: list[float], seconds: list[float]) -> float:
    """The seconds at an error; those of the loosest tolerance where all are smaller."""
    order = np.argsort(errors)
    points = np.log([wanted, *np.array(errors)[order]]), np.log(np.array(seconds)[order])
    return float(np.exp(np.interp(points[0][0], points[0][1:], points[1])))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--here", action="store_true", help="in this process, for one problem")
    asked = parser.parse_args()
    if asked.here:
        jax.config.update("jax_enable_x64", True)
        with tempfile.TemporaryDirectory() as folder:
            compare(asked.only[0], Path(folder))
        return
    heads = f"{'problem':17} {'CVODE at':7} {'error':>9} {'CVODE us':>11} {'us':>9} {'times':>7}"
    print(heads, flush=True)
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for name in asked.only:  # a process each: peaks of memory are a process's
        command = [sys.executable, "-m", "benchmarks.large", "--here", "--only", name]
        subprocess.run(command, env=alone, check=False)


if __name__ == "__main__":
    main()
