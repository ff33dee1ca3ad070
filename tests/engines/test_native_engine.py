"""The native engine's promises: order, bits, and failures as the diffrax engine reports them."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.problem.problem import Lanes
from odeflow.problem.status import Status
from tests.support.marks import fast
from tests.support.problems import make_model, make_problem, michaelis_menten


def solve(problem: Any, lanes: Lanes, folder: Path, threads: int = 1) -> Any:
    return native_engine.solve(problem, lanes, threads=threads, cache_dir=folder)


def wave(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Y' = k y cos t: y(t) = exp(k sin t)."""
    return {"y": args.k * y.y * jnp.cos(t)}


#: Order of the end values, of values inside of steps, and step numbers where both show.
ORDERS = {
    "euler": (1, 1, (400, 800)),
    "heun": (2, 2, (100, 200)),
    "midpoint": (2, 2, (100, 200)),
    "ralston": (2, 2, (100, 200)),
    "bosh3": (3, 3, (100, 200)),
    "tsit5": (5, 5, (40, 80)),
    "dopri5": (5, 5, (40, 80)),
    "dopri8": (8, 6, (16, 32)),  # so is Diffrax's interpolant
    "rodas3p": (3, 3, (200, 400)),
    "rodas5p": (5, 5, (40, 80)),
}


@pytest.mark.parametrize("method", fast({"heun", "tsit5", "dopri8", "rodas5p"}, ORDERS))
def test_observed_order_at_the_ends_and_inside_of_steps(method: str, tmp_path: Path):
    at_end, inside, steps = ORDERS[method]
    model = make_model(wave, {"y": 1.0}, 4.0, k=1.0)
    lanes = Lanes(np.ones((1, 2)), np.array([[1.0, 0.7]]))
    errors = []
    for number in steps:
        h = 4.0 / number
        # the worst of some times of each step, and the ends of the steps
        ts = np.unique(np.append(np.arange(5 * number + 1) * h / 5, 4.0))
        problem = make_problem(
            model, ts, method=method, stepsize_controller="constant", dt0=h, max_steps=10_000
        )
        solution = solve(problem, lanes, tmp_path)
        np.testing.assert_array_equal(solution.num_steps, number)
        exact = np.exp(lanes.args[0][:, None] * np.sin(ts))
        off = np.abs(solution.values["y"] - exact)
        errors.append((off[:, -1].max(), off.max()))
    end_slope, slope = np.log2(np.divide(*errors)) / np.log2(steps[1] / steps[0])
    assert end_slope == pytest.approx(at_end, abs=0.2)
    assert slope == pytest.approx(inside, abs=0.2)


def spread(size: int) -> Lanes:
    """Trajectories of very different lengths in steps."""
    draw = np.random.default_rng(1).random((4, size))
    y0 = np.stack([6 + 6 * draw[0], 0.1 + 0.6 * draw[1]])
    return Lanes(y0, np.stack([8 + 40 * draw[2] ** 4, 4 + 2 * draw[3]]))


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "ts",
    [pytest.param(None, marks=SLOW, id="end"), pytest.param(np.linspace(0, 120, 13), id="times")],
)
@pytest.mark.parametrize(
    ("method", "dtype"),
    [
        ("tsit5", "float64"),
        ("rodas5p", "float64"),
        ("tsit5", "float32"),
        pytest.param("dopri8", "float64", marks=SLOW),
        pytest.param("bosh3", "float64", marks=SLOW),
        pytest.param("dopri5", "float32", marks=SLOW),
        pytest.param("rodas3p", "float64", marks=SLOW),
        pytest.param("rodas5p", "float32", marks=SLOW),
    ],
)
def test_a_trajectory_does_not_depend_on_its_neighbours(
    method: str, dtype: str, ts: Any, tmp_path: Path
):
    model = make_model(
        michaelis_menten, {"substrate": 10.0, "enzyme": 0.2}, 120.0, vmax=10.0, km=5.0
    )
    problem = make_problem(model, ts, dtype, method=method, rtol=1e-5, atol=1e-6)
    lanes = spread(1500)
    together = solve(problem, lanes, tmp_path)
    assert (together.status == Status.success).all()

    def assert_same(part: np.ndarray, threads: int) -> None:
        some = Lanes(lanes.y0[:, part], lanes.args[:, part])
        solution = solve(problem, some, tmp_path, threads)
        for name, values in together.values.items():
            np.testing.assert_array_equal(solution.values[name], values[part])
        np.testing.assert_array_equal(solution.num_steps, together.num_steps[part])

    assert_same(np.arange(1500), threads=3)
    assert_same(np.random.default_rng(0).permutation(1500), threads=2)
    assert_same(np.arange(700, 1123), threads=1)  # another chunk
    for lane in (0, 31, 32, 777, 1499):
        assert_same(np.array([lane]), threads=1)


