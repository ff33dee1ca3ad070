"""What the default metrics cost: end values with them against end values without.

    python -m benchmarks.metrics                         five pairs of six problems
    python -m benchmarks.metrics --cases lorenz --repeats 9

Both solve the same trajectories with the native engine, on one thread, and are asked in turn, so
that a machine whose speed drifts slows both. Prints, a case a line, the processor time of a pair
(its median) and the ratio with metrics / without, median and range.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import jax

from benchmarks.problems import find_case
from odeflow.config.shipped import shipped_config
from odeflow.config.yaml_text import read_yaml
from odeflow.engines.native import engine
from odeflow.problem.problem import Lanes, Problem
from odeflow.problem.reductions import Reduction

CASES = ("seed", "lorenz", "ring_24", "robertson", "hires", "pollution")


def default_metrics() -> list[str]:
    """The metrics that a summary has where an experiment names none."""
    path = shipped_config() / "summary" / "default.yaml"
    return read_yaml(path.read_text())["metrics"]


def processor_seconds(problem: Problem, lanes: Lanes, cache: Path) -> float:
    start = time.process_time()
    engine.solve(problem, lanes, threads=1, cache_dir=cache)
    return time.process_time() - start


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="+", default=CASES)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    print(f"{'case':12} {'with':>8} {'without':>8}  ratio")
    for name in asked.cases:
        case = find_case(name)
        case = replace(case, ts=None, size=max(case.size // 4, 500))
        without, lanes = case.problem(), case.lanes(case.size)
        reductions = [Reduction(v, m) for v in without.variables for m in default_metrics()]
        both = replace(without, reductions=tuple(reductions)), without
        with tempfile.TemporaryDirectory() as folder:
            for problem in both:
                processor_seconds(problem, case.lanes(64), Path(folder))
            pairs = [
                [processor_seconds(problem, lanes, Path(folder)) for problem in both]
                for _ in range(asked.repeats)
            ]
        ratios = sorted(one / other for one, other in pairs)
        one, other = (statistics.median(column) for column in zip(*pairs))
        middle = statistics.median(ratios)
        print(f"{name:12} {one:8.3f} {other:8.3f}  {middle:.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
