"""SUNDIALS' CVODE by scikit-sundae, the right-hand side compiled by Numba.

BDF where the problem is stiff, else Adams; of its linear solvers the one that suits: banded, sparse
(SuperLU_MT: the wheel has no KLU) or dense. Each call of the right-hand side enters it by way of
Python, some tenths of a microsecond.
"""

from typing import Any

import numpy as np

from benchmarks.compiled import order, writer

LABEL = "CVODE, scikit-sundae"
SERIAL = True
SIZED = False


def options(case: Any, args: np.ndarray) -> dict[str, Any]:
    """The method and the linear solver; `args` are the parameters at any time."""
    large = getattr(case, "large", None)
    found: dict[str, Any] = {"method": "BDF" if case.stiff else "Adams", "max_num_steps": 10**7}
    bounce = getattr(case, "bounce", None)
    if bounce is not None:

        def ground(t, y, events):
            events[0] = y[bounce.height]

        ground.terminal, ground.direction = [True], [-1]  # type: ignore
        found |= {"eventsfn": ground, "num_events": 1}
    if large is None:
        return found
    if large.band:
        return found | {"linsolver": "band", "lband": large.band, "uband": large.band}
    if large.write_jacobian is not None:
        jacobian = large.write_jacobian
        found["jacfn"] = lambda t, y, dy, values: jacobian(t, y, dy, values, args)
    if large.pattern is not None:
        return found | {"linsolver": "sparse", "sparsity": large.pattern, "nthreads": 1}
    return found | {"linsolver": "lapackdense"}


def build(case: Any, size: int, cores: int) -> Any:
    from sksundae.cvode import CVODE  # type: ignore

    args = np.ones(len(case.model.declared.parameters))
    write, place, chosen = writer(case), order(case), options(case, args)
    back, follow = np.argsort(place), _bouncing if getattr(case, "bounce", None) else _course
    segments = getattr(case, "segments", [(float(case.model.declared.t0), case.t1, 0.0)])

    def solve(lanes, scale):
        solver = CVODE(
            lambda t, y, dy: write(t, y, dy, args), rtol=case.rtol * scale,
            atol=case.atol * scale, **chosen,
        )  # fmt: skip
        out = np.full((lanes.size, len(case.times), len(place)), np.nan)
        for lane, y0 in enumerate(np.ascontiguousarray(lanes.y0[place].T)):
            args[:] = lanes.args[:, lane]
            found = follow(case, solver, y0, segments, args)
            if found is not None:
                out[lane] = found[:, back]
        return out

    solve(case.lanes(1), 1000.0)
    return solve


def _course(
    case: Any, solver: Any, y0: np.ndarray, segments: Any, args: np.ndarray
) -> np.ndarray | None:
    """One trajectory at the saved times; None where it fails."""
    if case.ts is not None:
        times = np.unique(np.append(segments[0][0], case.times))
        result = solver.solve(times, y0)
        return result.y[len(times) - len(case.times) :] if result.success else None
    for start, end, amount in segments:
        y0[0] += amount
        # of two times alone it would keep every step
        result = solver.solve(np.array([start, (start + end) / 2, end]), y0)
        if not result.success:
            return None
        y0 = result.y[-1].copy()
    return y0[None]


def _bouncing(
    case: Any, solver: Any, y: np.ndarray, segments: Any, args: np.ndarray
) -> np.ndarray | None:
    """One trajectory's end, restarted at each event; None where it fails."""
    _, speed, kept = case.bounce
    ((start, _, _),) = segments
    while True:
        result = solver.solve(np.array([start, (start + case.t1) / 2, case.t1]), y)
        if not result.success:
            return None
        start, y = result.t[-1], result.y[-1].copy()
        if start == case.t1:
            return y[None]
        y[speed] *= -args[kept]


def values(case: Any, solution: Any) -> np.ndarray:
    return solution