def blow_up(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Y' = k y^2, infinite at t = 1 / (k y0)."""
    return {"y": args.k * y.y**2}


def root(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Y' = -k sqrt(y) - k, not defined once y is below zero; k = 0 is harmless."""
    return {"y": -args.k * jnp.sqrt(y.y) - args.k}


def undefined(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Y' = -y log(k): not defined from the start where k < 0."""
    return {"y": -y.y * jnp.log(args.k)}


def decay(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Y' = -k y."""
    return {"y": -args.k * y.y}


FAILURES: dict[str, tuple[Any, list[float], dict[str, Any], list[Status]]] = {
    "the field ends": (
        root, [0.0, 5.0, 0.0], {}, [Status.success, Status.non_finite, Status.success],
    ),
    "no field at all": (
        undefined, [2.0, -1.0], {}, [Status.success, Status.non_finite],
    ),
    "singularity": (
        blow_up, [1.0, 0.1], {}, [Status.dt_min_reached, Status.success],
    ),
    "max_steps": (
        decay, [0.001, 50.0], {"max_steps": 5}, [Status.success, Status.max_steps_reached],
    ),
    "dtmin": (
        decay, [0.001, 50.0], {"dtmin": 0.1, "dt0": 0.5},
        [Status.success, Status.dt_min_reached],
    ),
    "constant steps": (
        blow_up, [1.0, 0.1], {"stepsize_controller": "constant", "dt0": 0.01},
        [Status.non_finite, Status.success],
    ),
}  # fmt: skip


@pytest.mark.parametrize("method", ["tsit5", pytest.param("rodas5p", marks=SLOW)])
@pytest.mark.parametrize("name", fast({"the field ends", "singularity", "dtmin"}, FAILURES))
def test_a_failure_is_what_the_diffrax_engine_says(name: str, method: str, tmp_path: Path):
    function, ks, settings, expected = FAILURES[name]
    model = make_model(function, {"y": 3.0}, 2.0, k=1.0)
    if method == "rodas5p" and name == "max_steps":
        settings = {"max_steps": 3}
    if method == "rodas5p" and name == "dtmin":
        settings = {"dtmin": 0.4, "dt0": 0.5}
    problem = make_problem(model, np.linspace(0, 2, 9), method=method, **settings)
    lanes = Lanes(np.full((1, len(ks)), 3.0), np.array([ks]))
    native, reference = solve(problem, lanes, tmp_path), diffrax_engine.solve(problem, lanes)
    assert native.status.tolist() == reference.status.tolist()
    if method == "tsit5":
        assert native.status.tolist() == expected
    np.testing.assert_allclose(native.time_reached, reference.time_reached, rtol=1e-6)
    np.testing.assert_array_equal(np.isnan(native.values["y"]), np.isnan(reference.values["y"]))
    # close to a singularity rounding decides on some steps; XLA has no subnormal numbers
    np.testing.assert_allclose(native.num_steps, reference.num_steps, rtol=0.25)
    success = native.status == Status.success
    np.testing.assert_array_equal(native.num_steps[success], reference.num_steps[success])


def test_a_problem_may_take_the_module_of_one_that_differs_in_numbers(tmp_path: Path):
    """Bit for bit what the module that is generated for it gives."""

    def problem(t1: float, rtol: float, **more: float) -> Any:
        model = make_model(wave, {"y": 1.0}, t1, k=1.0)
        return make_problem(model, np.linspace(0, t1, 5), rtol=rtol, dt0=0.1, pcoeff=0.2, **more)

    lanes = Lanes(np.ones((1, 9)), np.linspace(0.5, 2, 9)[None])
    first, second, own = problem(4.0, 1e-6), problem(7.0, 1e-8), problem(7.0, 1e-8)
    native_engine.renumber(second, first)
    assert native_engine.generated(second).source == native_engine.generated(first).source
    taken, expected = (solve(one, lanes, tmp_path) for one in (second, own))
    for one, other in zip(taken.arrays, expected.arrays):
        np.testing.assert_array_equal(one, other)


def test_a_generated_module_goes_with_its_problem():
    import gc

    before = len(native_engine._GENERATED)
    problem = make_problem(make_model(wave, {"y": 1.0}, 4.0, k=1.0), [4.0])
    native_engine.generated(problem)
    assert len(native_engine._GENERATED) == before + 1
    del problem
    gc.collect()
    assert len(native_engine._GENERATED) <= before
