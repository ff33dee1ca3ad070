"""The reference engine against Diffrax itself, closed forms, and its promises."""

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.engines.diffrax.engine import solve
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import Lanes
from odeflow.problem.status import Status
from tests.support.marks import fast
from tests.support.problems import decay, make_model, make_problem, michaelis_menten

TS = np.linspace(0.0, 2.0, 9)


def decay_lanes(k: Any) -> Lanes:
    k = np.asarray(k, float)
    return Lanes(np.full((1, len(k)), 3.0), k[None, :])


@pytest.fixture(scope="module")
def decay_model():
    return make_model(decay, {"y": 3.0}, 2.0, k=1.0)


DIFFRAX = [name for name, method in METHODS.items() if method.in_diffrax]


@pytest.mark.parametrize("name", fast({"tsit5", "rodas5p", "kvaerno3", "heun"}, DIFFRAX))
def test_every_method_follows_the_closed_form(name: str, decay_model: Any):
    method = METHODS[name]
    settings: dict[str, Any] = {"method": name, "rtol": 1e-7, "atol": 1e-9}
    tolerance = 1e-5
    if not method.adaptive or method.order <= 2:
        settings |= {"stepsize_controller": "constant", "dt0": 2.0**-10}
        # leapfrog is only weakly stable: its error grows along a decay
        tolerance = 5e-3 if method.order == 1 or name == "leapfrog_midpoint" else 1e-5
    k = np.array([0.5, 1.0, 2.0])
    solution = solve(make_problem(decay_model, TS, **settings), decay_lanes(k))
    assert (solution.status == Status.success).all()
    exact = 3.0 * np.exp(-k[:, None] * TS)
    np.testing.assert_allclose(solution.values["y"], exact, rtol=tolerance)
    np.testing.assert_array_equal(
        solution.num_steps, solution.num_accepted_steps + solution.num_rejected_steps
    )
    np.testing.assert_array_equal(solution.time_reached, 2.0)


