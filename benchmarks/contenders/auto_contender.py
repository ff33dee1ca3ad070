"""odeflow's native engine with `solver=auto`: the pilot chooses a method before the clock runs."""

import os
from dataclasses import replace
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax

from benchmarks.contenders.native_contender import values as values
from odeflow.config.ladder import ladder
from odeflow.config.solver import SolverConfig
from odeflow.engines.attempts import Retrier
from odeflow.engines.choice import EngineChoice, Resources
from odeflow.engines.pilot import Pilot
from odeflow.ensemble.build import resolved
from odeflow.problem.methods import AUTO

LABEL = "odeflow, method chosen"
SERIAL = False
SIZED = False
_PILOT = 8


def build(case: Any, size: int, cores: int) -> Any:
    jax.config.update("jax_enable_x64", True)
    resources = Resources(cores, Path(os.environ["BENCH_CACHE"]))
    retriers: dict[float, Retrier] = {}

    def prepare(scale):
        if scale not in retriers:
            retriers[scale] = _retrier(case, scale)
            solve(case.lanes(1), scale)

    def solve(lanes, scale):
        return retriers[scale].solve(lanes, resources).solution

    solve.prepare = prepare  # type: ignore
    prepare(1.0)
    return solve


def _retrier(case: Any, scale: float) -> Retrier:
    """What solves a case with candidates, as an experiment without `runtime.retry` has them."""
    solver = SolverConfig(
        method=AUTO, rtol=case.rtol * scale, atol=case.atol * scale, dt0=case.dt0,
        max_steps=1_000_000,
    )  # fmt: skip
    config: Any = SimpleNamespace(solver=solver, runtime=SimpleNamespace(retry=()))
    attempts = [rung.attempt(resolved(rung.solver, case.model)) for rung in ladder(config)]
    problem = replace(case.problem(scale), solver=attempts[0].solver)
    chosen, pilot = EngineChoice("native"), lambda resources: Pilot(case.lanes(_PILOT), inf)
    return Retrier(problem, attempts, chosen, "auto", "cpu", pilot)
