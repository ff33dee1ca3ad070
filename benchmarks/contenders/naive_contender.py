"""What people write today: `jit(vmap(diffeqsolve))` with the state an array of shape (n,)."""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.fields import array_field

LABEL = "jit(vmap(diffeqsolve))"
SERIAL = False
SIZED = True


def build(case: Any, size: int, cores: int) -> Any:
    jax.config.update("jax_enable_x64", True)
    term = diffrax.ODETerm(array_field(case.model_name))
    method = diffrax.Kvaerno5() if case.stiff else diffrax.Tsit5()
    saveat = diffrax.SaveAt(t1=True) if case.ts is None else diffrax.SaveAt(ts=jnp.array(case.ts))

    def solve(y0, p, rtol, atol):
        solution = diffrax.diffeqsolve(
            term, method, 0.0, case.t1, case.dt0, y0, p,
            saveat=saveat, stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
            max_steps=1_000_000, throw=False,
        )  # fmt: skip
        return solution.ys

    batched = jax.jit(jax.vmap(solve, in_axes=(0, 0, None, None)))

    def arguments(lanes, scale):
        return (
            jnp.asarray(lanes.y0.T),
            jnp.asarray(lanes.args.T),
            case.rtol * scale,
            case.atol * scale,
        )

    compiled = batched.lower(*arguments(case.lanes(size), 1.0)).compile()
    return lambda lanes, scale: jax.block_until_ready(compiled(*arguments(lanes, scale)))


def values(case: Any, solution: Any) -> np.ndarray:
    return np.asarray(solution)
