"""odeflow's diffrax engine: the same model, blocks of lanes, all cores as devices."""

from typing import Any

import jax

from benchmarks.contenders.native_contender import values as values
from odeflow.engine import diffrax_engine
from odeflow.engine.problem import Lanes

LABEL = "odeflow, diffrax engine"
SERIAL = False
SIZED = False


def configure(cores: int) -> None:
    """Sets JAX up, before anything uses it."""
    jax.config.update("jax_num_cpu_devices", cores)


def build(case: Any, size: int, cores: int) -> Any:
    jax.config.update("jax_enable_x64", True)
    problems = {1.0: case.problem()}
    first = case.lanes(8)
    diffrax_engine.solve(problems[1.0], Lanes(first.y0, first.args))

    def solve(lanes, scale):
        if scale not in problems:
            problems[scale] = case.problem(scale)
        return diffrax_engine.solve(problems[scale], lanes)

    return solve
