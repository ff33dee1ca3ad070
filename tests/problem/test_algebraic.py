"""Mass matrices and consistent values: their form, what is refused, doses, derivatives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import odeflow
from odeflow.files.errors import ConfigError
from odeflow.problem.declaration import State
from odeflow.problem.mass_matrix import pivots_of, rows_of
from odeflow.workflow.chunks import solve_digest
from tests.support.algebraic_problems import (
    TRANSISTOR_AMPLIFIER,
    algebraic_model,
    changed,
    prepared,
)
from tests.support.marks import fast

BINDING = """
import jax.numpy as jnp

def field(t, y, args):
    return {"x": -args.k * y.z, "z": y.z**3 + y.z - y.x}

def linear(t, y, args):
    return {"x": -args.k * y.z, "z": y.z - y.x**2}

def switched(t, y, args):
    return {"x": -y.z, "z": y.z - jnp.where(t < 1, 1.0, 2.0) * y.x}
"""
ENGINES = fast(["native"], ["native", "diffrax"])


def study(folder: Path, function: str = "field", more: str = "", **model: Any) -> Path:
    (folder / "models.py").write_text(BINDING)
    group = {
        "name": "binding",
        "vector_field": f"models.py:{function}",
        "algebraic": ["z"],
        "t1": 2.0,
        "states": {"x": {"initial": 2.0}, "z": {"initial": 0.5}},
        "parameters": {"k": {"value": 1.0}},
    } | model
    for name, text in (
        ("model/binding.yaml", str(group).replace("None", "null")),
        (
            "experiment/binding.yaml",
            "# @package _global_\n"
            "defaults: [override /model: binding, override /design: grid, "
            "override /solver: rodas5p]\n"
            "name: binding\ndesign: {axes: {k: {values: [0.5, 1.5]}}}\n"
            "solver: {rtol: 1.0e-9, atol: 1.0e-11}\nsaveat: {ts: {linspace: [0, 2, 21]}}\n" + more,
        ),
    ):
        path = folder / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def compose(folder: Path, *overrides: str) -> Any:
    return odeflow.compose("experiment=binding", *overrides, study=folder)


def root(x: float) -> float:
    """The z of z^3 + z = x."""
    return brentq(lambda z: z**3 + z - x, -10, 10, xtol=1e-15)


def time_of(z: float, start: float, k: float) -> float:
    """When z is reached: (3 z^2 + 1) z' = -k z."""
    of = lambda z: 1.5 * z**2 + np.log(z)
    return (of(start) - of(z)) / k


def test_a_singular_matrix_becomes_rows_of_the_identity_or_zero():
    matrix = TRANSISTOR_AMPLIFIER.model.declared.full_mass_matrix
    rows = rows_of(matrix)
    assert len(rows.differential) == 5 and len(rows.constraints) == 3
    assert rows.coupling == {(0, 1): -1.0, (3, 4): -1.0, (6, 7): -1.0}
    for column, row in rows.differential.items():
        summed = sum(x * matrix[i] for i, x in row.items())
        expected = np.eye(8)[column].copy()
        for (i, j), x in rows.coupling.items():
            expected[j] += x * (i == column)
        np.testing.assert_allclose(summed, expected, atol=1e-15)
    for row in rows.constraints:
        assert not sum(x * matrix[i] for i, x in row.items()).any()


def test_pivots_avoid_what_vanishes_and_name_what_has_none():
    block = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    order, missing = pivots_of(block)
    work, used = block.copy(), []
    for row, column in order:
        assert abs(work[row, column]) > 0.05
        used.append(row)
        for other in set(range(3)) - set(used):
            work[other] -= work[other, column] / work[row, column] * work[row]
    assert not missing.any()
    _, missing = pivots_of(np.array([[1.0, 0.0], [2.0, 0.0]]))
    assert missing.tolist() == [False, True]


def pendulum(t: Any, y: Any, args: Any) -> tuple[Any, ...]:
    x, height, u, v, tension = y
    return u, v, -tension * x, -tension * height - 1, x**2 + height**2 - 1


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            algebraic_model(
                pendulum, {"x": 1, "y": 0, "u": 0, "v": 0, "tension": 0}, 1, algebraic=("tension",)
            ),
            ("do not determine tension", "index", "above 1"),
        ),
        (
            algebraic_model(
                lambda t, y, args: (-y.x, y.z**2 + y.x), {"x": 1.0, "z": 1.0}, 1, algebraic=("z",)
            ),
            ("finds no values of z", "model.t0"),
        ),
        (
            algebraic_model(
                lambda t, y, args: (-y.x, y.z**2 - y.x), {"x": 0.0, "z": 0.0}, 1, algebraic=("z",)
            ),
            ("do not determine z at model.t0", "singular"),
        ),
        (
            algebraic_model(
                lambda t, y, args: (-y.x, y.u, y.z - y.x), {"x": 1.0, "u": 1.0, "z": 1.0}, 1,
                algebraic=("z",), free=("u",),
            ),
            ("do not determine u", "model.free"),
        ),
    ],
    ids=["index 3", "no solution", "singular at t0", "free in vain"],
)  # fmt: skip
def test_what_is_not_of_index_1_or_not_consistent_is_named(model: Any, words: tuple[str, ...]):
    with pytest.raises(ConfigError) as caught:
        prepared(model, method="rodas5p")
    for word in words:
        assert word in str(caught.value)


