"""`odeflow.ensemble_solve` of one trajectory, with Diffrax's objects, as one calls it."""

import os
from pathlib import Path
from typing import Any

import diffrax
import jax
import numpy as np

import odeflow
from benchmarks.fields import array_field

LABEL = "odeflow.ensemble_solve"
SERIAL = False
SIZED = False
_SOLVERS = {"tsit5": diffrax.Tsit5, "dopri8": diffrax.Dopri8, "rodas5p": odeflow.Rodas5P}


def build(case: Any, size: int, cores: int) -> Any:
    jax.config.update("jax_enable_x64", True)
    term, solver = diffrax.ODETerm(array_field(case.model_name)), _SOLVERS[case.method]()
    start, saveat = case.model.declared.t0, diffrax.SaveAt(t1=True)
    cache = Path(os.environ["BENCH_CACHE"])
    controllers: dict[float, Any] = {}

    def prepare(scale):
        if scale not in controllers:
            controllers[scale] = diffrax.PIDController(case.rtol * scale, case.atol * scale)
            solve(case.lanes(1), scale)

    def solve(lanes, scale):
        return odeflow.ensemble_solve(
            term, solver, start, case.t1, case.dt0, lanes.y0[:, 0], lanes.args[:, 0], in_axes=None,
            saveat=saveat, stepsize_controller=controllers[scale], threads=1, cache=cache,
            max_steps=1_000_000,
        )  # fmt: skip

    solve.prepare = prepare  # type: ignore
    prepare(1.0)
    return solve


def values(case: Any, solution: Any) -> np.ndarray:
    return np.asarray(solution.ys)[None]
