"""CasADi's interface to CVODES: the field as an expression, its Jacobian from it, sparse."""

from typing import Any

import numpy as np

from benchmarks.compiled import expressions

LABEL = "CasADi, CVODES"
SERIAL = True
SIZED = False


def build(case: Any, size: int, cores: int) -> Any:
    import casadi as ca  # type: ignore

    x = ca.SX.sym("x", len(case.model.components))
    p = ca.SX.sym("p", len(case.model.declared.parameters))
    dae = {"x": x, "p": p, "ode": ca.vertcat(*expressions(case, ca.vertsplit(x), ca.vertsplit(p)))}
    segments = getattr(case, "segments", [(float(case.model.declared.t0), case.t1, 0.0)])
    method = "bdf" if case.stiff else "adams"
    integrators: dict[float, list[Any]] = {}

    def prepare(scale):
        options = {
            "reltol": case.rtol * scale, "abstol": case.atol * scale, "max_num_steps": 10**7,
            "linear_multistep_method": method,
        }  # fmt: skip
        if scale not in integrators:
            grids = [case.times] if case.ts is not None else [end for _, end, _ in segments]
            starts = [start for start, _, _ in segments]
            integrators[scale] = [
                ca.integrator("solve", "cvodes", dae, start, grid, options)
                for start, grid in zip(starts, grids, strict=True)
            ]

    def solve(lanes, scale):
        out = np.full((lanes.size, len(case.times), len(lanes.y0)), np.nan)
        for lane, (y, args) in enumerate(zip(lanes.y0.T, lanes.args.T, strict=True)):
            try:
                for (_, _, amount), one in zip(segments, integrators[scale], strict=True):
                    y = np.array(y, copy=True).ravel()
                    y[0] += amount
                    y = np.asarray(one(x0=y, p=args)["xf"])
            except RuntimeError:
                continue
            out[lane] = y.T
        return out

    solve.prepare = prepare  # type: ignore
    prepare(1.0)
    return solve


def values(case: Any, solution: Any) -> np.ndarray:
    return solution
