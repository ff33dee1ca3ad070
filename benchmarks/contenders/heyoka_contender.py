"""heyoka's adaptive Taylor series, a SIMD vector of trajectories at a time."""

from typing import Any

import numpy as np

from benchmarks.compiled import expressions

LABEL = "heyoka, Taylor series, batches"
SERIAL = True
SIZED = False
_MANY = 40  # components from which its compact mode compiles in seconds


def refuses(case: Any) -> str | None:
    """Why this cannot run a case."""
    import heyoka  # noqa: F401 # type: ignore

    return "explicit, and the case is large and stiff" if getattr(case, "large", None) else None


def system(case: Any, hy: Any) -> list[Any]:
    """Pairs of a symbol and its derivative."""
    names = [f"y{i}" for i in range(len(case.model.components))]
    symbols = [hy.expression(name) for name in names]
    parameters = [hy.par[i] for i in range(len(case.model.declared.parameters))]
    return list(zip(symbols, expressions(case, symbols, parameters), strict=True))


def build(case: Any, size: int, cores: int) -> Any:
    import heyoka as hy  # type: ignore

    width, equations, integrators = hy.recommended_simd_size(), system(case, hy), {}
    shape = len(equations), width
    segments = getattr(case, "segments", [(float(case.model.declared.t0), case.t1, 0.0)])

    def prepare(scale):
        if scale not in integrators:
            integrators[scale] = hy.taylor_adaptive_batch(
                equations, np.zeros(shape), tol=case.rtol * scale,
                pars=np.zeros((len(case.model.declared.parameters), width)),
                compact_mode=len(equations) > _MANY,
            )  # fmt: skip

    def solve(lanes, scale):
        ta, out = integrators[scale], np.empty((lanes.size, len(case.times), len(equations)))
        for first in range(0, lanes.size, width):
            chosen = np.minimum(np.arange(first, first + width), lanes.size - 1)
            ta.set_time(segments[0][0])
            ta.state[:], ta.pars[:] = lanes.y0[:, chosen], lanes.args[:, chosen]
            kept = slice(first, min(first + width, lanes.size))
            out[kept] = _course(case, ta, segments)[: kept.stop - first]
        return out

    solve.prepare = prepare  # type: ignore
    prepare(1.0)
    return solve


def _course(case: Any, ta: Any, segments: Any) -> np.ndarray:
    """Values of a vector's trajectories: (lane, time, component)."""
    if case.ts is not None:
        grid = np.repeat(case.times[:, None], ta.batch_size, axis=1)
        return np.moveaxis(ta.propagate_grid(grid)[1], 2, 0)
    for _, end, amount in segments:
        ta.state[0] += amount
        ta.propagate_until(end)
    return ta.state.T[:, None, :].copy()


def values(case: Any, solution: Any) -> np.ndarray:
    return solution
