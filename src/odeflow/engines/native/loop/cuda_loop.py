"""The loop of one CUDA thread: one trajectory after another, each in a lane of its own.

The functions that it calls are those of the lane loop (`loop.lanes`), written for one lane.
"""

from odeflow.engines.native.loop.lanes import Loop
from odeflow.problem.status import Status

_SOURCE = f'''
@inlined
def lowest_bit(word):
    """The number of the lowest bit that is set."""
    number = 0
    while (word >> number) & 1 == 0:
        number += 1
    return number


@compiled
def solve(
    y0, args, ts, settings, max_steps,
    values, reduced, saved, status, num_steps, num_accepted, time_reached,
):
    """Solves all trajectories; ts ends with an infinity.

    Each of `values` has one row per trajectory and time, and one column per component.
    """
    rows = cuda.local.array(SIZE, REAL)
    for i in range(SIZE):
        rows[i] = 0.0
    for sample in range(cuda.grid(1), len(status), cuda.gridsize(1)):
        for i in range(COMPONENTS):
            rows[STATE + i] = y0[i, sample]
        for i in range(COLUMNS):
            rows[PARAMETERS + i] = args[i, sample]
        rows[t] = settings[T0]
        begin(rows, settings, 0)
        rows[next_save] = rows[t1] if END_ONLY else ts[0]
        index = 0
        steps = 0
        while True:
            # values at times that the last step has passed
            if rows[next_save] <= rows[saved_until]:
                prepare(rows, settings, 0)
            while rows[next_save] <= rows[saved_until]:
                if RECORDED:
                    record(rows, settings, 0)
                write(values, sample * (len(ts) - 1) + index, rows, 0)
                index += 1
                rows[next_save] = ts[index]
            if rows[t] >= rows[t1] or rows[stalled] > 0.0 or steps >= max_steps:
                break
            step(rows, settings, 0)
            reduce(rows, settings)
            steps += 1
        if rows[t] >= rows[t1]:
            status[sample] = {Status.success:d}
        elif rows[stalled] > 0.0:
            status[sample] = int(rows[stalled])
        else:
            status[sample] = {Status.max_steps_reached:d}
        settle_metrics(rows, settings, 0)
        collect(reduced, sample, rows, 0)
        saved[sample] = index
        num_steps[sample] = steps
        num_accepted[sample] = int(rows[accepted])
        time_reached[sample] = rows[t]
'''

THREAD_LOOP = Loop(_SOURCE, lambda problem: (0, 1))
