"""Which of several methods begins: what takes the least work on a few lanes.

Work is counted, by steps and what a step is to compute, and not timed: so a choice is the same
whenever it is made, by any chunk of an experiment. A method is compiled and tried only where it may
be worth it, as `engines.method_bounds` says of the first.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from odeflow.engines.choice import EngineChoice, Resources, solve
from odeflow.engines.method_bounds import compile_work, least_steps
from odeflow.engines.native import engine as native_engine
from odeflow.engines.pilot import Pilot
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import Lanes, Problem
from odeflow.problem.status import Status, has_failed

#: Most steps of a lane of the pilot, and most work of all of them, which is a third of a second.
_MOST_STEPS, _MOST_WORK = 20_000, 1e10
#: Steps that a lane is given at least.
_LEAST_STEPS = 1000
#: Steps at the limit of stability that a lane is given where no pilot says more.
_FEW_AT_LIMIT = 200
#: The part of a lane's steps at the limit of stability from which on that slows it down, and how
#: many steps it may have in any case: at tight tolerances rounding hides the limit.
_LIMITED, _MANY_STEPS = 0.1, 5000
#: The part of the work that another method has to save.
_LEAST_SAVED = 0.1
#: How much longer it takes where one thing waits for another, in a linear solve or a recurrence.
_WAITING = 1.1
#: How many more steps other lanes are given than those of the pilot, and how many at the limit of
#: stability where these are told apart.
_ROOM, _ROOM_AT_LIMIT = 4, 1.5


@dataclass(frozen=True)
class _Tried:
    """What a method did on each lane: steps, which are those it took up to where it failed.

    A lane is `limited` where stability shortens its steps, or where that is not known.
    """

    steps: Float[np.ndarray, " lane"]
    failed: Bool[np.ndarray, " lane"]
    limited: Bool[np.ndarray, " lane"]
    step_work: float

    @property
    def work(self) -> Float[np.ndarray, " lane"]:
        """The work on each lane."""
        return self.step_work * self.steps


def choose_method(
    problems: Mapping[int, Problem],
    is_native: Callable[[int], bool],
    pilot: Pilot,
    resources: Resources,
    most_steps: int,
) -> tuple[int, Problem]:
    """The candidate that begins, and its problem, which has the steps that it is given.

    The native engine runs the first, which is explicit, and which others is asked where they are
    wanted. The first is tried. The stiff one is where there are lanes that the first does not
    solve; it and the others are where they may save a tenth of the work, and more of the work of
    all trajectories than it is to compile them. So a small ensemble stays with the first.

    An explicit one that begins hands over what takes more steps at the limit of stability than
    would have been best on these lanes, and some room, or than are as much work as the stiff one's
    hardest. Where these are not told apart, all steps count. `most_steps` are those of a trajectory
    that is not handed over.
    """
    problems = {i: handing_over(p, most_steps) for i, p in problems.items()}
    best, *others, stiff = problems
    first, reference = _tried(problems[best], pilot.lanes, resources), None
    steps_of_first = (problems[best].solver.method, first.steps, first.limited)
    times = pilot.trajectories / pilot.lanes.size

    def may_save(number: int) -> bool:
        problem = problems[number]
        if not is_native(number):
            return False
        rtol, method = problem.solver.tolerances.rtol, problem.solver.method
        saved = least - (_step_work(problem) * least_steps(method, rtol, *steps_of_first)).sum()
        return saved > _LEAST_SAVED * least and times * saved > compile_work(problem)

    least, given = _handed_over(first, None)
    is_wanted = may_save if not first.failed.any() else is_native
    if first.limited.any() and is_wanted(stiff):
        reference = _tried(problems[stiff], pilot.lanes, resources)
        least, given = _handed_over(first, reference)
        if reference.work.sum() < least:
            least, best = reference.work.sum(), stiff
    for number in others:
        if may_save(number):
            work, steps = _handed_over(_tried(problems[number], pilot.lanes, resources), reference)
            if work <= least:
                least, best, given = work, number, steps
    problem = problems[best]
    if best == stiff:
        return best, problem
    if problem.solver.stiff_steps is None:
        few = {"max_steps": min(max(_ROOM * given, _LEAST_STEPS), problem.solver.max_steps)}
    else:
        hardest = float(_LEAST_STEPS)
        if reference is not None:
            hardest = reference.work.max() / native_engine.step_work(problem)
        few = {"stiff_steps": int(max(_ROOM_AT_LIMIT * given, hardest))}
    return best, _renumbered(problem, **few)


def handing_over(problem: Problem, most_steps: int) -> Problem:
    """A problem of an explicit method, which watches for stiffness instead of all steps, if it can.

    It cannot beside doses, stops and events, at each of which a count would begin again.
    """
    if METHODS[problem.solver.method].reach is None or problem.restarts:
        return problem
    solver = replace(problem.solver, max_steps=most_steps, stiff_steps=_FEW_AT_LIMIT)
    return replace(problem, solver=solver)


def _step_work(problem: Problem) -> float:
    waits = METHODS[problem.solver.method].family != "explicit"
    return native_engine.step_work(problem) * (_WAITING if waits else 1.0)


def _renumbered(problem: Problem, **numbers: int) -> Problem:
    """The problem with numbers of its solver changed, for which nothing is generated again."""
    changed = replace(problem, solver=replace(problem.solver, **numbers))
    native_engine.renumber(changed, problem)
    return changed


def _tried(problem: Problem, lanes: Lanes, resources: Resources) -> _Tried:
    work = _step_work(problem)
    most = int(np.clip(_MOST_WORK / (work * lanes.size), _LEAST_STEPS, _MOST_STEPS))
    watches = problem.solver.stiff_steps is not None

    def ended(stiff_steps: int) -> tuple[np.ndarray, np.ndarray]:
        few = {"max_steps": min(problem.solver.max_steps, most)}
        few |= {"stiff_steps": stiff_steps} if watches else {}
        solution = solve(_renumbered(problem, **few), lanes, EngineChoice("native"), resources)
        return solution.num_steps.astype(float), solution.status

    steps, status = ended(most)
    failed = has_failed(status)
    limited = np.ones(lanes.size, bool)
    if watches:
        _, status = ended(math.ceil(_LIMITED * steps.mean()))
        limited = (status == Status.max_steps_reached) | (steps >= _MANY_STEPS) | failed
    return _Tried(steps, failed, limited, work)


def _handed_over(tried: _Tried, stiff: _Tried | None) -> tuple[float, int]:
    """The least work of an explicit method that hands over to the stiff one, and after which steps.

    Each number of steps that ended a lane is tried. Without a stiff method nothing is handed over.
    """
    if stiff is None:
        return float(tried.work.sum()), int(tried.steps.max())
    best = float(tried.work.sum() + stiff.work.sum()), 0
    for given in np.unique(tried.steps[~tried.failed]):
        is_over = tried.failed | (tried.steps > given)
        taken = tried.step_work * np.minimum(tried.steps, given).sum()
        best = min(best, (float(taken + stiff.work[is_over].sum()), int(given)))
    return best
