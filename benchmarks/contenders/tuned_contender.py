"""`jit(vmap(diffeqsolve))` as Diffrax's documentation advises where no gradient is wanted.

One jitted function, `ForwardMode` and no bound of steps, so that its loop keeps no checkpoints;
Dopri8 where it is tight, Kvaerno5 with a PI controller where it is stiff; no error is thrown.
"""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx

from benchmarks.fields import array_field

LABEL = "Diffrax as advised"
SERIAL = False
SIZED = True
_TIGHT = 1e-8


def build(case: Any, size: int, cores: int) -> Any:
    jax.config.update("jax_enable_x64", True)
    term, declared = diffrax.ODETerm(array_field(case.model_name)), case.model.declared
    saveat = diffrax.SaveAt(t1=True) if case.ts is None else diffrax.SaveAt(ts=jnp.array(case.ts))
    segments = getattr(case, "segments", [(float(declared.t0), case.t1, 0.0)])
    coefficients = {"pcoeff": 0.3, "icoeff": 0.4} if case.stiff else {}

    def make(method):
        def course(y0, p, rtol, atol, start, end):
            return diffrax.diffeqsolve(
                term, method, start, end, None, y0, p, saveat=saveat,
                stepsize_controller=diffrax.PIDController(rtol, atol, **coefficients),
                adjoint=diffrax.ForwardMode(), max_steps=None, throw=False,
            ).ys  # fmt: skip

        def bouncing(y0, p, rtol, atol):
            height, speed, kept = case.bounce
            above = lambda t, y, args, **more: y[height]
            event = diffrax.Event(above, optx.Newton(rtol, atol), direction=False)

            def fall(carry):
                solution = diffrax.diffeqsolve(
                    term, method, carry[0], case.t1, None, carry[1], p, event=event,
                    stepsize_controller=diffrax.PIDController(rtol, atol),
                    adjoint=diffrax.ForwardMode(), max_steps=None, throw=False,
                )  # fmt: skip
                t, y = solution.ts[-1], solution.ys[-1]
                fell = solution.result == diffrax.RESULTS.event_occurred
                return t, y.at[speed].multiply(jnp.where(fell, -p[kept], 1.0))

            start = jnp.asarray(segments[0][0], y0.dtype), y0
            return jax.lax.while_loop(lambda carry: carry[0] < case.t1, fall, start)[1][None]

        def solve(y0, p, rtol, atol):
            if len(segments) == 1:
                return course(y0, p, rtol, atol, *segments[0][:2])

            def dosed(y, segment):
                y = y.at[0].add(segment[2])
                return course(y, p, rtol, atol, segment[0], segment[1])[-1], None

            return jax.lax.scan(dosed, y0, jnp.array(segments))[0][None]

        chosen = bouncing if getattr(case, "bounce", None) else solve
        return jax.jit(jax.vmap(chosen, in_axes=(0, 0, None, None)))

    def arguments(lanes, scale):
        y0, p = jnp.asarray(lanes.y0.T), jnp.asarray(lanes.args.T)
        return y0, p, case.rtol * scale, case.atol * scale

    compiled: dict[str, Any] = {}

    def name(scale):
        if case.stiff:
            return "Kvaerno5"
        return "Tsit5" if case.rtol * scale > _TIGHT else "Dopri8"

    def prepare(scale):
        if name(scale) not in compiled:
            batched = make(getattr(diffrax, name(scale))())
            compiled[name(scale)] = batched.lower(*arguments(case.lanes(size), 1.0)).compile()

    def solve(lanes, scale):
        return jax.block_until_ready(compiled[name(scale)](*arguments(lanes, scale)))

    solve.prepare = prepare  # type: ignore
    prepare(1000.0)
    return solve


def values(case: Any, solution: Any) -> np.ndarray:
    return np.asarray(solution)
