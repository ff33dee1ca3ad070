"""Steady states and their derivatives, against closed forms, in both engines."""

from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.engines.choice import Resources
from odeflow.ensemble.rest.conserved import conserved_by
from odeflow.ensemble.rest.steady_states import SteadyStates
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model

#: A is made and decays; B and C turn into each other, and their sum stays.
LINEAR = (
    "A = 2; B = 3; C = 1; k = 2; d = 4; f = 1; b = 3; A' = k - d*A; B' = -f*B + b*C; C' = f*B - b*C"
)
#: What binds and comes apart: R + L <-> X, a quadratic equation at rest.
BINDING = "R = 2; L = 3; X = 0; on = 0.5; off = 0.25; X' = on*R*L - off*X; R' = -on*R*L + off*X; L' = -on*R*L + off*X"  # noqa: E501
NEVER = {"oscillates": "A = 1; B = 0; k = 1; A' = k*B; B' = -k*A", "grows": "A = 1; k = 1; A' = k"}
ENGINES = ("native", pytest.param("diffrax", marks=pytest.mark.slow))


def model(folder: Path, text: str, *overrides: str) -> odeflow.Config:
    (folder / "model.ant").write_text(text)
    given = ("~experiment", "name=rest", "~model", "+model.antimony=model.ant", "+model.t1=2")
    tight = ("solver=rodas5p", "solver.rtol=1e-9", "solver.atol=1e-12")
    empty = ("design=zip", "design.axes={}")
    return odeflow.compose(*given, *tight, *empty, *overrides, study=folder)


def at_rest(config: odeflow.Config, varied: tuple[str, ...], **axes: list[float]):
    states = SteadyStates(config, load_model(config.model, config.study), varied)
    return states, states({name: np.array(x) for name, x in axes.items()}, Resources(threads=1))


@pytest.mark.parametrize("engine", ENGINES)
def test_linear_with_what_is_conserved(tmp_path, engine):
    config = model(tmp_path, LINEAR, f"runtime.engine={engine}")
    k, f = [2.0, 5.0, 2.0], [1.0, 2.0, 1.0]
    states, steady = at_rest(config, ("k", "f", "B"), k=k, f=f, B=[3.0, 7.0, 3.0])
    total, share = np.array([4, 8, 4.0]), np.array([3 / 4, 3 / 5, 3 / 4])
    np.testing.assert_allclose(steady.y, [np.array(k) / 4, total * share, total * (1 - share)])
    assert not steady.failed.any()
    np.testing.assert_array_equal(steady.y[:, 0], steady.y[:, 2])  # whatever is beside it
    names = list(states.model.declared.parameters)
    of_args, of_start = np.zeros((3, 3, len(names))), np.zeros((3, 3, 3))
    of_args[:, 0, names.index("k")] = of_args[:, 1, names.index("f")] = 1.0
    of_start[:, 2, 1] = 1.0
    found = states.slopes(steady, of_args, of_start)
    moved = -total * 3 / (np.array(f) + 3) ** 2  # d(total * b / (f + b)) / df
    zero = np.zeros(3)
    expected = [[zero + 0.25, zero, zero], [zero, moved, -moved], [zero, share, 1 - share]]
    np.testing.assert_allclose(found, np.moveaxis(np.array(expected), 2, 0), atol=1e-12)


def test_binding(tmp_path):
    """At rest X solves on (2 - X) (3 - X) = off X."""
    config = model(tmp_path, BINDING)
    _, steady = at_rest(config, ("on",), on=[0.5, 5.0, 1e-3, 1e4])
    for on, y in zip([0.5, 5.0, 1e-3, 1e4], steady.y.T):
        b = 5 + 0.25 / on
        x = (b - np.sqrt(b * b - 24)) / 2
        names = list(config.model.states)
        np.testing.assert_allclose(y[names.index("X")], x, rtol=1e-12)
        np.testing.assert_allclose(y[names.index("R")], 2 - x, rtol=1e-9)


