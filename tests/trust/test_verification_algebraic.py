"""SciPy's own way to algebraic equations, and that it sees what is wrong with a solution."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import odeflow
from odeflow.trust.verification import verify
from odeflow.trust.verification.algebraic import StateSpace
from tests.problem.test_algebraic import compose, study
from tests.support.algebraic_problems import PUBLISHED, TRANSISTOR_AMPLIFIER


def test_a_state_is_found_again_from_what_is_integrated():
    declared = TRANSISTOR_AMPLIFIER.model.declared
    space = StateSpace(declared, np.full(8, 1e-9))
    model = TRANSISTOR_AMPLIFIER.model
    field = lambda t, y: np.array(model.flatten(model.vector_field(t, model.State(*y), ())), float)
    exact = np.array(TRANSISTOR_AMPLIFIER.end)
    near = exact + 1e-3 * np.arange(8)
    known = space.integrated(field, 0.2, near, np.zeros(8))
    found = known.lift(0.2, space.rows @ exact)
    np.testing.assert_allclose(found, exact, rtol=1e-8)


@pytest.mark.slow
def test_published_ends_by_scipy():
    """The reference itself, before it judges others."""
    from scipy.integrate import solve_ivp

    one = PUBLISHED["akzo"]
    model = one.model
    space = StateSpace(model.declared, np.full(6, 1e-12))
    field = lambda t, y: np.array(model.flatten(model.vector_field(t, model.State(*y), ())), float)
    y0 = space.started(field, 0.0, np.array([s.initial for s in model.declared.states.values()]))
    known = space.integrated(field, 0.0, y0, np.zeros(6))
    found = solve_ivp(known.field, (0, 180), known.start, "LSODA", rtol=1e-9, atol=1e-13)
    end = known.lift(180.0, found.y[:, -1])
    np.testing.assert_allclose(end, one.end, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "more"),
    [
        ("field", "doses: [{state: x, amount: 2, time: 0.5, duration: 1}]\n"),
        ("switched", ""),
        ("linear", "stop: {below: {z: 1.0}}\n"),
        ("linear", "stop: {steady_state: {rtol: 0.2, atol: 0.2}}\n"),
    ],
)
def test_what_is_right_is_verified(function: str, more: str, tmp_path: Path):
    config = compose(study(tmp_path, function, more), "verify.number=2")
    found = odeflow.run(config)
    checked = verify(config, tmp_path, found)
    assert checked.attrs["verdict"] == "passed", checked.attrs["verdict_reason"]


@pytest.mark.slow
def test_sensitivities_are_verified(tmp_path: Path):
    config = compose(study(tmp_path, "linear"), "saveat.sensitivities=[k]")
    checked = verify(config, tmp_path, odeflow.run(config))
    assert checked.attrs["verdict"] == "passed", checked.attrs["verdict_reason"]


def test_a_wrong_algebraic_state_is_seen(tmp_path: Path):
    more = "doses: [{state: x, amount: 1, time: 1}]\n"
    config = compose(study(tmp_path, more=more), "verify.number=2")
    found: Any = odeflow.run(config)
    assert verify(config, tmp_path, found).attrs["verdict"] == "passed"
    found["z"][:] = found["z"] * (1 + 1e-4)
    assert verify(config, tmp_path, found).attrs["verdict"] == "failed"
