"""Why a trajectory failed, and what to do about it, from its numbers alone."""

from collections.abc import Mapping
from typing import NamedTuple

from odeflow.config.small_states import advised_atol, below_atol
from odeflow.config.solver import SolverConfig
from odeflow.problem.methods import METHODS
from odeflow.problem.status import Status
from odeflow.problem.time_text import shown_time

#: Rejected steps, as a fraction of all, above which an explicit method may be at its limit of
#: stability, where it tries longer steps again and again (van der Pol with Tsit5: 0.22); and above
#: which an implicit one is not following a smooth solution (van der Pol with Rodas5P: 0.2 to 0.4).
_MANY_REJECTS, _MANY_IMPLICIT_REJECTS = 0.03, 0.5
#: Steps to t1 from where they are tiny, and from where they are that without any rejects.
_MANY_STEPS, _TOO_MANY_STEPS = 100_000, 10_000_000
STIFF_METHODS = "rodas5p or kvaerno5"


class FailedTrajectory(NamedTuple):
    """The numbers of a failed trajectory: its last step ended at `time_reached`, of t0..t1.

    `solver` is that of the attempt they are of, `tried` the methods of all attempts. `starts` are
    the sizes of the states that are not 0 at t0, by name.
    """

    status: Status
    t0: float
    t1: float
    time_reached: float
    num_steps: int
    num_rejected_steps: int
    solver: SolverConfig
    tried: frozenset[str] = frozenset()
    starts: Mapping[str, float] = {}

    @property
    def is_below_atol(self) -> bool:
        """Whether all that is not zero at t0 is below its absolute tolerance."""
        return bool(self.starts) and len(below_atol(self.solver, self.starts)) == len(self.starts)

    @property
    def where(self) -> str:
        """The time reached, with the digits that tell it from the ends."""
        return shown_time(self.time_reached, self.t0, self.t1)

    @property
    def reject_ratio(self) -> float:
        """Rejected steps over attempted ones; 0 where there were none."""
        return self.num_rejected_steps / max(self.num_steps, 1)

    @property
    def steps_needed(self) -> float:
        """Steps to t1, if it goes on as it went."""
        done = (self.time_reached - self.t0) / (self.t1 - self.t0)
        return self.num_steps / done if done > 0 else float("inf")


class Diagnosis(NamedTuple):
    """What was wrong in a few words, the same for all failures of a kind, and what to do."""

    cause: str
    advice: str


def diagnose(outcome: FailedTrajectory) -> Diagnosis:
    """The diagnosis of a failed trajectory."""
    return {
        Status.max_steps_reached: _max_steps,
        Status.dt_min_reached: _dt_min,
        Status.non_finite: _non_finite,
        Status.nonlinear_solve_failed: _nonlinear_solve,
        Status.events_failed: _events,
        Status.suspect: _suspect,
        Status.history_full: _history,
    }[outcome.status](outcome)


