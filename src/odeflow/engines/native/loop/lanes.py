"""The lane loop: many trajectories through a few SIMD lanes.

The state of a lane is a column of a small buffer, `rows`. `step` takes one step of every lane in
one sequence of vector instructions (`program.lane_program`). `solve` calls it until its queue is
empty; a lane that is done is refilled from the queue, so that no lane waits for a slower one. Every
trajectory runs through the same instructions whatever its lane.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from odeflow.engines.native.loop.lane_functions import LaneFunctions
from odeflow.engines.native.methods.controller import controller_settings
from odeflow.engines.native.methods.stepper import Stepper
from odeflow.engines.native.program.lane_program import LaneProgram
from odeflow.engines.native.program.rolled import SCRATCH, RolledProgram, rolled
from odeflow.engines.native.targets.layout import BufferLayout, vector_width, ways
from odeflow.engines.native.targets.loop_module import LoopModule
from odeflow.problem.problem import Problem
from odeflow.problem.status import Status


@dataclass(frozen=True)
class LaneModule:
    """The functions of a problem with their loop, and what the caller must know.

    `settings` are the numbers that `solve` takes, in order; `reduced` says which rows of its output
    have each reduced variable's accumulators. `error_order` is that of the method's error estimate.
    """

    code: LoopModule
    settings: Sequence[float]
    reduced: Mapping[str, Sequence[slice]]
    error_order: float

    def renumbered(self, problem: Problem) -> "LaneModule":
        """The module for a problem that differs in numbers only: times, tolerances, lengths."""
        settings = controller_settings(problem, self.error_order)
        return replace(self, settings=list(settings.values()))


class Loop(NamedTuple):
    """What calls the functions of a problem.

    `source` has the function `solve`, and `vectors` gives the width of a vector and how many there
    are. Where it `rolls`, long programs are loops.
    """

    source: str
    vectors: Callable[[Problem], tuple[int, int]]
    rolls: bool = False


def lane_module(problem: Problem, stepper: Stepper, loop: Loop) -> LaneModule:
    """Makes the functions of a problem and its method, and the loop that calls them.

    Raises `UntranslatableError` where the field or an observable has no scalar program.
    """
    functions = LaneFunctions(problem, stepper)
    programs, slots, groups = functions.programs(), 0, functions.row_groups()
    if loop.rolls and not problem.model.declared.delays:
        programs, slots = _rolled(programs)
    settings = controller_settings(problem, stepper.error_order)
    width, number = loop.vectors(problem)
    layout = BufferLayout(
        "float32" if problem.dtype == "float32" else "float64",
        width,
        min(number, stepper.most_ways),
        tuple(functions.rows()),
        tuple(settings),
        {**groups, SCRATCH: slots} if slots else groups,
    )
    source = "\n\n\n".join([*functions.source(layout), loop.source.strip()]) + "\n"
    constants = _constants(problem, layout, functions)
    return LaneModule(
        LoopModule(layout, programs, source, constants),
        list(settings.values()),
        functions.reductions.columns(),
        stepper.error_order,
    )


#: What all programs cost, from which on they are loops: LLVM takes two seconds for as much.
_LONG = 15_000
#: Of that the part from which on one program is looked at.
_WORTH = 0.1
#: Loops that are no shorter than this part of a program would only be slower.
_SAVING = 0.5


def _rolled(
    programs: Sequence[LaneProgram],
) -> tuple[Sequence[LaneProgram | RolledProgram], int]:
    """The programs, as loops where they are long together and that makes less code of one, and how
    many scratch rows they take.
    """
    if sum(program.cost for program in programs) < _LONG:
        return programs, 0
    chosen: list[LaneProgram | RolledProgram] = []
    for program in programs:
        loops = rolled(program) if program.cost >= _WORTH * _LONG else program
        chosen.append(loops if loops.cost < _SAVING * program.cost else program)
    slots = [program.slots for program in chosen if isinstance(program, RolledProgram)]
    return chosen, max(slots, default=0)


def _constants(problem: Problem, layout: BufferLayout, functions: LaneFunctions) -> dict[str, Any]:
    """What the loop's source reads."""
    return {
        "LANES": layout.lanes,
        "SIZE": layout.size,
        "T0": layout.settings.index("t0"),
        "END_ONLY": problem.ts is None and not functions.restarts,
        "END_AFTERWARDS": problem.ts is None and bool(functions.restarts),
        "RECORDED": functions.is_recorded,
        "keep": functions.saving(layout),
        "WIDTH": max(layout.width, 1),
        "ALL": _lowest_bits(layout.lanes),
        "VECTOR": _lowest_bits(max(layout.width, 1)),
        "VARIABLES": len(problem.variables),
        "EVENTS": len(problem.events),
        **{row: layout.place(row) for row in _LOOP_ROWS},
        **{name: layout.place(row) for name, row in functions.first_rows().items()},
        **functions.counts(),
    }


def _lowest_bits(number: int) -> int:
    """A 64-bit integer with this many bits set."""
    return (1 << number) - 1 if number < 64 else -1


