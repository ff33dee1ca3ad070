"""Seconds until the native engine is ready for a model: a process of its own, one JSON line.

`translate` is from the vector field to programs of lanes. `compile` is the rest of a first solve of
eight lanes, less a second one: LLVM, or reading its machine code where a run before has kept it.
"""

import argparse
import json
import os
import time
from pathlib import Path

import jax

from benchmarks.problems import find_case
from odeflow.engines.native import engine


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case")
    jax.config.update("jax_enable_x64", True)
    case = find_case(parser.parse_args().case)
    problem, lanes = case.problem(), case.lanes(8)
    cache = Path(os.environ["BENCH_CACHE"])
    jax.numpy.zeros(1).block_until_ready()  # starts JAX, which is not the engine's time
    start = time.perf_counter()
    reason = engine.refusal(problem)
    if reason is not None:
        raise SystemExit(reason)
    translated = time.perf_counter()
    engine.solve(problem, lanes, threads=1, cache_dir=cache)
    first = time.perf_counter()
    engine.solve(problem, lanes, threads=1, cache_dir=cache)
    again = time.perf_counter() - first
    print(
        json.dumps({"translate": translated - start, "compile": first - translated - again}),
        flush=True,
    )


if __name__ == "__main__":
    main()
