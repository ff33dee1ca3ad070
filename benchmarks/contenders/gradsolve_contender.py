"""gradsolve's fused Warp kernels on the CPU: Tsit5, and Rosenbrock23 for stiff problems."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.fields import array_field
from odeflow.problem.problem import Lanes

LABEL = "gradsolve, Warp on the CPU"
SERIAL = True
SIZED = False


def refuses(case: Any) -> str | None:
    """Why this cannot run a case."""
    return None if case.ts is None else "its fused kernels return end values only"


def build(case: Any, size: int, cores: int) -> Any:
    import gradsolve  # type: ignore
    import warp  # type: ignore

    warp.config.quiet = True
    field = array_field(case.model_name)
    parameters = case.model.declared.parameters
    varied = [name for name in parameters if name in case.varied]
    numbers = {name: float(parameter.value) for name, parameter in parameters.items()}

    def vector_field(t, y, p):
        # Its stiff kernels take no more parameters than there are states: those that do not vary
        # are numbers in the source.
        given = numbers | {name: p[i] for i, name in enumerate(varied)}
        y = list(y) if case.model_name != "ring" else y
        return field(t, y, list(given.values()))

    problem = SimpleNamespace(
        name=f"bench_{case.name}",
        dim=len(case.model.components),
        t0=float(case.model.declared.t0),
        t1=case.t1,
        is_stiff=case.stiff,
        f_jax=vector_field,
    )
    columns = [list(parameters).index(name) for name in varied]

    def solve(lanes: Lanes, scale: float) -> Any:
        return gradsolve.solve(
            problem,
            np.ascontiguousarray(lanes.y0.T),
            np.ascontiguousarray(lanes.args.T[:, columns]),
            engine="warp_rosenbrock" if case.stiff else "warp_ode",
            fused=True,
            rtol=case.rtol * scale,
            atol=case.atol * scale,
            device="cpu",
        ).y_final

    solve(case.lanes(4), 1.0)
    return solve


def values(case: Any, solution: Any) -> np.ndarray:
    return np.asarray(solution)[:, None, :]