def test_what_is_free_at_t0_is_found_and_the_rest_is_held():
    model = algebraic_model(
        lambda t, y, args: (-y.x, y.z**3 + y.z - y.x), {"x": 1.0, "z": 2.0}, 1, algebraic=("z",)
    )
    _, lanes = prepared(model, method="rodas5p")
    np.testing.assert_allclose(lanes.y0[:, 0], [1.0, root(1.0)], rtol=1e-12)
    _, lanes = prepared(changed(model, free=("x",)), method="rodas5p")
    np.testing.assert_allclose(lanes.y0[:, 0], [10.0, 2.0], rtol=1e-12)


@pytest.mark.slow
def test_with_a_mass_matrix_what_stands_before_the_derivatives_is_held():
    given = TRANSISTOR_AMPLIFIER.model.declared.states
    shifted = {**given, "y2": State(initial=np.array(3.1)), "y5": State(initial=np.array(2.8))}
    _, lanes = prepared(changed(TRANSISTOR_AMPLIFIER.model, states=shifted), method="rodas5p")
    y = lanes.y0[:, 0]
    np.testing.assert_allclose([y[1] - y[0], y[4] - y[3]], [3.1, -3.2], rtol=1e-12)
    assert abs(y[0]) > 1e-3 and abs(y[4] - 2.8) > 1e-3


@pytest.mark.parametrize("engine", ENGINES)
def test_doses_change_algebraic_states_at_once(engine: str, tmp_path: Path):
    more = "doses: [{state: x, amount: 3, time: 0}, {state: x, amount: 1, time: 1}]\n"
    folder = study(tmp_path, more=more)
    found = odeflow.run(compose(folder, f"runtime.engine={engine}"))
    for k, one in zip((0.5, 1.5), found.transpose("k", "time")["z"].values):
        assert one[0] == pytest.approx(root(5.0), rel=1e-10)
        before = brentq(lambda z: time_of(z, root(5.0), k) - 1, 1e-6, 3)  # noqa: B023
        after = root(before**3 + before + 1)
        assert one[10] == pytest.approx(after, rel=1e-7)
        assert time_of(one[20], after, k) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_a_switch_in_time_changes_algebraic_states_at_once(engine: str, tmp_path: Path):
    """X' = -z, z = x before 1 and 2 x after it."""
    found = odeflow.run(compose(study(tmp_path, "switched"), f"runtime.engine={engine}"))
    t = found.time.values
    x = 2 * np.where(t < 1, np.exp(-t), np.exp(-1 - 2 * (t - 1)))
    np.testing.assert_allclose(found["x"].values[0], x, rtol=1e-7)
    np.testing.assert_allclose(found["z"].values[0], np.where(t < 1, 1, 2) * x, rtol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_a_stop_and_metrics_see_algebraic_states(engine: str, tmp_path: Path):
    """X' = -k x^2: z = x^2 passes 1 at t = 1/(2 k)."""
    more = "stop: {below: {z: 1.0}}\nsummary: {metrics: [integral]}\n"
    found = odeflow.run(compose(study(tmp_path, "linear", more), f"runtime.engine={engine}"))
    np.testing.assert_allclose(found.time_reached, [1.0, 1 / 3], rtol=1e-7)


@pytest.mark.parametrize("engine", ENGINES)
def test_sensitivities_are_those_of_the_equations(engine: str, tmp_path: Path):
    """X = x0/(1 + k x0 t) and z = x^2, by k and by x0, across a dose that nothing moves."""
    more = "saveat: {sensitivities: [k, x]}\n"
    folder = study(tmp_path, "linear")
    path = folder / "config/experiment/binding.yaml"
    text = path.read_text().replace("saveat: {ts: {linspace: [0, 2, 21]}}\n", "")
    path.write_text(text + more.replace("{s", "{ts: {linspace: [0, 2, 21]}, s"))
    found = odeflow.run(compose(folder, f"runtime.engine={engine}"))
    t, k = found.time.values, np.array([[0.5], [1.5]])
    x = 2 / (1 + 2 * k * t)
    by_k, by_x = -(x**2) * t, (x / 2) ** 2
    for name, expected in (
        ("d_x_d_k", by_k), ("d_z_d_k", 2 * x * by_k),
        ("d_x_d_initial_x", by_x), ("d_z_d_initial_x", 2 * x * by_x),
    ):  # fmt: skip
        np.testing.assert_allclose(found[name].values, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.slow
def test_sensitivities_that_would_jump_are_refused(tmp_path: Path):
    more = "stop: {below: {z: 1.0}}\n"
    config = compose(study(tmp_path, "linear", more), "saveat.sensitivities=[k]")
    with pytest.raises(ConfigError, match="not beside algebraic equations where something"):
        odeflow.run(config)


def test_what_changes_the_equations_changes_the_digest(tmp_path: Path):
    folder = study(tmp_path)
    first = solve_digest(compose(folder), folder)
    assert solve_digest(compose(folder, "model.free=[x]"), folder) != first
    assert solve_digest(compose(folder, "+model.mass_matrix={x: {x: 2}}"), folder) != first
    assert solve_digest(compose(folder, "plot.dpi=90"), folder) == first
