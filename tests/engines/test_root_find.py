"""Implicit methods whose root find cannot reach its tolerance, or fails."""

from typing import Any

import numpy as np
import pytest

from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.problem.problem import Lanes
from odeflow.problem.status import Status
from tests.support.problems import make_model, make_problem


def relay(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Steep and then at rest: x = exp(-t), z follows 1 + x**2 at the rate of 1e5."""
    return {"x": -y.x, "z": args.rate * (1 + y.x**2 - y.z)}


@pytest.mark.parametrize(
    "method", [pytest.param(m, marks=pytest.mark.slow) for m in ("kvaerno5", "implicit_euler")]
)
def test_a_tolerance_of_next_to_nothing_costs_no_more_steps(method: str):
    """The slopes are zero in the end, where an absolute tolerance would be all there is."""
    model = make_model(relay, {"x": 1.0, "z": 2.0}, 30.0, rate=1e5)
    lanes = Lanes(np.array([[1.0], [2.0]]), np.array([[1e5]]))
    rtol = 1e-6 if method == "kvaerno5" else 1e-3
    usual, tiny = (
        diffrax_engine.solve(make_problem(model, method=method, rtol=rtol, atol=atol), lanes)
        for atol in (1e-9, 1e-20)
    )
    assert usual.status[0] == tiny.status[0] == Status.success
    np.testing.assert_allclose(tiny.values["z"].ravel(), 1.0, rtol=10 * rtol)
    assert tiny.num_steps[0] < 3 * usual.num_steps[0]


def no_root(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """At any length of step that is asked for here, no stage equation has a solution."""
    return {"x": args.rate * (1 + y.x**2)}


@pytest.mark.parametrize(
    "method, controller",
    [
        ("implicit_euler", "constant"),
        pytest.param("implicit_euler", "pid", marks=pytest.mark.slow),
        pytest.param("kvaerno3", "constant", marks=pytest.mark.slow),
        pytest.param("kvaerno3", "pid", marks=pytest.mark.slow),
    ],
)
def test_a_failed_root_find_is_never_a_success(method: str, controller: str):
    """The solution is tan(rate t): beyond pi/2 there is nothing, whatever the steps."""
    model = make_model(no_root, {"x": 0.0}, 1.0, rate=5.0)
    problem = make_problem(
        model, method=method, stepsize_controller=controller, dt0=0.5, max_steps=2000, rtol=1e-3
    )
    found = diffrax_engine.solve(problem, Lanes(np.zeros((1, 2)), np.array([[5.0, 0.5]])))
    assert found.status[0] not in (Status.success, Status.stopped_by_event)
    assert np.isnan(found.values["x"][0]).all()
    if controller == "pid":
        assert found.status[1] == Status.success
        np.testing.assert_allclose(found.values["x"][1], np.tan(0.5), rtol=0.02)
