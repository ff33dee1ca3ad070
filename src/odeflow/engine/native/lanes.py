"""The lane loop as a Python module's source: many trajectories through a few SIMD lanes.

The state of a lane is a column of a small buffer, `rows`. `step` takes one step of every lane: its
loop body is straight-line code, which LLVM makes one sequence of vector instructions. `solve`
calls it until its queue is empty; a lane that is done is refilled from the queue, so that no lane
waits for a slower one. Every trajectory runs through the same instructions whatever its lane.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from odeflow.engine.native.controller import controller_source
from odeflow.engine.native.lane_functions import LaneFunctions
from odeflow.engine.native.layout import Layout, vector_width, ways
from odeflow.engine.native.stepper import StepSource
from odeflow.engine.problem import Problem
from odeflow.status import Status


@dataclass(frozen=True)
class LaneModule:
    """Source of a module with the function `solve`, and what its caller must know.

    `settings` are the numbers that `solve` takes, in order; `buffer_size` is the length of `rows`.
    """

    source: str
    settings: Sequence[float]
    buffer_size: int


def lane_module(problem: Problem, step: StepSource) -> LaneModule:
    """Writes the lane loop for a problem and its method.

    Raises `UntranslatableError` where the field or an observable has no scalar program.
    """
    dtype = problem.dtype
    control = controller_source(problem.solver, problem.model, step.error_order, dtype)
    functions = LaneFunctions(problem, step, control)
    layout = Layout(vector_width(dtype), ways(len(problem.model.components)), functions.rows())
    parts = [
        _header(problem, layout),
        functions.step(layout),
        functions.record(layout),
        functions.begin(),
        functions.write(),
        _LOOP.strip(),
    ]
    source = "\n\n\n".join(parts) + "\n"
    return LaneModule(source, list(control.settings.values()), layout.size)


def _header(problem: Problem, layout: Layout) -> str:
    model, solver = problem.model.config, problem.solver
    return "\n".join(
        [
            f'"""{model.name} by {solver.method}: {layout.lanes} lanes, {problem.dtype}."""',
            "",
            "import numpy as np",
            "",
            "from odeflow.engine.native.runtime import *",
            "",
            f"real = np.{problem.dtype}",
            "INFINITY = real(np.inf)",
            *layout.definitions(),
        ]
    )


_LOOP = f'''
@scalar
def save(rows, ts, values, sample, index):
    """Stores the values of every lane that has passed times to save."""
    waiting = 1
    while waiting > 0:
        record(rows)
        waiting = 0
        for lane in range(LANES):
            until = rows[ROW_saved_until + lane]
            if rows[ROW_next_save + lane] <= until:
                write(rows, lane, values, sample[lane], index[lane])
                index[lane] += 1
                after = ts[index[lane]]
                rows[ROW_next_save + lane] = after
                if after <= until:
                    waiting += 1


@compiled
def solve(
    rows, y0, args, ts, settings, t1, max_steps, first, last,
    values, saved, status, num_steps, num_accepted, time_reached,
):
    """Solves trajectories first to last; ts ends with an infinity."""
    sample = np.full(LANES, -1)
    started = np.zeros(LANES, np.int64)
    index = np.zeros(LANES, np.int64)
    queue = first
    busy = 0
    rows[:] = 0.0
    for lane in range(LANES):
        rows[ROW_saved_until + lane] = -INFINITY
        if queue < last:
            begin(rows, lane, y0, args, queue, ts, settings)
            sample[lane] = queue
            queue += 1
            busy += 1
    fresh = True
    steps = 0
    deadline = max_steps
    while busy > 0:
        if fresh:
            save(rows, ts, values, sample, index)
            fresh = False
        attention = step(rows, settings)
        steps += 1
        if attention % ENDED > 0:
            save(rows, ts, values, sample, index)
        if attention < ENDED and steps < deadline:
            continue
        deadline = steps + max_steps
        for lane in range(LANES):
            q = sample[lane]
            if q < 0:
                continue
            reached = rows[ROW_t + lane]
            taken = steps - started[lane]
            if reached >= t1:
                code = {Status.success:d}
            elif rows[ROW_stalled + lane] > 0.0:
                code = int(rows[ROW_stalled + lane])
            elif taken >= max_steps:
                code = {Status.max_steps_reached:d}
            else:
                deadline = min(deadline, started[lane] + max_steps)
                continue
            status[q] = code
            num_steps[q] = taken
            num_accepted[q] = int(rows[ROW_accepted + lane])
            time_reached[q] = reached
            saved[q] = index[lane]
            if queue < last:
                begin(rows, lane, y0, args, queue, ts, settings)
                fresh = ts[0] <= rows[ROW_t + lane]
                sample[lane] = queue
                started[lane] = steps
                index[lane] = 0
                queue += 1
            else:
                rows[ROW_active + lane] = 0.0
                rows[ROW_saved_until + lane] = -INFINITY
                sample[lane] = -1
                busy -= 1
'''
