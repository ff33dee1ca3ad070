"""What comes out where not all is well, events, labels, and what is left of JAX's state."""

import os
import subprocess
import sys
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optimistix
import pytest
from hydra.core.global_hydra import GlobalHydra

import odeflow
from odeflow import Status
from tests.api.reference import (
    ANIMALS_AXES,
    PID,
    animals,
    assert_same,
    by_diffrax,
    by_odeflow,
    lotka_volterra,
    pendulum,
)
from tests.support.marks import fast


def blow_up(t: Any, y: Any, args: Any) -> Any:
    """Y' = y^2: y(t) = 1 / (1/y0 - t), which ends at t = 1/y0."""
    return y**2


def test_one_that_fails_stops_no_other():
    saveat = diffrax.SaveAt(ts=np.linspace(0, 2, 4))
    call: Any = (blow_up, diffrax.Tsit5(), 0.0, 2.0, 0.01, np.array([0.1, 1.0, 0.2]))
    settings: Any = {"saveat": saveat, "stepsize_controller": PID, "max_steps": 1000}
    sol = by_odeflow(*call, **settings, throw=False)
    assert (sol.status != Status.success).tolist() == [False, True, False]
    np.testing.assert_allclose(sol.ys[0], 1 / (10 - np.linspace(0, 2, 4)), rtol=1e-5)
    assert np.isnan(sol.ys[1]).tolist() == [False, False, True, True]
    assert sol.time_reached[1] == pytest.approx(1.0, abs=1e-3)
    assert (sol.result == diffrax.RESULTS.successful).tolist() == [True, False, True]
    with pytest.raises(
        RuntimeError, match="1 of 3 trajectories failed, the first of them number 1"
    ):
        by_odeflow(*call, **settings)


def test_one_trajectory_that_fails():
    call: Any = (blow_up, diffrax.Tsit5(), 0.0, 2.0, 0.01, 1.0)
    known: Any = {"in_axes": None, "stepsize_controller": PID, "max_steps": 1000}
    sol = by_odeflow(*call, **known, throw=False)
    assert (sol.status.shape, sol.ys.shape) == ((), (1,))
    assert sol.status in (Status.max_steps_reached, Status.dt_min_reached, Status.non_finite)
    assert np.isnan(sol.ys).all()
    assert sol.result != diffrax.RESULTS.successful
    with pytest.raises(RuntimeError, match="1 of 1 trajectories failed"):
        by_odeflow(*call, **known)


def test_inputs_that_are_no_numbers_are_failures():
    y0, args = animals(3)
    y0[1] = np.nan
    sol = by_odeflow(
        lotka_volterra, diffrax.Tsit5(), 0.0, 1.0, None, y0, args,
        in_axes=ANIMALS_AXES, stepsize_controller=PID, throw=False,
    )  # fmt: skip
    assert sol.status.tolist() == [Status.success, Status.non_finite, Status.success]
    assert np.isnan(sol.ys[:, 0, 0]).tolist() == [False, True, False]


def test_the_limit_of_steps():
    y0, args = animals(2)
    call: Any = (lotka_volterra, diffrax.Tsit5(), 0.0, 10.0, None, y0, args)
    known: Any = {"in_axes": ANIMALS_AXES, "stepsize_controller": PID, "throw": False}
    sol = by_odeflow(*call, max_steps=5, **known)
    assert (sol.status == Status.max_steps_reached).all()
    assert (sol.result == diffrax.RESULTS.max_steps_reached).all()
    assert (by_odeflow(*call, max_steps=None, **known).status == Status.success).all()


@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_no_trajectories(engine: Any):
    sol = by_odeflow(
        pendulum, diffrax.Tsit5(), 0.0, 1.0, None,
        {"motion": np.ones((0, 1, 2)), "work": (np.ones(0),)},
        {"force": np.ones(2), "drag": 0.1}, in_axes=(0, None), stepsize_controller=PID,
        engine=engine,
    )  # fmt: skip
    assert jax.tree.map(np.shape, sol.ys) == {"motion": (0, 1, 1, 2), "work": ((0, 1),)}
    assert sol.status.shape == (0,)