def _max_steps(it: FailedTrajectory) -> Diagnosis:
    solver, where = it.solver, f"t = {it.where}"
    if solver.stepsize_controller == "constant" and solver.dt0 is not None:
        needed = -(-(it.t1 - it.t0) // solver.dt0)
        return Diagnosis("too few constant steps", f"raise solver.max_steps to {needed:.0f}")
    if it.num_rejected_steps == it.num_steps:
        return Diagnosis(
            "no step accepted", "give a smaller solver.dt0, and look at the vector field at t0"
        )
    implicit = METHODS[solver.method].implicit
    rejects = it.reject_ratio >= (_MANY_IMPLICIT_REJECTS if implicit else _MANY_REJECTS)
    tiny = it.steps_needed > (_MANY_STEPS if rejects else _TOO_MANY_STEPS)
    if tiny and not implicit:
        if any(METHODS[method].implicit for method in it.tried):
            return Diagnosis(
                "hard for explicit and stiff methods",
                f"no method came beyond {where}: look at the vector field there",
            )
        return Diagnosis("stiff", f"take a stiff method: {STIFF_METHODS}")
    if (tiny or rejects) and it.is_below_atol:
        return _too_small(it)
    if tiny or (rejects and implicit):
        return Diagnosis(
            "not smooth",
            f"the steps are tiny at {where}: look for a jump or kink of the vector field there, "
            "or loosen solver.rtol and atol",
        )
    return Diagnosis(
        "too few steps", f"raise solver.max_steps: about {_rounded(it.steps_needed)} are needed"
    )


def _dt_min(it: FailedTrajectory) -> Diagnosis:
    where = f"t = {it.where}"
    if it.solver.dtmin is not None:
        return Diagnosis(
            "limited by dtmin",
            f"lower solver.dtmin, which is {it.solver.dtmin:g}, or set it to null; "
            f"the steps became that short at {where}",
        )
    if it.is_below_atol:
        return _too_small(it)
    if it.solver.reject_drift:
        return Diagnosis(
            "step size vanished",
            f"no step at {where} may keep verify.max_drift: see whether model.invariants are "
            "conserved there, or raise it; else look for a singularity or a jump of the field",
        )
    return Diagnosis(
        "step size vanished",
        f"look for a singularity or a jump of the vector field at {where}; else loosen solver.rtol "
        "and atol, or take runtime.precision=float64",
    )


def _non_finite(it: FailedTrajectory) -> Diagnosis:
    if it.num_steps == it.num_rejected_steps:
        return Diagnosis(
            "not defined at the start",
            "the vector field is infinite or not a number at "
            f"t = {shown_time(it.t0, it.t1)}, or right after it: look there for a division by "
            "zero, or a root or logarithm of a negative number",
        )
    if it.solver.stepsize_controller == "constant":
        return Diagnosis(
            "unstable",
            f"constant steps grew without bound up to t = {it.where}: lower solver.dt0, "
            f"or take stepsize_controller=pid or a stiff method ({STIFF_METHODS})",
        )
    if it.is_below_atol:
        return _too_small(it)
    return Diagnosis(
        "became infinite",
        f"at t = {it.where} the state ran away or the vector field left its domain: "
        "end before (the axis t1 gives each trajectory its own end), or guard it with jnp.where",
    )


def _nonlinear_solve(it: FailedTrajectory) -> Diagnosis:
    if it.solver.method.startswith("rodas"):
        return Diagnosis(
            "Jacobian not usable",
            f"at t = {it.where} it is infinite or not a number: look at the vector "
            "field there, or give a smaller solver.dt0",
        )
    if it.is_below_atol:
        return _too_small(it)
    return Diagnosis(
        "root find did not converge",
        "take rodas5p, which needs none, or a smaller solver.dt0 or dtmax",
    )


def _events(it: FailedTrajectory) -> Diagnosis:
    return Diagnosis(
        "events without end",
        f"at t = {it.where} events set each other off without end or pile up at one time, one "
        "fired too often within its delay, or a delay was negative: look at their triggers, "
        "assignments and delays",
    )


def _too_small(it: FailedTrajectory) -> Diagnosis:
    name, size = max(it.starts.items(), key=lambda item: item[1])
    return Diagnosis(
        "states below atol",
        f"every state starts below solver.atol, the largest, {name}, at {size:.2g}: nothing "
        f"controls their errors; lower solver.atol to {advised_atol(size)} or less",
    )


def _suspect(it: FailedTrajectory) -> Diagnosis:
    return Diagnosis(
        "tolerance too loose",
        f"at t = {it.where} a step's error estimate meant nothing: lower solver.rtol, "
        f"which is {it.solver.rtol:g}, to 1e-5 or below",
    )


def _history(it: FailedTrajectory) -> Diagnosis:
    return Diagnosis(
        "more steps within a delay than are kept",
        f"raise solver.delay_steps, which is {it.solver.delay_steps:,}, or loosen solver.rtol and "
        f"atol; the last one kept was needed at t = {it.where}",
    )


def _rounded(number: float) -> str:
    """A number of steps with two digits, rounded up, and some to spare."""
    digits = max(len(f"{number:.0f}") - 2, 0)
    return f"{-(-number * 1.1 // 10**digits) * 10**digits:,.0f}"
