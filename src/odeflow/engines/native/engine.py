"""The native engine: trajectories through a compiled loop, on all cores or on a CUDA device."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np

from odeflow.engines.native.frontend.program_size import check_size
from odeflow.engines.native.loop.arrays import Arrays
from odeflow.engines.native.loop.few_lanes import FewLanes, is_plain
from odeflow.engines.native.loop.lanes import LANE_LOOP, LaneModule, Loop, lane_module
from odeflow.engines.native.loop.step_work import step_work as work_of_step
from odeflow.engines.native.methods.chebyshev import chebyshev
from odeflow.engines.native.methods.explicit_rk import explicit_rk
from odeflow.engines.native.methods.rosenbrock import rosenbrock
from odeflow.engines.native.methods.stepper import Stepper
from odeflow.engines.native.methods.taylor import taylor
from odeflow.engines.native.program.refusal import Refused, UntranslatableError
from odeflow.engines.native.targets.kernel import load_kernel
from odeflow.engines.native.targets.machine_code import Kernel
from odeflow.files.collector import uncollected
from odeflow.problem.delays import WITH_DELAYS
from odeflow.problem.methods import find_method
from odeflow.problem.problem import Lanes, Problem, Progress, Solution

Device = Literal["cpu", "gpu"]

#: Trajectories of a batch: enough that few lanes idle at its end, few enough to share out. Of large
#: states there are fewer: one takes longer, and a batch has copies of what they start from.
_LARGEST_BATCH = 4096
_SMALLEST_BATCH = 256
_LARGE_STATE = 16
_FEWEST = 32


def refusal(problem: Problem, device: Device = "cpu") -> str | None:
    """Why the native engine cannot run a problem there; None where it can."""
    try:
        generated(problem, device)
    except UntranslatableError as error:
        return str(error)
    return None


def solve(
    problem: Problem,
    lanes: Lanes,
    *,
    threads: int,
    progress: Progress | None = None,
    cache_dir: Path | None = None,
    device: Device = "cpu",
) -> Solution:
    """Solves every lane; a lane that fails stops no other.

    `cache_dir` keeps the machine code, by default the user's cache. `progress` is called from this
    thread with the number of lanes done. Raises `UntranslatableError` where `refusal` has a
    reason.
    """
    module = generated(problem, device)
    if device == "cpu":
        few = _few_lanes(problem, lanes, module, load_kernel(module.code, cache_dir))
        if few is not None:
            solution = few.solve(lanes)
            _FREE[problem].append(few)
            if progress is not None:
                progress(lanes.size)
            return solution
    arrays = Arrays(problem, lanes, module)
    if device == "gpu":
        from odeflow.engines.native.loop.cuda_launch import Launch
        from odeflow.engines.native.targets.cuda_kernel import load_cuda_kernel

        Launch(arrays, load_cuda_kernel(module.code, cache_dir)).run()
        arrays.outputs.clear_late()
        if progress is not None:
            progress(lanes.size)
    else:
        _solve_on_cores(arrays, load_kernel(module.code, cache_dir), threads, progress)
    return arrays.solution(arrays.outputs)


#: Memory of solves of few lanes that are over.
_FREE: WeakKeyDictionary[Problem, list[FewLanes]] = WeakKeyDictionary()


def _few_lanes(
    problem: Problem, lanes: Lanes, module: LaneModule, kernel: Kernel
) -> FewLanes | None:
    """The memory of a solve of as many lanes that is over, or new; None where it is not for it."""
    free = _FREE.get(problem)
    if free:
        few = free.pop()
        if few.size == lanes.size and few.kernel is kernel:
            return few
    if not is_plain(problem, lanes.size):
        return None
    _FREE.setdefault(problem, [])
    return FewLanes(lanes, Arrays(problem, lanes, module), kernel)


#: Modules that were generated, as long as their problems are in use.
_GENERATED: WeakKeyDictionary[Problem, dict[Device, LaneModule]] = WeakKeyDictionary()


def generated(problem: Problem, device: Device = "cpu") -> LaneModule:
    """The module that is generated for a problem; raises `UntranslatableError`."""
    known = _GENERATED.setdefault(problem, {})
    if device not in known:
        with uncollected():
            known[device] = _generated(problem, device)
    return known[device]


def _generated(problem: Problem, device: Device) -> LaneModule:
    try:
        step = _step(problem, device)
        if device == "gpu" and step.loops_over_tables:
            raise UntranslatableError(
                "large sparse Jacobians", "on a GPU it has no loops for them yet"
            )
        module = lane_module(problem, step, _loop(problem, device))
    except Refused as refusal:
        raise UntranslatableError("a field of this length", str(refusal)) from None
    check_size(module.code.cost)
    return module


def step_work(problem: Problem) -> float:
    """How much a step of a problem is to compute, in multiplications."""
    return work_of_step(generated(problem).code)


def renumber(problem: Problem, like: Problem, device: Device = "cpu") -> None:
    """Lets a problem have the module of one `like` it: they may differ in numbers only.

    These are t0, t1, `ts` where both save times, and the solver's, where both give them; not its
    method, its coefficients and which side of `SAFE_RTOL` its tolerance is on.
    """
    _GENERATED[problem] = {device: generated(like, device).renumbered(problem)}


def _step(problem: Problem, device: Device) -> Stepper:
    method = find_method(problem.solver.method)
    if problem.model.algebraic is not None and method.family != "rosenbrock":
        why = "the native engine solves algebraic equations by rodas5p and rodas3p"
        raise UntranslatableError(problem.solver.method, why)
    if problem.model.declared.delays and method.family not in WITH_DELAYS:
        raise UntranslatableError(method.name, "it has no delays; tsit5, dopri8 and rodas5p have")
    if method.family == "explicit":
        watches = problem.solver.stiff_steps is not None
        return explicit_rk(problem.model, method, problem.dtype, watches)
    if method.family == "rosenbrock":
        return rosenbrock(problem.model, method, problem.dtype, tables=device == "cpu")
    if method.family == "taylor" and device == "cpu":
        return taylor(problem)
    if method.family == "stabilised" and device == "cpu":
        return chebyshev(problem)
    where = "" if device == "cpu" else " on a GPU"
    why = f"the native engine does not have this method{where}"
    raise UntranslatableError(problem.solver.method, why)


def _loop(problem: Problem, device: Device) -> Loop:
    if device == "cpu":
        return LANE_LOOP
    from odeflow.engines.native.loop.cuda_loop import THREAD_LOOP

    if problem.model.declared.delays:
        raise UntranslatableError("delays", "on a GPU it has none of them yet")
    if problem.restarts:
        raise UntranslatableError("doses, stops and events", "on a GPU it has none of them yet")
    if problem.events:
        raise UntranslatableError("saveat.events", "on a GPU it keeps no crossings yet")
    return THREAD_LOOP


def batch_size(trajectories: int, components: int, threads: int) -> int:
    """How many trajectories of this many components a thread takes at a time."""
    fewer = max(components // _LARGE_STATE, 1)
    smallest, largest = (max(x // fewer, _FEWEST) for x in (_SMALLEST_BATCH, _LARGEST_BATCH))
    return int(np.clip(trajectories // (4 * threads), smallest, largest))


def _solve_on_cores(
    arrays: Arrays, kernel: Kernel, threads: int, progress: Progress | None
) -> None:
    """Solves in batches that the threads take in turn."""

    def solve_batch(first: int, last: int) -> int:
        inputs = arrays.inputs(first, last)
        kernel(arrays.rows(), arrays.jumps, first, last, *inputs, *arrays.outputs)
        arrays.outputs.clear_late(first, last)
        return last - first

    size = batch_size(arrays.size, arrays.components, threads)
    done = 0
    if arrays.size <= size:  # a thread would take longer to start than most of such solves
        done = solve_batch(0, arrays.size)
        if progress is not None:
            progress(done)
        return
    with ThreadPoolExecutor(threads) as pool:
        batches = [
            pool.submit(solve_batch, first, min(first + size, arrays.size))
            for first in range(0, arrays.size, size)
        ]
        try:
            for batch in as_completed(batches):
                done += batch.result()
                if progress is not None:
                    progress(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