def test_equals_vmap_of_diffeqsolve():
    model = make_model(
        michaelis_menten, {"substrate": 10.0, "enzyme": 0.2}, 120.0, vmax=10.0, km=5.0
    )
    lanes = Lanes(
        np.stack([np.linspace(6, 12, 7), np.linspace(0.1, 0.7, 7)]),
        np.stack([np.linspace(8, 12, 7), np.linspace(4, 6, 7)]),
    )
    ts = np.linspace(0, 120, 13)
    solution = solve(make_problem(model, ts, dt0=0.1), lanes)

    def field(t: Any, y: Any, p: Any) -> Any:
        d = -y[1] * p[0] * y[0] / (p[1] + y[0])
        return jnp.stack([d, -0.09 * d])

    def one(y0: Any, p: Any) -> Any:
        return diffrax.diffeqsolve(
            diffrax.ODETerm(field), diffrax.Tsit5(), 0.0, 120.0, 0.1, y0, p,
            saveat=diffrax.SaveAt(ts=jnp.asarray(ts)), max_steps=100_000, throw=False,
            stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-8),
        )  # fmt: skip

    direct = jax.jit(jax.vmap(one))(lanes.y0.T, lanes.args.T)
    ys = np.stack([solution.values["substrate"], solution.values["enzyme"]], -1)
    np.testing.assert_allclose(ys, direct.ys, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(solution.num_steps, direct.stats["num_steps"])


@pytest.mark.parametrize("dtype", fast({"float64"}, ["float64", "float32"]))
@pytest.mark.parametrize("method", fast({"tsit5"}, ["tsit5", "kvaerno3"]))
def test_a_trajectory_does_not_depend_on_its_neighbours(method: str, dtype: str, decay_model: Any):
    problem = make_problem(decay_model, TS, dtype, method=method, rtol=1e-4, atol=1e-6)
    k = np.linspace(0.1, 30.0, 700)
    together = solve(problem, decay_lanes(k))
    assert together.values["y"].dtype == dtype
    order = np.random.default_rng(0).permutation(700)
    shuffled = solve(problem, decay_lanes(k[order]))
    np.testing.assert_array_equal(shuffled.values["y"], together.values["y"][order])
    for lane in (0, 511, 512, 699):
        alone = solve(problem, decay_lanes(k[lane : lane + 1]))
        np.testing.assert_array_equal(alone.values["y"][0], together.values["y"][lane])


def blow_up(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Y' = k y^2, infinite at t = 1 / (k y0)."""
    return {"y": args.k * y.y**2}


def root(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Y' = -k sqrt(y), not defined once y is below zero; k = 0 is harmless."""
    return {"y": -args.k * jnp.sqrt(y.y) - args.k}


@pytest.mark.parametrize("method", fast({"tsit5"}, ["tsit5", "kvaerno3"]))
def test_a_lane_that_fails_stops_nobody(method: str):
    model = make_model(root, {"y": 1.0}, 2.0, k=0.0)
    problem = make_problem(model, TS, method=method)
    solution = solve(problem, decay_lanes([0.0, 5.0, 0.0]))
    assert solution.status.tolist() == [Status.success, Status.non_finite, Status.success]
    np.testing.assert_array_equal(solution.values["y"][[0, 2]], 3.0)
    lost = solution.values["y"][1]
    assert np.isfinite(lost[solution.time_reached[1] >= TS]).all()
    assert np.isnan(lost[solution.time_reached[1] < TS]).all()
    assert 0 < solution.time_reached[1] < 0.6
    assert solution.num_steps[1] < 500  # found at once, not by burning max_steps


def test_a_singularity_is_found(decay_model: Any):
    model = make_model(blow_up, {"y": 3.0}, 2.0, k=1.0)
    solution = solve(make_problem(model, TS), decay_lanes([1.0, 0.1]))
    assert solution.status[0] in (Status.dt_min_reached, Status.non_finite)
    assert solution.time_reached[0] == pytest.approx(1 / 3, abs=1e-6)
    assert solution.status[1] == Status.success


def test_max_steps_and_dtmin(decay_model: Any):
    few = solve(make_problem(decay_model, TS, max_steps=5), decay_lanes([0.001, 50.0]))
    assert few.status.tolist() == [Status.success, Status.max_steps_reached]
    assert few.num_steps[1] == 5
    coarse = solve(make_problem(decay_model, TS, dtmin=0.1, dt0=0.5), decay_lanes([0.001, 50.0]))
    assert coarse.status.tolist() == [Status.success, Status.dt_min_reached]


def test_constant_steps_that_explode_are_not_a_success(decay_model: Any):
    model = make_model(blow_up, {"y": 3.0}, 2.0, k=1.0)
    settings = {"method": "euler", "stepsize_controller": "constant", "dt0": 0.01}
    solution = solve(make_problem(model, None, **settings), decay_lanes([1.0, 0.1]))
    assert solution.status.tolist() == [Status.non_finite, Status.success]
    assert np.isnan(solution.values["y"][0, 0])


@pytest.mark.slow
def test_per_state_tolerances_match_one_tolerance_when_equal():
    model = make_model(
        michaelis_menten, {"substrate": 10.0, "enzyme": 0.2}, 120.0, vmax=10.0, km=5.0
    )
    lanes = Lanes(np.array([[10.0], [0.2]]), np.array([[10.0], [5.0]]))
    one = solve(make_problem(model, atol=1e-8), lanes)
    each = solve(make_problem(model, atol={"substrate": 1e-8, "enzyme": 1e-8}), lanes)
    loose = solve(make_problem(model, atol={"substrate": 1e-2, "enzyme": 1e-2}), lanes)
    np.testing.assert_array_equal(one.num_steps, each.num_steps)
    np.testing.assert_allclose(one.values["enzyme"], each.values["enzyme"], rtol=1e-12)
    assert loose.num_steps[0] < one.num_steps[0]


def test_array_states_and_no_parameters():
    def heat(t: Any, y: Any, args: Any) -> dict[str, Any]:
        return {"u": -y.u}

    model = make_model(heat, {"u": {"initial": [[1.0, 2.0, 3.0]] * 2, "dims": ["a", "b"]}}, 1.0)
    lanes = Lanes(
        np.repeat([[1.0], [2.0], [3.0], [1.0], [2.0], [3.0]], 5, axis=1), np.zeros((0, 5))
    )
    solution = solve(make_problem(model, [0.0, 1.0], rtol=1e-9), lanes)
    assert solution.values["u"].shape == (5, 2, 2, 3)
    expected = np.exp(-1.0) * np.array([[1.0, 2.0, 3.0]] * 2)
    np.testing.assert_allclose(solution.values["u"][4, 1], expected, rtol=1e-7)
