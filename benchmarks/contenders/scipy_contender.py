"""SciPy's `solve_ivp(method="LSODA")` in a Python loop."""

from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.fields import scalar_field, write_ring

LABEL = "SciPy LSODA, Python loop"
SERIAL = True
SIZED = False


def python_field(case: Any) -> Any:
    """The field for `solve_ivp`: t, y and the parameters' values in a list."""
    if case.model_name != "ring":
        field = scalar_field(case.model_name)
        return lambda t, y, p: field(t, y.tolist(), p)

    def ring(t, y, p):
        dy = np.empty_like(y)
        write_ring(dy, y.tolist(), p)
        return dy

    return ring


def build(case: Any, size: int, cores: int) -> Any:
    field = python_field(case)
    config = case.model.declared

    def bouncing(y, p, **options):
        height, speed, kept = case.bounce

        def ground(t, y, p):
            return y[height]

        ground.terminal, ground.direction = True, -1.0
        t = config.t0
        while True:
            course = solve_ivp(
                field, (t, case.t1), y, "LSODA", events=ground, args=(p.tolist(),), **options
            )
            t, y = course.t[-1], course.y[:, -1].copy()
            if course.status == 0:
                return y[None]
            y[speed] *= -p[kept]

    def solve(lanes, scale):
        if getattr(case, "bounce", None) is not None:
            tolerances = {"rtol": case.rtol * scale, "atol": case.atol * scale}
            return [bouncing(y, p, **tolerances) for y, p in zip(lanes.y0.T, lanes.args.T)]
        return [
            solve_ivp(
                field, (config.t0, config.t1), y0, "LSODA", case.times, args=(p.tolist(),),
                rtol=case.rtol * scale, atol=case.atol * scale, first_step=case.dt0,
            ).y.T
            for y0, p in zip(lanes.y0.T, lanes.args.T)
        ]  # fmt: skip

    return solve


def values(case: Any, solution: Any) -> np.ndarray:
    return np.array(solution)
