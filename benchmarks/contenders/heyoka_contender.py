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


def system(case: Any, hy: Any) -> Any:
    """Pairs of a symbol and its derivative, or their variational equations.

    These are along logarithms of factors of the parameters: heyoka has one tolerance for all.
    """
    names = [f"y{i}" for i in range(getattr(case, "width", len(case.model.components)))]
    symbols = [hy.expression(name) for name in names]
    known = list(case.model.declared.parameters)
    parameters = [hy.par[i] for i in range(len(known))]
    along = getattr(case, "sensitivities", ())
    logs = [hy.par[len(known) + k] for k in range(len(along))]
    for name, log in zip(along, logs, strict=True):
        parameters[known.index(name)] *= hy.exp(log)
    found = list(zip(symbols, expressions(case, symbols, parameters), strict=True))
    return hy.var_ode_sys(found, args=logs) if along else found


def given(case: Any, args: np.ndarray) -> np.ndarray:
    """The parameters of `system` for those of lanes."""
    logs = np.zeros((len(getattr(case, "sensitivities", ())), *args.shape[1:]))
    return np.concatenate([args, logs])


def in_order(case: Any, ends: np.ndarray, args: np.ndarray) -> np.ndarray:
    """States of `system`, (..., component), as the model has them; `args` by (parameter, ...)."""
    along = getattr(case, "sensitivities", ())
    if not along:
        return ends
    known = list(case.model.declared.parameters)
    sizes = np.moveaxis(args[[known.index(name) for name in along]], 0, -1)
    slopes = ends[..., case.width :].reshape(*ends.shape[:-1], case.width, len(along))
    slopes = np.swapaxes(slopes / sizes[..., None, :], -1, -2)
    return np.concatenate([ends[..., : case.width], slopes.reshape(*ends.shape[:-1], -1)], -1)


def events(case: Any, hy: Any) -> dict[str, Any]:
    """The bounce of a case, as an argument of an integrator."""
    bounce = getattr(case, "bounce", None)
    if bounce is None:
        return {}

    # a parameter that the field does not read is none of the integrator's; nothing varies it
    kept = list(case.model.declared.parameters.values())[bounce.kept].value

    def turn(ta, sign, lane):
        ta.state[bounce.speed, lane] *= -kept
        return True

    falling = {"direction": hy.event_direction.negative, "callback": turn}
    return {"t_events": [hy.t_event_batch(hy.expression(f"y{bounce.height}"), **falling)]}


def build(case: Any, size: int, cores: int) -> Any:
    import heyoka as hy  # type: ignore

    width, equations, integrators = hy.recommended_simd_size(), system(case, hy), {}
    width = 1 if getattr(case, "alone", False) else width
    shape = len(case.model.components), width
    segments = getattr(case, "segments", [(float(case.model.declared.t0), case.t1, 0.0)])

    def prepare(scale):
        if scale not in integrators:
            integrators[scale] = hy.taylor_adaptive_batch(
                equations, np.zeros((getattr(case, "width", shape[0]), width)),
                tol=case.rtol * scale, compact_mode=shape[0] > _MANY, **events(case, hy),
            )  # fmt: skip

    def solve(lanes, scale):
        ta, out = integrators[scale], np.empty((lanes.size, len(case.times), shape[0]))
        for first in range(0, lanes.size, width):
            chosen = np.minimum(np.arange(first, first + width), lanes.size - 1)
            ta.set_time(segments[0][0])
            ta.state[:] = lanes.y0[:, chosen]
            ta.pars[:] = given(case, lanes.args[:, chosen])[: len(ta.pars)]
            kept = slice(first, min(first + width, lanes.size))
            out[kept] = _course(case, ta, segments)[: kept.stop - first]
        return in_order(case, out, lanes.args[..., None])

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
