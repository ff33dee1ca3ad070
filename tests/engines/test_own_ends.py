"""The axis t1: each trajectory's own end, by both engines."""

from pathlib import Path
from typing import Any

import equinox.internal as eqxi
import jax.numpy as jnp
import numpy as np
import pytest

import odeflow
from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.engines.native.methods.controller import end_columns
from odeflow.problem.problem import Lanes, Problem
from odeflow.problem.status import Status
from tests.support.problems import decay, make_model, make_solver

ENDS = np.array([0.3, 1.0, 1.7, 2.0, 2.5])
RATES = np.linspace(0.5, 3.0, 5)
TS = np.array([0.0, 0.3, 1.0, 1.5, 2.0])


def solve(engine: str, folder: Path, ts: Any, **solver: Any) -> Any:
    model = make_model(decay, {"y": 2.0}, 2.0, k=1.0)
    config = make_solver(["y"], **({"rtol": 1e-9, "atol": 1e-12} | solver))
    problem = Problem(model, config, ts, ("y",), np.dtype("float64"), own_ends=True)
    lanes = Lanes(np.full((1, 5), 2.0), RATES[None], ENDS)
    if engine == "native":
        return native_engine.solve(problem, lanes, threads=1, cache_dir=folder)
    return diffrax_engine.solve(problem, lanes)


ENGINES = pytest.mark.parametrize("engine", ["native", "diffrax"])
STEPS = pytest.mark.parametrize(
    "solver",
    [{}, {"method": "dopri8", "stepsize_controller": "constant", "dt0": 0.01}],
    ids=["adaptive", "constant"],
)


@ENGINES
@STEPS
def test_the_end_value_is_at_the_own_end(engine: str, solver: Any, tmp_path: Path):
    found = solve(engine, tmp_path, None, **solver)
    np.testing.assert_allclose(found.values["y"][:, 0], 2 * np.exp(-RATES * ENDS), rtol=1e-7)
    np.testing.assert_array_equal(found.time_reached, ENDS)
    assert (found.status == Status.success).all()


@ENGINES
def test_values_after_the_own_end_are_nan(engine: str, tmp_path: Path):
    found = solve(engine, tmp_path, TS)
    expected = np.where(ENDS[:, None] >= TS, 2 * np.exp(-RATES[:, None] * TS), np.nan)
    np.testing.assert_allclose(found.values["y"], expected, rtol=1e-6)
    assert (found.status == Status.success).all()


def test_both_engines_take_the_same_steps(tmp_path: Path):
    native, reference = (solve(engine, tmp_path, None) for engine in ("native", "diffrax"))
    np.testing.assert_array_equal(native.num_steps, reference.num_steps)


def compose(study: Path, *overrides: str) -> Any:
    axes = "design.axes={t1:{linspace:[1,100,4]},vmax:{values:[8,12]}}"
    return odeflow.compose(axes, "saveat.ts=null", *overrides, study=study)


def test_metrics_are_those_up_to_the_own_end(tmp_path: Path):
    ensemble = odeflow.run(compose(tmp_path))
    assert ensemble.sizes["t1"] == 4
    assert ensemble.t1.attrs == {"units": "min", "long_name": "end of the trajectory"}
    np.testing.assert_array_equal(ensemble.time_reached, np.tile(ensemble.t1, (2, 1)).T)
    # the substrate only falls
    np.testing.assert_allclose(ensemble.substrate_min, ensemble.substrate.isel(time=0), atol=1e-7)
    assert (ensemble.substrate_mean.diff("t1") < 0).all()


def test_an_end_before_the_start_is_refused(tmp_path: Path):
    with pytest.raises(odeflow.ConfigError, match=r"design\.axes\.t1: 0 is not after model\.t0, 0"):
        compose(tmp_path, "design.axes.t1={values:[0,5]}")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_floor_of_an_end_is_that_of_diffrax(dtype: str):
    draws = np.random.default_rng(0)
    ends = draws.normal(size=300) * 10.0 ** draws.uniform(-25, 25, 300)
    ends = np.concatenate([ends, [0.0, -0.0, 1.0, 2.0, -1.0, -2.0]]).astype(dtype)
    expected = jnp.asarray(ends)
    for _ in range(100):
        expected = eqxi.prevbefore(expected)
    floor = end_columns(make_solver(["y"]), 0.0, ends)["clip_floor"]
    assert floor.dtype == ends.dtype
    np.testing.assert_array_equal(floor, np.asarray(expected))