@pytest.mark.parametrize("kind", fast({"boolean"}, ["boolean", "sign", "falling", "rising"]))
def test_events_that_end_a_step(kind: str):
    """Without a root finder: the first step at whose end it holds, as under Diffrax."""
    event = {
        "boolean": diffrax.Event(lambda t, y, args, **_: y[0] > 1.5),
        "sign": diffrax.Event(lambda t, y, args, **_: y[0] - 1.0),
        "falling": diffrax.Event(lambda t, y, args, **_: y[0] - 1.0, direction=False),
        "rising": diffrax.Event(lambda t, y, args, **_: y[0] - 1.0, direction=True),
    }[kind]
    y0, args = animals(6)
    call: Any = (lotka_volterra, diffrax.Tsit5(), 0.0, 10.0, None, y0, args)
    known: Any = {"in_axes": ANIMALS_AXES, "stepsize_controller": PID, "event": event}
    ours, theirs = by_odeflow(*call, **known), by_diffrax(*call, **known)
    assert_same(ours, theirs, rtol=1e-8)  # where a step ends is known to some 10 digits
    np.testing.assert_array_equal(ours.event_mask, theirs.event_mask)
    assert ours.event_mask.any()
    saveat = diffrax.SaveAt(ts=np.linspace(0, 10, 11))
    ours = by_odeflow(*call, **known, saveat=saveat)
    theirs = by_diffrax(*call, **known, saveat=saveat)
    # what holds at t0 ends a trajectory there, and Diffrax does not even save that
    found, expected = ours.ys[:, 1:], theirs.ys[:, 1:]
    missed = np.isinf(expected)
    assert missed.any()
    np.testing.assert_array_equal(np.isnan(found), missed)
    np.testing.assert_allclose(found[~missed], expected[~missed], rtol=1e-12)
    np.testing.assert_array_equal(ours.ys[:, 0], y0)


@pytest.mark.slow
def test_the_time_of_an_event():
    event = diffrax.Event(
        lambda t, y, args, **_: y[0] - 1.0, optimistix.Newton(1e-10, 1e-10, optimistix.rms_norm)
    )
    y0, args = animals(6)
    call: Any = (lotka_volterra, diffrax.Tsit5(), 0.0, 10.0, None, y0, args)
    known: Any = {"in_axes": ANIMALS_AXES, "stepsize_controller": PID, "event": event}
    ours, theirs = by_odeflow(*call, **known), by_diffrax(*call, **known)
    np.testing.assert_allclose(ours.ys[..., 0], 1.0, atol=1e-12)
    np.testing.assert_allclose(ours.ts, theirs.ts, rtol=1e-8)
    np.testing.assert_allclose(ours.ys, theirs.ys, rtol=1e-8)
    assert (ours.result == diffrax.RESULTS.event_occurred).all()


def test_a_steady_state_by_what_diffrax_shows_its_condition():
    event = diffrax.Event(diffrax.steady_state_event(rtol=1e-3, atol=1e-3))
    call: Any = (lambda t, y, args: 1.0 - y, diffrax.Tsit5(), 0.0, 50.0, None, np.array([0.5, 3.0]))
    known: Any = {"stepsize_controller": PID, "event": event}
    assert_same(by_odeflow(*call, **known), by_diffrax(*call, **known))


def test_labels():
    lanes = 3
    y0 = {"motion": np.full((lanes, 1, 2), 0.3), "work": (np.zeros(lanes),)}
    force = np.stack([np.linspace(0, 1, lanes), np.full(lanes, 0.7)], axis=1)
    sol = by_odeflow(
        pendulum, diffrax.Tsit5(), 0.0, 8.0, None, y0, {"force": force, "drag": 0.1},
        in_axes=(0, {"force": 0, "drag": None}), stepsize_controller=PID,
        saveat=diffrax.SaveAt(ts=np.linspace(0, 8, 4)),
    )  # fmt: skip
    ds = sol.to_xarray(
        coords={"amplitude": force[:, 0]}, units={"motion": "1", "amplitude": "N"}, time_units="s"
    )
    assert ds.motion.dims == ("sample", "time", "motion_dim_0", "motion_dim_1")
    assert (ds.motion.units, ds.amplitude.units, ds.time.units) == ("1", "N", "s")
    np.testing.assert_array_equal(ds.work_0, sol.ys["work"][0])
    assert ds.status.flag_meanings.split()[0] == "success"
    assert ds.attrs["odeflow_engine"] == "native"
    with pytest.raises(ValueError, match="no variable 'angle'; known: motion, work_0"):
        sol.to_xarray(units={"angle": "rad"})