@pytest.mark.parametrize("name", NEVER)
def test_what_is_never_at_rest(tmp_path, name):
    _, steady = at_rest(model(tmp_path, NEVER[name]), ("k",), k=[1.0, 2.0])
    assert steady.failed.all() and np.isnan(steady.y).all()


def test_a_reaction_that_is_off_conserves_more():
    def field(t, y, args):
        import jax.numpy as jnp

        made, turned = args
        return jnp.stack([made - turned * y[0], turned * y[0] - 1e-12 * y[1], 0 * y[2]])

    every = np.array([True, True])
    law = conserved_by(field, 0.0, 3, np.array([1.0, 1e9]), every)
    np.testing.assert_array_equal(law.kept, [True, True, False])
    law = conserved_by(field, 0.0, 3, np.array([0.0, 0.0]), every)
    np.testing.assert_array_equal(law.kept, [False, True, False])


DESIGN = (
    "design.axes={k: {values: [2, 6]}}",
    "+design.conditions={main: {d: 1, A: 9}, other: {d: 1, A: 9}, plain: {d: 1, A: 9}}",
    "+design.preequilibration={main: {settings: {d: 4, A: 2}},"
    " other: {settings: {d: 8, A: 2}, reset: [A]}}",
    "saveat.ts=[0, 1, 2]",
)


@pytest.mark.parametrize("engine", ENGINES)
def test_trajectories_start_at_rest(tmp_path, engine):
    config = model(tmp_path, LINEAR, *DESIGN, f"runtime.engine={engine}")
    found = odeflow.run(config)
    t, k = np.array([0.0, 1, 2]), np.repeat([2.0, 6.0], 3)
    start = np.array([2 / 4, 9, 9, 6 / 4, 9, 9])
    expected = k[:, None] + (start - k)[:, None] * np.exp(-t)
    np.testing.assert_allclose(found["A"], expected, rtol=1e-8)
    np.testing.assert_allclose(found["initial_A"], start)
    np.testing.assert_allclose(found["B"][0], 3.0)
    np.testing.assert_allclose(found["B"][2, 1:], 3 + 0 * t[1:], rtol=1e-8)
    found.to_netcdf(tmp_path / "ensemble.nc")
    made = odeflow.reproduce(tmp_path / "ensemble.nc", tmp_path)
    assert "the same bit for bit" in made.check()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_values_that_trajectories_go_to(tmp_path, engine):
    asked = ("+saveat.steady_state=true", "design.axes={k: {values: [2, 6]}}")
    found = odeflow.run(model(tmp_path, LINEAR, *asked, f"runtime.engine={engine}"))
    np.testing.assert_allclose(found["A_steady"], [0.5, 1.5])
    np.testing.assert_allclose(found["C_steady"], [1.0, 1.0])
    assert found["A_steady"].attrs["long_name"] == "A at rest"
    assert dict(found["A_steady"].sizes) == {"sample": 2}


def test_nothing_at_rest_before_is_a_failure(tmp_path):
    design = ("design.axes={k: {values: [1]}}", "+design.conditions={main: {}}")
    before = "+design.preequilibration={main: {}}"
    found = odeflow.run(model(tmp_path, NEVER["grows"], *design, before))
    assert int(found["status"][0]) == odeflow.Status.non_finite


MISTAKES = {
    "not one of design.conditions": ("+design.preequilibration={elsewhere: {}}",),
    "d: needed, since another one sets d": (
        "+design.conditions={a: {}, b: {}}",
        "+design.preequilibration={a: {settings: {d: 1}}, b: {}}",
    ),
    "'e' is not an axis": (
        "+design.conditions={a: {}}",
        "+design.preequilibration={a: {settings: {d: e}}}",
    ),
    "'e' is not a parameter or state": (
        "+design.conditions={a: {}}",
        "+design.preequilibration={a: {settings: {e: 1}}}",
    ),
    "not with doses": (
        "+saveat.steady_state=true",
        "doses=[{state: A, amount: 1, time: 0.5}]",
    ),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes(tmp_path, text):
    with pytest.raises(ConfigError, match=text) as caught:
        model(tmp_path, LINEAR, *MISTAKES[text])
    assert "\n" not in str(caught.value)
