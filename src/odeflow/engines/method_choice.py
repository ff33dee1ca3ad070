"""Which of several methods begins: what takes the least work on a few lanes.

Work is counted, by steps and what a step is to compute, and not timed: so a choice is the same
whenever it is made, by any chunk of an experiment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from odeflow.engines.choice import EngineChoice, Resources, solve
from odeflow.engines.native import engine as native_engine
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import Lanes, Problem
from odeflow.problem.status import has_failed

#: Most steps of a lane of the pilot, and how many an explicit method has in any case.
_MOST_STEPS, _LEAST_STEPS = 20_000, 1000
#: Steps at the limit of stability that a lane is given where no pilot says more.
_FEW_AT_LIMIT = 200
#: Work of an explicit method on a lane of the pilot, in that of the stiff one's hardest.
_TIMES_STIFF = 8
#: How much longer it takes where one thing waits for another, in a linear solve or a recurrence.
_WAITING = 1.1
#: How many more steps other lanes are given than those of the pilot, and how many at the limit of
#: stability where these are told apart.
_ROOM, _ROOM_AT_LIMIT = 4, 1.5


@dataclass(frozen=True)
class _Tried:
    """What a method did on each lane: steps, which are those it took up to where it failed."""

    steps: Float[np.ndarray, " lane"]
    failed: Bool[np.ndarray, " lane"]
    step_work: float

    @property
    def work(self) -> Float[np.ndarray, " lane"]:
        """The work on each lane."""
        return self.step_work * self.steps


def choose_method(
    problems: Mapping[int, Problem], lanes: Lanes, resources: Resources, most_steps: int
) -> tuple[int, Problem]:
    """The candidate that begins, and its problem, which has the steps that it is given.

    The native engine runs all candidates. The stiff one is tried first. An explicit one that begins
    hands over what takes more steps at the limit of stability than would have been best on these
    lanes, and some room, or than are as much work as the stiff one's hardest. Where these are not
    told apart, all steps count. `most_steps` are those of a trajectory that is not handed over.
    """
    stiff = next((i for i, p in problems.items() if METHODS[p.solver.method].implicit), None)
    reference = None if stiff is None else _tried(problems[stiff], lanes, _MOST_STEPS, resources)
    # what no candidate ends is the same to all of them
    least, first, steps = np.inf, stiff, 0
    problems = {i: p if i == stiff else handing_over(p, most_steps) for i, p in problems.items()}
    if reference is not None:
        least = reference.work.sum()
    for number, problem in problems.items():
        if number == stiff:
            continue
        most = _MOST_STEPS
        if reference is not None:
            allowed = _TIMES_STIFF * reference.work.max() / native_engine.step_work(problem)
            most = int(np.clip(allowed, _LEAST_STEPS, _MOST_STEPS))
        tried = _tried(problem, lanes, most, resources)
        work, given = _handed_over(tried, reference)
        if work <= least:
            least, first, steps = work, number, given
    assert first is not None
    if first == stiff:
        return first, problems[first]
    problem = problems[first]
    if problem.solver.stiff_steps is None:
        few = {"max_steps": min(max(_ROOM * steps, _LEAST_STEPS), problem.solver.max_steps)}
    else:
        hardest = float(_LEAST_STEPS)
        if reference is not None:
            hardest = reference.work.max() / native_engine.step_work(problem)
        few = {"stiff_steps": int(max(_ROOM_AT_LIMIT * steps, hardest))}
    return first, replace(problem, solver=replace(problem.solver, **few))


def handing_over(problem: Problem, most_steps: int) -> Problem:
    """A problem of an explicit method, which watches for stiffness instead of all steps, if it can.

    It cannot beside doses, stops and events, at each of which a count would begin again.
    """
    if METHODS[problem.solver.method].reach is None or problem.restarts:
        return problem
    solver = replace(problem.solver, max_steps=most_steps, stiff_steps=_FEW_AT_LIMIT)
    return replace(problem, solver=solver)


def _tried(problem: Problem, lanes: Lanes, most: int, resources: Resources) -> _Tried:
    few = {"max_steps": min(problem.solver.max_steps, most)}
    if problem.solver.stiff_steps is not None:
        few["stiff_steps"] = most
    problem = replace(problem, solver=replace(problem.solver, **few))
    solution = solve(problem, lanes, EngineChoice("native"), resources)
    work = native_engine.step_work(problem)
    if METHODS[problem.solver.method].family != "explicit":
        work *= _WAITING
    return _Tried(solution.num_steps.astype(float), has_failed(solution.status), work)


def _handed_over(tried: _Tried, stiff: _Tried | None) -> tuple[float, int]:
    """The least work of an explicit method that hands over to the stiff one, and after which steps.

    Each number of steps that ended a lane is tried. Without a stiff method nothing is handed over.
    """
    if stiff is None:
        return tried.work.sum(), int(tried.steps.max())
    best = float(tried.work.sum() + stiff.work.sum()), 0
    for given in np.unique(tried.steps[~tried.failed]):
        is_over = tried.failed | (tried.steps > given)
        taken = tried.step_work * np.minimum(tried.steps, given).sum()
        best = min(best, (float(taken + stiff.work[is_over].sum()), int(given)))
    return best
