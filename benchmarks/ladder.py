"""One contender on one case with rivals, from loose to tight: a JSON line for each tolerance.

What is printed stays where a later tolerance takes too long or ends the process. The number of
trajectories is such that the loosest tolerance takes a fraction of a second.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import contenders
from benchmarks.measure import MOST_RUNS, run
from benchmarks.problems import find_case
from benchmarks.runners import make_runner

FIRST_RUN = 0.1  # seconds
LONGEST_RUN = 2.0
LEAST = 8  # trajectories of a core: one vector
ONE_BY_ONE = ("cvode", "casadi", "numbalsoda", "amici", "roadrunner", "scipy")
MOST_CALLS = 1000  # of one trajectory


def suitable_size(runner: Any, scale: float, least: int, most: int) -> int:
    """Trajectories that take about `FIRST_RUN`, a multiple of `least`; more take less time each."""
    size = least
    for _ in range(3):
        seconds = min(runner.solve(scale) for _ in range(2))
        size = int(np.clip(FIRST_RUN / seconds * size // least, 1, max(most // least, 1))) * least
        runner.resize(size)
        if size == least or seconds > FIRST_RUN / 2:
            break
    return size


def say(line: dict[str, Any]) -> None:
    """Prints a JSON line at once."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def climb(options: argparse.Namespace) -> None:
    """Prints `compile_seconds`, then one run a tolerance."""
    name, _, method = options.contender.partition(":")
    module = contenders.load(name)
    if hasattr(module, "configure"):
        module.configure(options.cores)
    case: Any = replace(find_case(options.case), method=method or None)
    with np.load(options.reference) as file:
        reference = file["values"]
    cores = 1 if case.alone else options.cores
    least = 1 if case.alone else 4 if name in ONE_BY_ONE else LEAST * cores
    runner = make_runner(case, name, least, cores)
    say({"compile_seconds": runner.compile_seconds})
    most = min(options.most or case.size, case.size)
    size = suitable_size(runner, case.ladder[0], least, most)
    repeats = MOST_CALLS if case.alone else MOST_RUNS
    end = time.perf_counter() + options.seconds
    for scale in case.ladder[: options.rungs]:
        found = run(case, runner, size, scale, FIRST_RUN, reference, repeats)
        # relative: atol is FLOOR of rtol
        found |= {"error": found["error"] * case.rtol, "largest": found["largest"] * case.rtol}
        say(found)
        if found["seconds"] > LONGEST_RUN or time.perf_counter() > end:
            break


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case")
    parser.add_argument("contender", help="native:METHOD, or another's name")
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--most", type=int, help="most trajectories, by default the case's")
    parser.add_argument("--rungs", type=int, help="tolerances, by default all")
    parser.add_argument("--seconds", type=float, default=4.0, help="until no other begins")
    try:
        climb(parser.parse_args())
    except Exception as error:
        say({"reason": f"{type(error).__name__}: {str(error).strip().splitlines()[0:1]}"})


if __name__ == "__main__":
    main()
