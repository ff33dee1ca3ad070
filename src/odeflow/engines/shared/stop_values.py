"""What the model says where a stop fires, as a lane keeps it and as the solution has it."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from odeflow.problem.problem import Problem, Solution
from odeflow.problem.status import Status, has_failed


def stop_shapes(problem: Problem) -> dict[str, tuple[int, ...]]:
    """Shapes of what is kept of a stop, by name."""
    states, pairs = problem.model.declared.states, problem.model.derivatives
    shape = lambda name: states[name].shape if name in pairs and name in states else ()
    return {name: shape(name) for name in problem.at_stop}


def with_stop_values(
    problem: Problem, solution: Solution, kept: Float[np.ndarray, "lane number"] | None
) -> Solution:
    """The solution with what the model says of stops; `kept` has the numbers of `stop_shapes`."""
    model = problem.model
    if model.stopping is None or kept is None:
        return solution
    stopped = solution.status == Status.stopped_by_event
    otherwise = np.where(has_failed(solution.status), np.nan, 0.0)
    values, reduced, times = dict(solution.values), dict(solution.reduced), {}
    start = 0
    for name, shape in stop_shapes(problem).items():
        size = int(np.prod(shape))
        said = kept[:, start : start + size].reshape(-1, *shape)
        start += size
        if name in model.stopping.names:
            times[name] = np.where(stopped, said, otherwise).astype(problem.dtype)
            continue
        where = stopped.reshape(-1, *[1] * len(shape))
        if problem.ts is None and name in values:
            values[name] = np.where(where[:, None], said[:, None], values[name])
        if f"{name}_final" in reduced:
            reduced[f"{name}_final"] = np.where(where, said, reduced[f"{name}_final"])
    return replace(solution, values=values, reduced=reduced, time_derivatives=times)
