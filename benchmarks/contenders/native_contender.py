"""odeflow's native engine."""

import os
from pathlib import Path
from typing import Any

import jax
import numpy as np

from odeflow.engines.native import engine

LABEL = "odeflow, native engine"
SERIAL = False
SIZED = False


def build(case: Any, size: int, cores: int) -> Any:
    jax.config.update("jax_enable_x64", True)
    cache = Path(os.environ["BENCH_CACHE"])
    problems, long = {}, getattr(case, "large", None) or getattr(case, "sensitivities", ())

    def solve(lanes, scale):
        return engine.solve(problems[scale], lanes, threads=cores, cache_dir=cache)

    def prepare(scale):
        if scale not in problems:
            problems[scale] = case.problem(scale)
            if long and scale != 1.0:  # compiles once
                engine.renumber(problems[scale], problems[1.0])
            solve(case.lanes(1), scale)

    solve.prepare = prepare  # type: ignore
    prepare(1.0)
    return solve


def values(case: Any, solution: Any) -> np.ndarray:
    parts = [v.reshape(*v.shape[:2], -1) for v in solution.values.values()]
    return np.concatenate(parts, axis=2)
