"""The reference engine: Diffrax over blocks of lanes.

A block is a fixed number of lanes under `vmap`; blocks run one after another in a loop of unknown
length, shared over the local devices by `shard_map`. Every block runs the same compiled program
whatever the number of lanes, and at every place of a block that holds a trajectory the program does
the same operations, so a trajectory does not depend on its neighbours, to the bit.
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from diffrax import RESULTS
from jax import lax
from jax.core import eval_jaxpr
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from odeflow.engines.diffrax.lane_control import WILD, lane_controller
from odeflow.engines.diffrax.methods import diffrax_solver
from odeflow.engines.diffrax.reducing import ReducingSolver
from odeflow.engines.diffrax.restarts import Segment, WatchingSolver, course, known_at, select_times
from odeflow.engines.shared.crossings import Crossings
from odeflow.engines.shared.events import Watch, with_stop_values
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import JumpTargets, Lanes, Problem, Progress, Solution
from odeflow.problem.reductions import finish, reducers
from odeflow.problem.status import Status, has_failed

#: Scalars of state in a block: enough to fill the vector units, few enough for the cache.
_BLOCK_SCALARS = 1024
_LARGEST_WIDTH = 512
#: LLVM may leave the last lanes of a loop to scalar code (where the loop reads several states of a
#: lane at once), which rounds differently: other products fuse with a sum. So a block ends with
#: copies that nobody reads: two vectors or more. Blocks of the smallest width need none, since LLVM
#: vectorises so short a loop whole or not at all.
_SMALLEST_WIDTH, _SMALLEST_GUARDED_WIDTH, _SMALLEST_GUARD = 8, 64, 16
#: Bytes of output that one device may hold in one call.
_CALL_BYTES = 64 * 2**20
_MOST_BLOCKS_A_CALL = 16


class _LaneResult(NamedTuple):
    """What Diffrax says of one lane; `values` by variable, (time, *shape).

    `reduced` are the accumulators of the variables that are reduced.
    """

    values: dict[str, Any]
    reduced: dict[str, tuple[Any, ...]]
    result: Any
    num_steps: Any
    num_accepted_steps: Any
    num_rejected_steps: Any
    time_reached: Any
    non_finite: Any
    error_infinite: Any
    stopped: Any
    events_failed: Any
    at_stop: Any = None


class _Layout(NamedTuple):
    """How lanes are cut: at most `blocks` blocks a device and call, `width` lanes a block.

    The last `guard` lanes of a block are not used.
    """

    devices: int
    blocks: int
    width: int
    guard: int

    @property
    def used(self) -> int:
        """Trajectories in a block."""
        return self.width - self.guard


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
    layout = _layout(problem, len(local))
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
        index, counts = _deal(start, stop, layout)
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
    return _solution(problem, t1, jax.tree.map(lambda *xs: np.concatenate(xs), *parts))


def _layout(problem: Problem, number: int) -> _Layout:
    """Depends on problem and number of devices, never on the number of lanes."""
    model = problem.model
    width = min(2 ** int(math.log2(_BLOCK_SCALARS / len(model.components))), _LARGEST_WIDTH)
    guarded = 2 * width >= _SMALLEST_GUARDED_WIDTH
    width = max(width, _SMALLEST_GUARDED_WIDTH) if guarded else _SMALLEST_WIDTH
    guard = max(width // 8, _SMALLEST_GUARD) if guarded else 0
    saved = sum(
        math.prod(model.declared.states[name].shape) if name in model.declared.states else 1
        for name in problem.variables
    )
    lane_bytes = problem.dtype.itemsize * len(problem.times) * saved
    blocks = int(np.clip(_CALL_BYTES // (lane_bytes * width), 1, _MOST_BLOCKS_A_CALL))
    return _Layout(number, blocks, width, guard)


def _deal(start: int, stop: int, layout: _Layout) -> tuple[np.ndarray, np.ndarray]:
    """Lane numbers (device, block, lane) of a call, and the blocks each device has to run.

    What is left of the last block is filled up with copies of its last trajectory, which cost no
    extra steps, and so are the lanes of a block that are not used.
    """
    used = -(-(stop - start) // layout.used)
    share = -(-used // layout.devices)
    block = np.arange(layout.devices)[:, None] * share + np.arange(layout.blocks)
    place = np.minimum(np.arange(layout.width), layout.used - 1)
    lane = start + block[..., None] * layout.used + place
    counts = np.clip(used - share * np.arange(layout.devices), 0, share).astype(np.int32)
    return np.minimum(lane, stop - 1), counts


@lru_cache(maxsize=8)
def _compile(problem: Problem, layout: _Layout, jumps: int, local_devices: tuple[Any, ...]) -> Any:
    """The jitted call: (device, block, component, lane) in, (device, block, lane, ...) out."""
    model, width = problem.model, layout.width
    parameters = len(model.declared.parameters) + problem.own_ends
    parameters += problem.counted * len(problem.guards)
    if problem.jumps is not None:
        parameters += jumps * (1 + sum(map(len, problem.jumps)))
    lane_function = (
        _restarting_lane(problem, jumps) if problem.restarts else _lane_function(problem)
    )
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


def _lane_function(problem: Problem) -> Any:
    model, config, dtype = problem.model, problem.solver, problem.dtype
    solver = diffrax_solver(problem)
    term = diffrax.ODETerm(model.vector_field)  # pyright: ignore[reportArgumentType]
    controller = lane_controller(problem, model.example(dtype)[1])
    t0, t1 = (jnp.asarray(t, dtype) for t in (model.declared.t0, model.declared.t1))
    dt0 = None if config.dt0 is None else jnp.asarray(config.dt0, dtype)
    reducer = reducers(problem.reductions)
    if reducer:
        observe, each = model.observer(tuple(reducer)), tuple(reducer.items())
        solver = ReducingSolver(solver, observe, each, problem.nodes)
    ts = None if problem.ts is None else jnp.asarray(problem.ts, dtype)
    observer = model.observer(problem.variables)

    def lane(y0: Any, args: Any) -> _LaneResult:
        end, times = t1, ts
        if problem.own_ends:
            *args, end = args
            times = None if ts is None else jnp.minimum(ts, end)
        saveat = diffrax.SaveAt(
            ts=times,
            t1=ts is None,
            fn=observer,
            controller_state=True,
            solver_state=bool(reducer),
        )
        solution = diffrax.diffeqsolve(
            term,
            solver,
            t0=t0,
            t1=end,
            dt0=dt0,
            y0=model.unflatten(tuple(y0)),
            args=model.Args(*args),
            saveat=saveat,
            stepsize_controller=controller,
            max_steps=config.max_steps,
            throw=False,
            adjoint=diffrax.ForwardMode(),
        )
        _, time_reached, non_finite, error_infinite = solution.controller_state  # type: ignore
        values: Any = solution.ys
        if times is not None:
            # Diffrax saves what is at t0 after the first step that it keeps
            start = model.unflatten(tuple(y0))
            at_start = known_at(start, observer(t0, start, model.Args(*args)))
            values = select_times(times <= t0, at_start, values)
        return _LaneResult(
            values=values,
            reduced=solution.solver_state[1] if reducer else {},  # type: ignore
            result=solution.result._value,
            num_steps=solution.stats["num_steps"],
            num_accepted_steps=solution.stats["num_accepted_steps"],
            num_rejected_steps=solution.stats["num_rejected_steps"],
            time_reached=time_reached,
            non_finite=non_finite,
            error_infinite=error_infinite,
            stopped=jnp.asarray(False),
            events_failed=jnp.asarray(False),
        )

    return lane


def _restarting_lane(problem: Problem, jumps: int) -> Any:
    """As `_lane_function`, for trajectories that stop and go on."""
    model, config, dtype = problem.model, problem.solver, problem.dtype
    term = diffrax.ODETerm(model.vector_field)  # pyright: ignore[reportArgumentType]
    t0, t1 = (jnp.asarray(t, dtype) for t in (model.declared.t0, model.declared.t1))
    dt0 = None if config.dt0 is None else jnp.asarray(config.dt0, dtype)
    reducer = reducers(problem.reductions)
    watch = Watch(problem)
    crossings = Crossings(problem, watch) if watch else None
    ts = None if problem.ts is None else jnp.asarray(problem.ts, dtype)
    observer, observe = model.observer(problem.variables), model.observer(tuple(reducer))
    targets = problem.jumps or JumpTargets((), ())
    method = diffrax_solver(problem)

    def solve(t: Any, y: Any, args: Any, end: Any, steps: Any, memory: Any, kept: Any) -> Segment:
        solver: Any = method
        if crossings is not None:
            solver = WatchingSolver(solver, crossings, memory)
        if reducer:
            each = tuple(reducer.items())
            solver = ReducingSolver(solver, observe, each, problem.nodes, kept)
        saved = [diffrax.SubSaveAt(t1=True)]
        if ts is not None:
            saved.append(diffrax.SubSaveAt(ts=jnp.clip(ts, t, end), fn=observer))
        solution = diffrax.diffeqsolve(
            term,
            solver,
            t0=t,
            t1=end,
            dt0=dt0,
            y0=y,
            args=args,
            saveat=diffrax.SaveAt(subs=saved, controller_state=True, solver_state=True),
            stepsize_controller=lane_controller(problem, y, steps),
            max_steps=config.max_steps,
            throw=False,
            adjoint=diffrax.ForwardMode(),
        )
        controller, _ = solution.controller_state  # type: ignore
        _, reached, non_finite, error_infinite = controller
        state, y, fired = solution.solver_state, solution.ys[0], jnp.asarray(False)  # type: ignore
        y = jax.tree.map(lambda x: x[0], y)
        if reducer:
            state, kept = state  # type: ignore
        if watch:
            memory, fired, t_fired, y_fired, _ = state[1]  # type: ignore
            reached = jnp.where(fired, t_fired, reached)
            y = jax.tree.map(lambda a, b: jnp.where(fired, a, b), y_fired, y)
        return Segment(
            t=reached,
            y=y,
            values={} if ts is None else solution.ys[1],  # type: ignore
            kept=kept,
            memory=memory,
            fired=fired,
            result=solution.result._value,
            num_steps=solution.stats["num_steps"],
            num_accepted_steps=solution.stats["num_accepted_steps"],
            non_finite=non_finite,
            error_infinite=error_infinite,
        )

    def lane(y0: Any, args: Any) -> _LaneResult:
        count = len(model.declared.parameters)
        args, rest = args[:count], args[count:]
        end = t1
        if problem.own_ends:
            end, rest = rest[0], rest[1:]
        counted = None
        if problem.counted:
            counted, rest = rest[: len(problem.guards)], rest[len(problem.guards) :]
        sizes = (1, *map(len, targets))
        parts = jnp.split(rest, np.cumsum([jumps * size for size in sizes])[:-1])
        times, amounts, values = (
            part.reshape(jumps, size) for part, size in zip(parts, sizes, strict=True)
        )
        start = (t0, model.unflatten(tuple(y0)), model.Args(*args))
        schedule = (times[:, 0], amounts, values)
        done = course(problem, solve, reducer, start, end, schedule, counted)
        values = done.values
        if ts is None:
            values = jax.tree.map(lambda x: x[None], values)
        return _LaneResult(
            values=values,
            reduced=done.kept,
            result=done.result,
            num_steps=done.num_steps,
            num_accepted_steps=done.num_accepted_steps,
            num_rejected_steps=done.num_steps - done.num_accepted_steps,
            time_reached=done.t,
            non_finite=done.non_finite,
            error_infinite=done.error_infinite,
            stopped=done.stopped,
            events_failed=done.failed,
            at_stop=done.memory.get("at_stop"),
        )

    return lane


def _solution(problem: Problem, t1: np.ndarray, raw: _LaneResult) -> Solution:
    status = _status(raw, METHODS[problem.solver.method].implicit, t1.astype(problem.dtype))
    lost_ones = has_failed(status)
    time_reached = np.where(status == Status.success, t1, raw.time_reached)
    if problem.ts is None:
        lost = lost_ones[:, None]
    else:
        ts, reached = problem.ts.astype(problem.dtype), time_reached.astype(problem.dtype)
        lost = ts > reached[:, None]
    values = {}
    for name in problem.variables:
        value = raw.values[name]
        values[name] = np.where(lost.reshape(lost.shape + (1,) * (value.ndim - 2)), np.nan, value)
    duration = time_reached - problem.model.declared.t0
    solution = Solution(
        values=values,
        status=status,
        num_steps=raw.num_steps,
        num_accepted_steps=raw.num_accepted_steps,
        num_rejected_steps=raw.num_rejected_steps,
        time_reached=time_reached,
        reduced=finish(problem.reductions, raw.reduced, ~lost_ones, duration),
    )
    return with_stop_values(problem, solution, raw.at_stop)


def _status(raw: _LaneResult, implicit: bool, end: np.ndarray) -> np.ndarray:
    """Stable codes from Diffrax's, whose numbers change between releases.

    A lane at its `end` is a success: Diffrax may still say that the step after it would be
    too small.
    """
    is_ = lambda result: raw.result == int(result._value)
    stalled = is_(RESULTS.dt_min_reached)
    return np.select(
        [
            raw.events_failed,
            raw.stopped & (raw.time_reached < end),
            is_(RESULTS.successful) | (raw.time_reached >= end),
            is_(RESULTS.max_steps_reached),
            is_(WILD),
            stalled & raw.non_finite,
            stalled & raw.error_infinite & implicit,
            stalled & raw.error_infinite,
            stalled,
        ],
        [
            Status.events_failed,
            Status.stopped_by_event,
            Status.success,
            Status.max_steps_reached,
            Status.suspect,
            Status.non_finite,
            Status.nonlinear_solve_failed,
            Status.non_finite,
            Status.dt_min_reached,
        ],
        default=Status.nonlinear_solve_failed,
    ).astype(np.int8)
