"""Each diagnosis from the numbers that lead to it."""

from typing import Any

import pytest

from odeflow.config.solver import SolverConfig
from odeflow.problem.status import Status
from odeflow.trust.diagnosis import Diagnosis, FailedTrajectory, diagnose


def diagnosis(status: str, *, steps: int, rejected: int, reached: float = 5.0, **solver: Any):
    tried = frozenset(solver.pop("tried", ()))
    starts = solver.pop("starts", {})
    config = SolverConfig.model_validate(solver)
    outcome = FailedTrajectory(
        Status[status], 0.0, 10.0, reached, steps, rejected, config, tried, starts
    )
    return diagnose(outcome)


STIFF = {"steps": 10_000, "rejected": 2000, "reached": 1e-3}
CONSTANT = {"stepsize_controller": "constant", "dt0": 0.01}
#: status, numbers and solver; the cause, and words of the advice.
CASES: dict[str, tuple[str, dict[str, Any], str, list[str]]] = {
    "nothing above atol": (
        "dt_min_reached", {"steps": 50, "rejected": 20, "starts": {"a": 3e-13, "b": 1e-14}},
        "states below atol", ["the largest, a, at 3e-13", "lower solver.atol to 1e-19"],
    ),
    "one state above atol": (
        "dt_min_reached", {"steps": 50, "rejected": 20, "starts": {"a": 3e-13, "b": 1.0}},
        "step size vanished", ["loosen solver.rtol"],
    ),
    "a tolerance too loose": (
        "suspect", {"steps": 50, "rejected": 2, "rtol": 1e-2},
        "tolerance too loose", ["lower solver.rtol, which is 0.01"],
    ),
    "many rejects, tiny steps": (
        "max_steps_reached", STIFF, "stiff", ["rodas5p or kvaerno5"],
    ),
    "few rejects, steps far too tiny": (
        "max_steps_reached", {**STIFF, "rejected": 10, "reached": 1e-5}, "stiff", ["rodas5p"],
    ),
    "stiff methods tried in vain": (
        "max_steps_reached", {**STIFF, "tried": {"tsit5", "rodas5p"}},
        "hard for explicit and stiff methods", ["beyond t = 0.001"],
    ),
    "many rejects, but not far to go": (
        "max_steps_reached", {"steps": 10_000, "rejected": 2300}, "too few steps", ["22,000"],
    ),
    "no rejects": (
        "max_steps_reached", {"steps": 10_000, "rejected": 0}, "too few steps",
        ["raise solver.max_steps", "22,000"],
    ),
    "implicit, few rejects": (
        "max_steps_reached", {"steps": 1000, "rejected": 100, "method": "rodas5p"},
        "too few steps", ["about 2,200"],
    ),
    "implicit, many rejects": (
        "max_steps_reached", {"steps": 1000, "rejected": 600, "method": "rodas5p"},
        "not smooth", ["t = 5", "jump or kink", "rtol"],
    ),
    "constant steps": (
        "max_steps_reached", {"steps": 500, "rejected": 0, **CONSTANT},
        "too few constant steps", ["raise solver.max_steps to 1000"],
    ),
    "only rejects": (
        "max_steps_reached", {"steps": 50, "rejected": 50, "reached": 0.0},
        "no step accepted", ["smaller solver.dt0"],
    ),
    "dtmin": (
        "dt_min_reached", {"steps": 50, "rejected": 20, "dtmin": 1e-3},
        "limited by dtmin", ["solver.dtmin, which is 0.001", "t = 5"],
    ),
    "rounding": (
        "dt_min_reached", {"steps": 50, "rejected": 20},
        "step size vanished", ["singularity", "t = 5", "float64"],
    ),
    "not finite at once": (
        "non_finite", {"steps": 1, "rejected": 1, "reached": 0.0},
        "not defined at the start", ["t = 0", "division by zero"],
    ),
    "not finite later": (
        "non_finite", {"steps": 80, "rejected": 30}, "became infinite", ["t = 5", "jnp.where"],
    ),
    "constant steps that explode": (
        "non_finite", {"steps": 500, "rejected": 0, **CONSTANT}, "unstable",
        ["lower solver.dt0", "pid"],
    ),
    "root find": (
        "nonlinear_solve_failed", {"steps": 9, "rejected": 9, "method": "kvaerno5"},
        "root find did not converge", ["rodas5p"],
    ),
    "Jacobian": (
        "nonlinear_solve_failed", {"steps": 9, "rejected": 9, "method": "rodas5p"},
        "Jacobian not usable", ["smaller solver.dt0"],
    ),
    "events": (
        "events_failed", {"steps": 9, "rejected": 1}, "events without end", ["t = 5", "delay"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("status, numbers, cause, words", CASES.values(), ids=CASES)
def test_the_numbers_tell(status: str, numbers: dict[str, Any], cause: str, words: list[str]):
    found: Diagnosis = diagnosis(status, **numbers)
    assert found.cause == cause
    assert "\n" not in found.advice
    for word in words:
        assert word in found.advice


@pytest.mark.parametrize("status", [s.name for s in Status if s.is_failure])
@pytest.mark.parametrize("steps, rejected", [(0, 0), (1, 0), (1, 1), (10**6, 10**6)])
@pytest.mark.parametrize("reached", [0.0, 1e-300, 10.0])
def test_no_numbers_are_without_advice(status: str, steps: int, rejected: int, reached: float):
    found = diagnosis(status, steps=steps, rejected=rejected, reached=reached)
    assert found.cause and found.advice