def test_labels_of_one_trajectory_and_of_ends():
    y0, _ = animals(1)
    one = by_odeflow(
        lotka_volterra, diffrax.Tsit5(), 0.0, 5.0, None, y0[0], (1.0, 1.0, 0.9, 1.0),
        in_axes=None, stepsize_controller=PID,
    )  # fmt: skip
    ds = one.to_xarray()
    assert (ds.y.dims, ds.time.item()) == (("time", "y_dim_0"), 5.0)
    assert ds.num_steps.dims == ()


def test_progress_counts_trajectories():
    y0, args = animals(600)
    done: list[int] = []
    by_odeflow(
        lotka_volterra, diffrax.Tsit5(), 0.0, 1.0, None, y0, args, in_axes=ANIMALS_AXES,
        stepsize_controller=PID, progress=done.append, threads=1,
    )  # fmt: skip
    assert done == sorted(done)
    assert done[-1] == 600
    assert len(done) > 1


def test_nothing_global_is_changed():
    y0, args = animals(3)
    before = dict(jax.config.values), dict(os.environ), GlobalHydra.instance().is_initialized()
    for engine in ("native", "diffrax"):
        by_odeflow(
            lotka_volterra, diffrax.Tsit5(), 0.0, 1.0, None, y0, args,
            in_axes=ANIMALS_AXES, stepsize_controller=PID, engine=engine,
        )  # fmt: skip
    after = dict(jax.config.values), dict(os.environ), GlobalHydra.instance().is_initialized()
    assert after == before


WITHOUT_X64 = """
import diffrax, jax, jax.numpy as jnp, numpy as np, odeflow
field = lambda t, y, args: -args * y
rates = jnp.linspace(0.5, 2, 4)
solve = lambda rates, **known: odeflow.ensemble_solve(
    diffrax.ODETerm(field), diffrax.Tsit5(), 0.0, 1.0, None, np.ones(4), rates,
    saveat=diffrax.SaveAt(ts=np.array([0.1, 0.7])), throw=True,
    stepsize_controller=diffrax.PIDController(rtol=1e-10, atol=1e-10), **known).ys
exact = np.exp(-np.asarray(rates, float)[:, None] * np.array([0.1, 0.7], np.float32).astype(float))
for engine in ("native", "diffrax"):
    out = solve(rates, engine=engine)
    assert out.dtype == np.float64 and abs(out - exact).max() < 1e-9, abs(out - exact).max()
inside = jax.jit(solve)(rates)
assert inside.dtype == jnp.float32 and abs(inside - exact).max() < 1e-7
slope = jax.grad(lambda r: solve(r)[:, 1].sum())(rates)
assert slope.dtype == jnp.float32 and abs(slope + 0.7 * exact[:, 1]).max() < 1e-6
assert not jax.config.jax_enable_x64 and jnp.zeros(1).dtype == jnp.float32
"""


@pytest.mark.slow
def test_double_precision_where_jax_has_single():
    subprocess.run([sys.executable, "-c", WITHOUT_X64], check=True, env=os.environ)


def test_explain_names_the_line():
    def slow(t: Any, y: Any, args: Any) -> Any:
        halved = jax.lax.while_loop(lambda x: x > 1, lambda x: x / 2, y[0])  # the line
        return jnp.stack([halved, -args * y[1]])

    found = odeflow.explain(slow, np.ones(2), 1.0)
    assert not found
    assert "test_solution.py" in found.where
    assert found.primitive == "while"
    assert str(found) == found.reason
    assert odeflow.explain(lotka_volterra, np.ones(2), (1.0, 1.0, 1.0, 1.0))
    assert str(odeflow.explain(diffrax.ODETerm(blow_up), 1.0)) == "the native engine runs it"
    assert "kvaerno5" in odeflow.explain(blow_up, 1.0, solver=diffrax.Kvaerno5()).reason
    euler = odeflow.explain(blow_up, 1.0, solver=diffrax.Euler())
    assert euler.native


def test_what_is_explained_is_what_is_taken():
    def slow(t: Any, y: Any, args: Any) -> Any:
        return -jax.lax.while_loop(lambda x: x > 1, lambda x: x / 2, y)

    sol = by_odeflow(slow, diffrax.Tsit5(), 0.0, 1.0, None, np.ones(2), stepsize_controller=PID)
    assert sol.engine == "diffrax"
    assert sol.reason == odeflow.explain(slow, 1.0).reason
