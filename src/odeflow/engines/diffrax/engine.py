"""The reference engine: Diffrax over blocks of lanes.

A block is a fixed number of lanes under `vmap`; blocks run one after another in a loop of unknown
length, shared over the local devices by `shard_map`. Every block runs the same compiled program
whatever the number of lanes, and at every place of a block that holds a trajectory the program does
the same operations, so a trajectory does not depend on its neighbours, to the bit.
"""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import eval_jaxpr
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from odeflow.engines.diffrax.blocks import BlockLayout, deal, layout_of
from odeflow.engines.diffrax.outcome import solution_of
from odeflow.engines.diffrax.plain_lane import plain_lane
from odeflow.engines.diffrax.reduced import without_algebraic
from odeflow.engines.diffrax.restarting_lane import restarting_lane
from odeflow.problem.problem import Lanes, Problem, Progress, Solution


def devices(platform: str) -> tuple[Any, ...]:
    """JAX's local devices, of its first platform for `auto`, else of cpu or gpu.

    Raises RuntimeError where JAX has none.
    """
    return tuple(jax.local_devices(backend=None if platform == "auto" else platform))


def solve(
    problem: Problem, lanes: Lanes, progress: Progress | None = None, platform: str = "auto"
) -> Solution:
    """Solves every lane with Diffrax, on all local devices of a platform, see `devices`.

    Raises RuntimeError where `problem.dtype` is float64 and JAX's x64 mode is off.
    """
    if problem.dtype == np.float64 and not jax.config.read("jax_enable_x64"):
        raise RuntimeError(
            "float64 needs JAX's x64 mode: call jax.config.update('jax_enable_x64', True) first, "
            "or take runtime.precision=float32"
        )
    local = devices(platform)
    layout = layout_of(problem, len(local))
    model, size = problem.model.declared, lanes.size
    t1 = np.full(size, model.t1) if lanes.t1 is None else lanes.t1
    # the ends of trajectories that have their own are a further parameter
    args = np.concatenate([lanes.args, t1[None]]) if problem.own_ends else lanes.args
    if problem.counted and lanes.counted is not None:
        args = np.concatenate([args, lanes.counted])
    jumps = 0
    if problem.jumps is not None and lanes.jumps is not None:
        # and so are all the numbers of a schedule
        schedule = (lanes.jumps.times, lanes.jumps.amounts, lanes.jumps.values)
        args = np.concatenate([args, *(x.reshape(-1, size) for x in schedule)])
        jumps = len(lanes.jumps.times)
    call = _compile(problem, layout, jumps, local)
    per_call = layout.devices * layout.blocks * layout.used
    parts = []
    for start in range(0, lanes.size, per_call):
        stop = min(start + per_call, lanes.size)
        index, counts = deal(start, stop, layout)
        # (device, block, component, lane): the lanes of a block lie side by side
        y0, points = (
            jnp.asarray(np.moveaxis(rows[:, index], 0, 2), problem.dtype)
            for rows in (lanes.y0, args)
        )
        dealt = call(y0, points, jnp.asarray(counts))
        used = max(counts)
        parts.append(
            jax.tree.map(
                lambda x, used=used, count=stop - start: np.asarray(x)[
                    :, :used, : layout.used
                ].reshape(-1, *x.shape[3:])[:count],
                dealt,
            )
        )
        if progress is not None:
            progress(stop)
    return solution_of(problem, t1, jax.tree.map(lambda *xs: np.concatenate(xs), *parts))


@lru_cache(maxsize=8)
def _compile(
    problem: Problem, layout: BlockLayout, jumps: int, local_devices: tuple[Any, ...]
) -> Any:
    """The jitted call: (device, block, component, lane) in, (device, block, lane, ...) out."""
    model, width = problem.model, layout.width
    parameters = len(model.declared.parameters) + problem.own_ends
    parameters += problem.counted * len(problem.guards)
    if problem.jumps is not None:
        parameters += jumps * (1 + sum(map(len, problem.jumps)))
    problem = without_algebraic(problem)
    lane_function = restarting_lane(problem, jumps) if problem.restarts else plain_lane(problem)
    lane = jax.vmap(lane_function, in_axes=1)
    shapes = (
        jax.ShapeDtypeStruct((len(model.components), width), problem.dtype),
        jax.ShapeDtypeStruct((parameters, width), problem.dtype),
    )
    # Traced here and not inside `shard_map`, where every shape carries its sharding and Lineax's
    # comparisons of structures fail.
    traced, result = jax.make_jaxpr(lane, return_shape=True)(*shapes)
    structure = jax.tree.structure(result)

    def block(y0: Any, args: Any) -> Any:
        flat = eval_jaxpr(traced.jaxpr, traced.consts, y0, args)
        return jax.tree.unflatten(structure, flat)

    def local(y0: Any, args: Any, count: Any) -> Any:
        y0, args = y0[0], args[0]
        out = jax.tree.map(lambda s: jnp.zeros((layout.blocks, *s.shape), s.dtype), result)

        def body(i: Any, out: Any) -> Any:
            solved = block(y0[i], args[i])
            return jax.tree.map(lambda all_, one: all_.at[i].set(one), out, solved)

        out = lax.fori_loop(0, count[0], body, out)
        return jax.tree.map(lambda x: x[None], out)

    mesh = Mesh(np.array(local_devices), ("device",))
    spec = PartitionSpec("device")
    sharded = jax.shard_map(local, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False)
    return jax.jit(sharded, in_shardings=NamedSharding(mesh, spec))