_LOOP_ROWS = ("t", "t1", "active", "accepted", "stalled", "next_save", "saved_until")

_SOURCE = f'''
@compiled
def solve(
    rows: real[:],
    jumps: (int64[:], real[:, :, :], real[:, :, :]),
    first: int64,
    last: int64,
    y0: real[:, :],
    args: real[:, :],
    ts: real[:],
    settings: real[:],
    max_steps: int64,
    values: (real[:, :],) * VARIABLES,
    reduced: real[:, :],
    saved: int64[:],
    status: int8[:],
    num_steps: int64[:],
    num_accepted: int64[:],
    time_reached: real[:],
    events: (real[:, :],) * EVENTS,
    event_counts: int64[:, :],
):
    """Solves trajectories first to last, whose `y0` and `args` these are; ts ends with an infinity.

    `jumps` are the number of each trajectory's, what they add to the state, and what they set.
    Each of `values` has one row per trajectory and time, and one column per component; each of
    `events` one row per trajectory and crossing that is kept, of which `event_counts` counts all.
    `reduced` has one row per accumulator, so that results are made of it without copies.
    """
    sample = integers(LANES, -1)
    started = integers(LANES, 0)
    index = integers(LANES, 0)
    jump = integers(LANES, 0)
    taken = integers(LANES, 0)
    place = integers(LANES, 0)
    queue = first
    busy = 0
    steps = 0
    deadline = max_steps
    rows[:] = 0.0
    ended = ALL
    while True:
        # a lane that ended takes up the next trajectory
        attention = 0
        while ended != 0:
            lane = lowest_bit(ended)
            ended &= ended - 1
            done = sample[lane]
            if done >= 0 and resumes(rows, lane, done, jump, jumps):
                taken[lane] += int(rows[accepted + lane])
                resume(rows, settings, lane, done, jump, jumps)
                attention |= 1 << lane
                deadline = min(deadline, started[lane] + max_steps)
                continue
            if done >= 0:
                reached = rows[t + lane]
                failed = rows[stalled + lane] == {Status.events_failed:d}
                if reached >= rows[t1 + lane] and not failed:
                    status[done] = {Status.success:d}
                elif rows[stalled + lane] > 0.0:
                    status[done] = int(rows[stalled + lane])
                else:
                    status[done] = {Status.max_steps_reached:d}
                settle_metrics(rows, settings, lane)
                collect(reduced, done, rows, lane)
                num_steps[done] = steps - started[lane]
                num_accepted[done] = taken[lane] + int(rows[accepted + lane])
                time_reached[done] = reached
                arrived = status[done] in ({Status.success:d}, {Status.stopped_by_event:d})
                if END_AFTERWARDS and arrived:
                    rows[next_save + lane] = reached
                    if RECORDED:
                        record(rows, settings, lane - lane % WIDTH)
                    write(values, place[lane], rows, lane)
                    index[lane] = 1
                saved[done] = index[lane]
                busy -= 1
            if queue < last:
                for i in range(y0.shape[0]):
                    rows[STATE + i * LANES + lane] = y0[i, queue - first]
                for i in range(args.shape[0]):
                    rows[PARAMETERS + i * LANES + lane] = args[i, queue - first]
                rows[t + lane] = settings[T0]
                jump[lane] = 0
                taken[lane] = 0
                rows[next_save + lane] = rows[t1 + lane] if END_ONLY else ts[0]
                arm(rows, settings, lane)
                enter(rows, settings, lane, queue, jump, jumps)
                if rows[next_save + lane] <= rows[t + lane] or rows[stalled + lane] > 0.0:
                    attention |= 1 << lane
                sample[lane] = queue
                started[lane] = steps
                index[lane] = 0
                place[lane] = queue * (len(ts) - 1)
                queue += 1
                busy += 1
            else:
                rows[active + lane] = 0.0
                rows[saved_until + lane] = -INFINITY
                sample[lane] = -1
        if busy == 0:
            break
        if attention == 0:
            attention = step(rows, settings, 0)
            locate(rows, settings, attention)
            reduce(rows, settings)
            keep_events(rows, settings, sample, events, event_counts)
            steps += 1
        # values at times that the last step has passed, vector by vector, one time per lane in turn
        for base in range(0, LANES if attention != 0 else 0, WIDTH):
            due = (attention >> base) & VECTOR
            if due != 0:
                prepare(rows, settings, base)
            while due != 0:
                if RECORDED:
                    record(rows, settings, base)
                due = keep(rows, base, values, place, index, ts)
        if attention != 0:
            ended = finished(rows, settings, 0)
        if steps >= deadline:
            deadline = steps + max_steps
            for lane in range(LANES):
                limit = started[lane] + max_steps
                if sample[lane] >= 0 and steps < limit:
                    deadline = min(deadline, limit)
                elif sample[lane] >= 0:
                    ended |= 1 << lane
'''

#: The lane loop: as many lanes as keep the processor's vector units busy.
LANE_LOOP = Loop(
    _SOURCE,
    lambda problem: (vector_width(problem.dtype), ways(len(problem.model.components))),
    rolls=True,
)
