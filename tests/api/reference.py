"""What `ensemble_solve` is compared with: `jit(vmap(diffeqsolve))`, and the fields of the tests."""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import odeflow

PID = diffrax.PIDController(rtol=1e-6, atol=1e-8)


def lotka_volterra(t: Any, y: Any, args: Any) -> Any:
    del t
    prey, predator = y
    a, b, c, d = args
    return jnp.stack([a * prey - b * prey * predator, c * prey * predator - d * predator])


def pendulum(t: Any, y: Any, args: Any) -> Any:
    """A forced pendulum: a nested pytree of a matrix and a scalar, which depends on time."""
    angle, speed = y["motion"][0]
    force = args["force"][0] * jnp.sin(args["force"][1] * t)
    slope = jnp.stack([speed, -jnp.sin(angle) - args["drag"] * speed + force])
    return {"motion": slope[None], "work": (force * speed,)}


def robertson(t: Any, y: Any, args: Any) -> Any:
    del t
    a, b, c = y
    slow = args * a
    return (-slow + 1e4 * b * c, slow - 1e4 * b * c - 3e7 * b**2, 3e7 * b**2)


def animals(lanes: int, seed: int = 0) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Initial values and parameters of `lotka_volterra`, two of which trajectories share."""
    draw = np.random.default_rng(seed)
    y0 = draw.uniform(0.5, 2.0, (lanes, 2))
    return y0, (draw.uniform(0.8, 1.2, lanes), 1.0, 0.9, draw.uniform(0.8, 1.2, lanes))


ANIMALS_AXES = (0, (0, None, None, 0))


def by_diffrax(
    field: Any, solver: Any, t0: Any, t1: Any, dt0: Any, y0: Any, args: Any = None, *,
    in_axes: Any = 0, **settings: Any,
) -> Any:  # fmt: skip
    """The solution by Diffrax under `jit` and `vmap`."""
    solve = lambda y0, args: diffrax.diffeqsolve(
        diffrax.ODETerm(field), solver, t0, t1, dt0, y0, args, **settings
    )
    pair = in_axes if isinstance(in_axes, tuple) else (in_axes, in_axes)
    if in_axes is None:
        return jax.jit(solve)(y0, args)
    return jax.jit(jax.vmap(solve, in_axes=pair))(y0, args)


def by_odeflow(field: Any, *rest: Any, **settings: Any) -> Any:
    return odeflow.ensemble_solve(diffrax.ODETerm(field), *rest, **settings)


def assert_same(ours: Any, theirs: Any, rtol: float = 1e-12, atol: float = 1e-12) -> None:
    """The same structure, shapes and values, and the same numbers of steps."""
    assert jax.tree.structure(ours.ys) == jax.tree.structure(theirs.ys)
    for one, other in zip(jax.tree.leaves(ours.ys), jax.tree.leaves(theirs.ys)):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)
    np.testing.assert_allclose(ours.ts, theirs.ts)
    for name in ("num_steps", "num_accepted_steps", "num_rejected_steps"):
        np.testing.assert_array_equal(ours.stats[name], theirs.stats[name])
    assert np.all(ours.stats["max_steps"] == theirs.stats["max_steps"])
    assert bool(jnp.all(ours.result == theirs.result))
