"""One `solver.atol` for states of different sizes."""

from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.config.tolerances import scaled_tolerances
from tests.support.snakes import make_study

SMALL = """
vector_field: models.py:decay
t1: 2.0
states: {x: {initial: 3.0e-13, scale: 1.0e-13}, y: {initial: 0.0}}
parameters: {k: {value: 1.5}}
"""
FIELD = "def decay(t, y, args):\n    return {'x': -args.k * y.x, 'y': 1e13 * args.k * y.x}\n"


def small_study(folder: Path) -> Path:
    study = make_study(folder)
    (study / "models.py").write_text(FIELD)
    (study / "config/model/small.yaml").write_text(f"name: small\n{SMALL}")
    return study


def test_a_state_below_the_tolerance_is_solved_to_it_with_its_scale(tmp_path: Path):
    """The state x decays and y takes what it loses, in another unit."""
    config = odeflow.compose(
        "model=small", "~experiment", "name=x", "design.axes={k:{values:[0.5,1.5]}}",
        "solver.atol=1e-9", "solver.rtol=1e-9", "saveat.ts=[1,2]", study=small_study(tmp_path),
    )  # fmt: skip
    assert config.solver.atol == {"x": pytest.approx(1e-22), "y": 1e-9}
    result = odeflow.run(config)
    left = np.exp(-result.k * result.time).transpose(*result.x.dims)
    np.testing.assert_allclose(result.x, 3e-13 * left, rtol=1e-7)
    np.testing.assert_allclose(result.y, 3 * (1 - left), rtol=1e-7)


def test_attempts_are_scaled_and_tolerances_of_states_are_kept():
    model = {"states": {"a": {"initial": 1, "scale": 1e-3}, "b": {"initial": 1}}}
    found = scaled_tolerances(
        {
            "model": model,
            "solver": {"atol": 1e-6},
            "runtime": {"retry": [{"atol": 1e-4}, {"atol": {"a": 1, "b": 2}}, {"rtol": 1}, "safe"]},
        }
    )
    assert found["solver"]["atol"] == {"a": pytest.approx(1e-9), "b": 1e-6}
    first, second, third, fourth = found["runtime"]["retry"]
    assert first["atol"] == {"a": pytest.approx(1e-7), "b": 1e-4}
    assert (second, third, fourth) == ({"atol": {"a": 1, "b": 2}}, {"rtol": 1}, "safe")
    alike = {"model": {"states": {"a": {"initial": 1}}}, "solver": {"atol": 1e-6}}
    assert scaled_tolerances(alike) == alike
    wrong = {"model": model, "solver": {"atol": "small"}}
    assert scaled_tolerances(wrong) == wrong  # for the schema to refuse


AMOUNTS = """
compartment cell = 1e-14, vial = 2, count = 1e-15
substanceOnly species S in cell = 4e-14, P in cell = 0, Q in vial = 5, n in count = 700
J: S -> P; k*S; N: n -> ; k*n; R: Q -> ; k*Q; k = 0.5
"""


def test_amounts_in_small_compartments_have_their_size_as_scale(tmp_path: Path):
    pytest.importorskip("antimony")
    study = make_study(tmp_path)
    (study / "cell.ant").write_text(AMOUNTS)
    (study / "config/model/cell.yaml").write_text("antimony: cell.ant\nt1: 4.0\n")
    config = odeflow.compose(
        "model=cell", "~experiment", "name=x", "design.axes={k:{values:[0.5]}}",
        "solver.atol=1e-9", "solver.rtol=1e-9", "saveat.ts=[2,4]", study=study,
    )  # fmt: skip
    assert config.solver.atol == {
        "S": pytest.approx(4e-23), "P": pytest.approx(4e-23), "Q": 1e-9, "n": 1e-9
    }  # fmt: skip
    result = odeflow.run(config)
    np.testing.assert_allclose(result.S.squeeze(), 4e-14 * np.exp(-0.5 * result.time), rtol=1e-7)
    np.testing.assert_allclose(result.P.squeeze(), 4e-14 - result.S.squeeze(), rtol=1e-7)
