"""One attempt at trajectories, of those that a retry makes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from odeflow.problem.methods import METHODS
from odeflow.problem.solver import Solver
from odeflow.problem.status import Status, has_failed


@dataclass(frozen=True)
class Attempt:
    """One attempt at a trajectory: its solver, what that changes of the attempt before, a name.

    `changed` are keys of the config's `solver`. `name` is a word of CF's `flag_meanings`,
    `replaced` the method of the attempt before. `tightened` is the one after all changes, for lanes
    that are suspect. `is_candidate` says that it is one of those among which the first is chosen.
    """

    solver: Solver
    changed: frozenset[str] = frozenset()
    name: str = "0_as_configured"
    replaced: str | None = None
    tightened: bool = False
    is_candidate: bool = False

    def may_help(
        self, status: Int[np.ndarray, " lane"], duration: Float[np.ndarray, " lane"]
    ) -> Bool[np.ndarray, " lane"]:
        """Which lanes to solve: those that failed, unless it is plain that they fail again.

        `status` is how a lane's last attempt ended, `duration` the time from t0 to its end. More
        steps alone help those that ran out of them; `dtmin` alone those that did not; constant
        steps those that they can bring to the end. An explicit method in place of an implicit one
        is for a field whose derivatives are of no use, not for one that took too many steps; a
        root find in place of a linear solve for a linear solve that failed.
        """
        suspect = status == Status.suspect
        if self.tightened:
            return suspect
        failed = has_failed(status) & ~suspect
        ran_out = status == Status.max_steps_reached
        if not self.changed:
            failed[:] = False
        elif self.changed == {"max_steps"}:
            failed &= ran_out
        elif self.changed == {"dtmin"}:
            failed &= ~ran_out
        if self.replaced is not None:
            before, after = METHODS[self.replaced], METHODS[self.solver.method]
            if before.implicit and not after.implicit:
                failed &= ~ran_out
            elif before.linearly_implicit and after.implicit and not after.linearly_implicit:
                failed &= status == Status.nonlinear_solve_failed
        if self.solver.stepsize_controller == "constant" and self.solver.dt0 is not None:
            failed &= duration <= (self.solver.max_steps + 1) * self.solver.dt0
        return failed
