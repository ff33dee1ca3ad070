"""One contender on one case, in a process of its own: prints what it measured as one JSON line.

The error of a run is |y - reference| / (atol + rtol |reference|) over the reference's lanes, all
saved times and components, with the case's own tolerances whatever the run's: `error` is its root
mean square, `largest` its maximum.
"""

import argparse
import json
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import contenders
from benchmarks.problems import Case, find_case
from benchmarks.runners import Runner, make_runner

#: Errors within this factor are equal: methods that take the same steps differ by rounding.
EQUAL = 1.02
MOST_RUNS = 7
LONGEST_RUN = 4.0  # seconds; growing ensembles stop after one that takes longer


def scaled_error(case: Case, values: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Root mean square and maximum of the error in units of the tolerance; infinite with NaN."""
    count = min(len(values), len(reference))
    values, reference = values[:count], reference[:count]
    if not np.isfinite(values).all():
        return np.inf, np.inf
    error = np.abs(values - reference) / (case.absolute + case.rtol * np.abs(reference))
    return float(np.sqrt(np.mean(error**2))), float(error.max())


def run(
    case: Case, runner: Runner, size: int, scale: float, budget: float, reference: np.ndarray,
    most: int = MOST_RUNS,
) -> dict[str, Any]:  # fmt: skip
    """The smallest time of several runs within `budget` seconds (two at least, if not too long)."""
    times = [runner.solve(scale)]
    while len(times) < most and (
        sum(times) + times[-1] < budget or (len(times) == 1 and times[0] < 2 * budget)
    ):
        times.append(runner.solve(scale))
    values, failed = runner.inspect(len(reference))
    error, largest = scaled_error(case, values, reference)
    return {
        "scale": scale,
        "size": size,
        "seconds": min(times),
        "microseconds": min(times) / size * 1e6,
        "runs": len(times),
        "error": error,
        "largest": largest,
        "failed": failed,
    }


def tightened(ladder: list[dict[str, Any]], target: float) -> float | None:
    """The loosest scale of a ladder whose error is no larger than `target`."""
    exact = [rung["scale"] for rung in ladder if rung["error"] <= target]
    return max(exact, default=None)


def peak_mib() -> float:
    """Peak resident memory of this process and of those it has started (the largest, each)."""
    of = lambda who: resource.getrusage(who).ru_maxrss / 1024
    return of(resource.RUSAGE_SELF) + of(resource.RUSAGE_CHILDREN)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """The base run, a ladder of tolerances, a run as exact as `options.match`, other sizes."""
    module = contenders.load(options.contender)
    if hasattr(module, "configure"):
        module.configure(options.cores)
    case = replace(find_case(options.case), method=options.method)
    with np.load(options.reference) as file:
        reference, certainty = file["values"], float(file["check"])
    runner = make_runner(case, options.contender, options.size, options.cores)

    def at(size: int, scale: float, budget: float) -> dict[str, Any]:
        return run(case, runner, size, scale, budget, reference)

    result: dict[str, Any] = {"base": at(options.size, 1.0, options.budget)}
    result["compile_seconds"] = runner.compile_seconds
    result["peak_mib"] = peak_mib()
    if options.ladder:
        size = min(options.ladder_size, options.size)
        runner.resize(size)
        result["ladder"] = [at(size, scale, options.budget / 10) for scale in options.ladder]
        if options.match is not None:
            # No error can be told from zero below what the reference itself is certain to.
            target = max(EQUAL * options.match, certainty)
            scale = tightened(result["ladder"], target)
            if result["base"]["error"] > target or (options.loosen and scale is not None):
                result["matched"] = None
                if scale is not None:
                    runner.resize(options.size)
                    result["matched"] = at(options.size, scale, options.budget)
    if options.sizes:
        result["sizes"] = []
        for size in options.sizes:
            runner.resize(size)
            result["sizes"].append(at(size, 1.0, options.budget))
            if result["sizes"][-1]["seconds"] > LONGEST_RUN:
                break
    return result


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case")
    parser.add_argument("contender")
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--budget", type=float, default=3.0, help="seconds of repeated runs")
    parser.add_argument("--method", help="method of odeflow's engines")
    parser.add_argument("--sizes", type=int, nargs="*", default=[], help="ensembles to time")
    parser.add_argument("--ladder", type=float, nargs="*", default=[])
    parser.add_argument("--ladder-size", type=int, default=64)
    parser.add_argument("--match", type=float, help="error to reach at full size")
    parser.add_argument("--loosen", action="store_true", help="even where that allows more")
    try:
        result = measure(parser.parse_args())
    except Exception as error:
        first = str(error).strip().split("\n")[0]
        result = {"reason": f"{type(error).__name__}: {first}"}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
