"""odeflow's diffrax engine: the same model, blocks of lanes, all cores as devices."""

from typing import Any

import jax

from benchmarks.contenders.native_contender import values as values
from odeflow.engines.diffrax import engine as diffrax_engine

LABEL = "odeflow, diffrax engine"
SERIAL = False
SIZED = False


def configure(cores: int) -> None:
    """Sets JAX up, before anything uses it."""
    jax.config.update("jax_num_cpu_devices", cores)


def build(case: Any, size: int, cores: int) -> Any:
    jax.config.update("jax_enable_x64", True)
    problems = {}

    def solve(lanes, scale):
        return diffrax_engine.solve(problems[scale], lanes)

    def prepare(scale):
        if scale not in problems:
            problems[scale] = case.problem(scale)
            solve(case.lanes(8), scale)

    solve.prepare = prepare  # type: ignore
    prepare(1.0)
    return solve
