"""Loose tolerances: no trajectory that ran away is a success.

A Michaelis-Menten substrate below -km runs away: the step across that pole is one that the error
estimate let through by chance. The true solution falls from S(0) to 0 and E + 0.09 S is constant.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from odeflow.config.ladder import ladder
from odeflow.engines.attempts import Retrier
from odeflow.engines.choice import EngineChoice, Resources
from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.importers.study.compose import compose
from odeflow.problem.attempt import Attempt
from odeflow.problem.problem import Lanes
from odeflow.problem.solver import SAFE_RTOL
from odeflow.problem.status import Status
from tests.support.marks import fast
from tests.support.problems import make_model, make_problem, michaelis_menten

LANES = 1500


def enzyme(rtol: float, **solver: Any) -> tuple[Any, Lanes]:
    model = make_model(michaelis_menten, {"substrate": 1.0, "enzyme": 1.0}, 60.0, vmax=1, km=1)
    problem = make_problem(model, rtol=rtol, atol=rtol / 100, **solver)
    vmax, km, substrate, start = np.random.default_rng(5).random((4, LANES))
    y0 = np.stack([6 + 6 * substrate, 0.1 + 0.6 * start])
    return problem, Lanes(y0, np.stack([8 + 4 * vmax, 4 + 2 * km]))


def attempts_of(*overrides: str) -> list[Attempt]:
    return [
        rung.attempt(rung.solver.solver(["substrate", "enzyme"]))
        for rung in ladder(compose(*overrides))
    ]


def substrates(solution: Any) -> Any:
    return np.abs(solution.values["substrate"][:, 0])


@pytest.mark.parametrize(
    "method, rtol",
    fast(
        {("tsit5", 1e-2), ("rodas5p", 1e-2)},
        [("tsit5", 1e-2), ("tsit5", 1e-3), ("rodas5p", 1e-2), ("dopri8", 1e-2)],
    ),
)
def test_what_runs_away_is_suspect_and_right_at_a_safe_tolerance(
    method: str, rtol: float, tmp_path: Path
):
    problem, lanes = enzyme(rtol, method=method)
    alone = native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)
    suspect = alone.status == Status.suspect
    assert np.isin(alone.status, [Status.success, Status.suspect]).all()
    if rtol == 1e-2 and method == "tsit5":
        assert 0.05 < suspect.mean() < 0.3
    assert (substrates(alone)[~suspect] < 1e-2).all()
    assert np.isnan(substrates(alone)[suspect]).all()
    overrides = [f"solver={method}", f"solver.rtol={rtol}", f"solver.atol={rtol / 100}"]
    attempts = attempts_of(*overrides)
    retrier = Retrier(problem, attempts, EngineChoice("native"), "native")
    solved = retrier.solve(lanes, Resources(threads=1, cache=tmp_path))
    assert (solved.solution.status == Status.success).all()
    np.testing.assert_array_equal(solved.attempt > 0, suspect)
    total = lanes.y0[1] + 0.09 * lanes.y0[0]
    np.testing.assert_allclose(solved.solution.values["enzyme"][:, 0], total, rtol=20 * rtol)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["tsit5", "rodas5p"])
def test_both_engines_suspect_the_same(method: str, tmp_path: Path):
    problem, lanes = enzyme(1e-2, method=method)
    few = lanes.take(np.arange(200))
    one = native_engine.solve(problem, few, threads=1, cache_dir=tmp_path)
    other = diffrax_engine.solve(problem, few)
    np.testing.assert_array_equal(one.status, other.status)
    np.testing.assert_array_equal(one.num_steps, other.num_steps)
    np.testing.assert_allclose(one.time_reached, other.time_reached, rtol=1e-9)


def van_der_pol(t: Any, y: Any, args: Any) -> dict[str, Any]:
    del t
    return {"x": y.v, "v": args.mu * (1 - y.x**2) * y.v - y.x}


def test_an_oscillator_that_goes_through_zero_is_not_suspect(tmp_path: Path):
    """The slope there says that the next step is not small."""
    model = make_model(van_der_pol, {"x": 2.0, "v": 0.0}, 20.0, mu=1.0)
    problem = make_problem(model, method="tsit5", rtol=1e-4, atol=1e-7)
    lanes = Lanes(np.tile([[2.0], [0.0]], 400), np.linspace(0.3, 1.0, 400)[None])
    found = native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)
    assert (found.status == Status.success).all()


def test_at_usual_tolerances_nothing_is_looked_at():
    for rtol, looks in ((1e-4, True), (SAFE_RTOL, False), (1e-6, False)):
        problem, _ = enzyme(rtol)
        ends_as_suspect = f", {float(Status.suspect)!r}, "
        assert (ends_as_suspect in native_engine.generated(problem).code.text) == looks


def test_the_ladder_ends_with_a_safe_tolerance_where_that_is_needed():
    def tolerances(*overrides: str) -> Sequence[Any]:
        return [(a.solver.rtol, a.solver.atol) for a in ladder(compose(*overrides))]

    assert tolerances("solver.rtol=1e-3", "solver.atol=1e-5")[-1] == pytest.approx((1e-5, 1e-7))
    assert len(ladder(compose("solver.rtol=1e-3"))) == 1 + len(ladder(compose()))
    assert len(ladder(compose("solver.rtol=1e-3", "runtime.retry=[]"))) == 1
    last = attempts_of("solver.rtol=1e-3")[-1]
    status = np.array([Status.suspect, Status.success, Status.max_steps_reached])
    assert last.may_help(status, np.ones(3)).tolist() == [True, False, False]
    first = attempts_of("solver.rtol=1e-3")[2]
    assert first.may_help(status, np.ones(3)).tolist() == [False, False, True]
