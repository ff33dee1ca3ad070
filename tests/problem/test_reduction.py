"""Metrics reduced in the loop, against closed forms and between the engines."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.config.model import ModelConfig
from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes, Problem, Solution
from odeflow.problem.reductions import Reducer, Reduction, controls, nodes
from odeflow.problem.status import Status
from tests.support.marks import fast
from tests.support.problems import decay, make_model, make_problem

METRICS = ("integral", "mean", "min", "max", "amplitude", "time_of_min", "time_of_max")


def reduce_curve(
    curve: Any, ends: np.ndarray, metrics: dict[str, float | None]
) -> dict[str, np.ndarray]:
    """The metrics of a function of time, seen at the nodes of steps between these times."""
    reducer = Reducer({m: Reduction("y", m, x).measured for m, x in metrics.items()})
    kept = reducer.start(jnp.asarray(ends[0]), jnp.asarray(curve(ends[0])))
    for t, h in zip(ends, np.diff(ends)):
        values = [jnp.asarray(curve(t + h * node)) for node in nodes("tsit5", False)]
        kept = reducer.update(kept, jnp.asarray(t), jnp.asarray(h), values)
    return reducer.finish([np.asarray(x) for x in kept], ends[-1] - ends[0])


@pytest.mark.slow
def test_a_sine_over_uneven_steps():
    ends = np.array([0.0, 0.1, 0.4, 1.1, 1.8, 2.0, 2.9, 3.3, 4.2, 5.1, 6.0])
    metrics = dict.fromkeys(METRICS) | {"first_time_above": 0.5, "first_time_below": -0.5}
    found = reduce_curve(np.sin, ends, metrics)
    expected = {
        "integral": 1 - np.cos(6.0), "mean": (1 - np.cos(6.0)) / 6, "max": 1.0, "min": -1.0,
        "amplitude": 2.0, "time_of_max": np.pi / 2, "time_of_min": 1.5 * np.pi,
        "first_time_above": np.pi / 6, "first_time_below": 7 * np.pi / 6,
    }  # fmt: skip
    assert list(found) == list(metrics)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-3 if "time" in name else 2e-5)


def test_a_peak_that_no_node_is_near_counts():
    # the top of 1 - (t - 0.6)^2 lies between nodes, above a threshold that all of them are below
    curve = lambda t: 1 - (t - 0.6) ** 2
    found = reduce_curve(curve, np.array([0.0, 1.0]), {"max": None, "first_time_above": 0.9999})
    np.testing.assert_allclose(found["max"], 1.0, rtol=1e-15)
    np.testing.assert_allclose(found["first_time_above"], 0.59, atol=1e-9)


def test_the_first_of_equal_values_counts():
    found = reduce_curve(lambda t: 0.0 * t + 2.0, np.array([1.0, 2.0, 4.0]), dict.fromkeys(METRICS))
    assert found["time_of_max"] == found["time_of_min"] == 1.0
    assert found["max"] == found["min"] == found["mean"] == 2.0 and found["amplitude"] == 0.0
    never = {"first_time_above": 2.0, "first_time_below": 2.0}
    found = reduce_curve(lambda t: 0.0 * t + 2.0, np.array([1.0, 2.0]), never)
    assert np.isnan(found["first_time_above"]) and np.isnan(found["first_time_below"])


def test_a_quartic_is_exact():
    # small higher terms: one extremum at most, as in a step that a controller has accepted
    rng = np.random.default_rng(0)
    coefficients = rng.uniform(-1, 1, (5, 300)) * np.array([1, 1, 1, 0.05, 0.01])[:, None]
    curve = lambda t: sum(c * t**k for k, c in enumerate(coefficients))
    on_grid = np.stack([curve(t) for t in np.linspace(0.0, 1.0, 2001)])
    top, bottom = on_grid.max(0), on_grid.min(0)
    metrics = dict.fromkeys(METRICS) | {"first_time_above": 0.3}
    found = reduce_curve(curve, np.array([0.0, 1.0]), metrics)
    integral = sum(c / (k + 1) for k, c in enumerate(coefficients))
    np.testing.assert_allclose(found["integral"], integral, atol=1e-14)
    np.testing.assert_allclose(found["max"], top, atol=1e-6)
    np.testing.assert_allclose(found["min"], bottom, atol=1e-6)
    assert (found["max"] >= top - 1e-15).all() and (found["min"] <= bottom + 1e-15).all()
    np.testing.assert_allclose(curve(found["time_of_max"]), found["max"], atol=1e-14)
    np.testing.assert_allclose(curve(found["time_of_min"]), found["min"], atol=1e-14)
    above = on_grid > 0.3
    crossed, sooner = above.any(0), above[0]
    first = found["first_time_above"]
    np.testing.assert_array_equal(np.isnan(first), ~crossed)
    assert (first[sooner] == 0).all()
    rest = crossed & ~sooner
    assert rest.sum() > 40
    np.testing.assert_allclose(first[rest], above.argmax(0)[rest] / 2000, atol=6e-4)


@pytest.mark.parametrize(
    ("curve", "old", "asked"),
    [
        (lambda t: t, (0.0, 0.0), (False, False)),  # the end is the record
        (lambda t: t * (1 - t), (0.0, 0.0), (True, False)),
        (lambda t: t * (t - 1), (0.0, 0.0), (False, True)),
        (lambda t: t * (1 - t), (1.0, 0.0), (False, False)),  # one was higher before
        (lambda t: 1 + 1e-16 * t, (1.0, 1.0), (False, False)),  # nothing but rounding
    ],
)
def test_a_step_is_searched_where_a_record_is_possible(curve: Any, old: Any, asked: Any):
    reducer = Reducer({"max": None, "min": None})
    assert reducer.searched == ("max", "min")
    values = [jnp.asarray(curve(node)) for node in nodes("tsit5", False)]
    kept = [jnp.asarray(x) for x in old]
    _, found = reducer.look(kept, jnp.asarray(0.0), jnp.asarray(1.0), controls(values))
    assert tuple(map(bool, found)) == asked


def test_no_record_goes_unseen():
    """Random polynomials of degree four: a look that asks for nothing has missed nothing."""
    rng = np.random.default_rng(1)
    coefficients = rng.normal(size=(5, 20_000)) * 10.0 ** rng.uniform(-3, 0, (5, 20_000))
    curve = lambda t: sum(c * t**k for k, c in enumerate(coefficients))
    old = curve(0.0) + np.abs(rng.normal(size=20_000)) * 10.0 ** rng.uniform(-4, 0, 20_000)
    first = Reduction("y", "first_time_above", 0.5).measured
    reducer = Reducer({"max": None, "first_time_above": first})
    kept = [jnp.asarray(old), jnp.where(curve(0.0) > 0.5, 0.0, jnp.nan)]
    values = [jnp.asarray(curve(node)) for node in nodes("tsit5", False)]
    seen, (is_higher, is_above) = reducer.look(kept, jnp.zeros(()), jnp.ones(()), controls(values))
    highest = np.stack([curve(t) for t in np.linspace(0, 1, 401)]).max(0)
    missed = ~np.asarray(is_higher)
    assert (np.asarray(seen[0]) >= highest - 1e-14)[missed].all() and missed.any()
    assert (np.asarray(is_above) | (highest <= 0.5) | (curve(0.0) > 0.5)).all()


def oscillator(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Y = sin(omega (t - t0) + phase), v its cosine."""
    del t
    return {"y": args.omega * y.v, "v": -args.omega * y.y}


def observed(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {"square": y.y**2 + 0.0 * args.omega, "clock": t * t}


def wave() -> Model:
    config = ModelConfig.model_validate(
        {
            "name": "wave",
            "vector_field": "tests:none",
            "observables": "tests:none",
            "t0": 0.5,
            "t1": 2.5,
            "states": {"y": {"initial": 0.0}, "v": {"initial": 1.0}},
            "parameters": {"omega": {"value": 1.0}},
        }
    )
    return Model(config.declaration(), oscillator, observed)


OMEGA = np.array([1.0, 1.3, 1.9, 3.0, 3.1, 4.4])
PHASE = np.array([0.0, 0.4, -0.7, 0.0, 2.0, 1.0])
WAVES = Lanes(np.stack([np.sin(PHASE), np.cos(PHASE)]), OMEGA[None])


def both(problem: Problem, lanes: Lanes, folder: Path) -> list[Solution]:
    return [
        native_engine.solve(problem, lanes, threads=1, cache_dir=folder),
        diffrax_engine.solve(problem, lanes),
    ]


def extreme_of_wave(sign: int) -> tuple[np.ndarray, np.ndarray]:
    """Greatest value of sign * sin(omega (t - 0.5) + phase) in [0.5, 2.5], and its first time."""
    first = ((sign * np.pi / 2 - PHASE) % (2 * np.pi)) / OMEGA
    start, end = sign * np.sin(PHASE), sign * np.sin(OMEGA * 2 + PHASE)
    inside = first < 2
    value = np.where(inside, 1.0, np.maximum(start, end))
    return sign * value, 0.5 + np.where(inside, first, np.where(start >= end, 0.0, 2.0))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "metrics"), [("tsit5", METRICS), ("rodas5p", ("mean", "max", "time_of_max"))]
)
def test_metrics_of_a_wave(method: str, metrics: tuple[str, ...], tmp_path: Path):
    problem = replace(
        make_problem(wave(), method=method, rtol=1e-9, atol=1e-9),
        reductions=(
            *(Reduction("y", metric) for metric in metrics),
            *([Reduction("y", "first_time_below", -0.3)] if "min" in metrics else []),
        ),
    )
    native, reference = both(problem, WAVES, tmp_path)
    (top, top_time), (bottom, bottom_time) = extreme_of_wave(1), extreme_of_wave(-1)
    integral = (np.cos(PHASE) - np.cos(OMEGA * 2 + PHASE)) / OMEGA
    grid = np.linspace(0, 2, 200_001)
    curve = np.sin(OMEGA[:, None] * grid + PHASE[:, None])
    first = lambda beyond: np.where(beyond.any(1), 0.5 + grid[beyond.argmax(1)], np.nan)
    # dense output is not under error control, and a time of an extremum is less sharp than it
    expected = {
        "integral": (integral, 3e-7), "mean": (integral / 2, 3e-7), "max": (top, 3e-7),
        "min": (bottom, 3e-7), "amplitude": (top - bottom, 6e-7),
        "time_of_max": (top_time, 3e-5), "time_of_min": (bottom_time, 3e-5),
        "first_time_below": (first(curve < -0.3), 2e-5),
    }  # fmt: skip
    for reduction in problem.reductions:
        name = reduction.metric
        value, tolerance = expected[name]
        for solution in (native, reference):
            np.testing.assert_allclose(solution.reduced[f"y_{name}"], value, atol=tolerance)
        same = 1e-8 if "time" in name else 1e-12
        np.testing.assert_allclose(
            native.reduced[f"y_{name}"], reference.reduced[f"y_{name}"], atol=same
        )
    assert len(native.reduced) == len(reference.reduced) == len(problem.reductions)
    if "y_first_time_below" in native.reduced:
        below = native.reduced["y_first_time_below"]
        assert np.isnan(below).any() and (below == 0.5).any()
    # reducing leaves the steps and the end values as they are
    plain = native_engine.solve(
        replace(problem, reductions=()), WAVES, threads=1, cache_dir=tmp_path
    )
    np.testing.assert_array_equal(plain.num_steps, native.num_steps)
    np.testing.assert_array_equal(plain.values["y"], native.values["y"])


@pytest.mark.parametrize(
    ("dtype", "tolerance"), fast({("float64", 1e-12)}, [("float64", 1e-12), ("float32", 3e-5)])
)
def test_observables(dtype: str, tolerance: float, tmp_path: Path):
    settings = {"float64": {"rtol": 1e-8, "atol": 1e-8}, "float32": {"rtol": 1e-5, "atol": 1e-5}}
    problem = replace(
        make_problem(wave(), dtype=dtype, **settings[dtype]),
        reductions=tuple(
            Reduction(variable, metric)
            for variable in ("square", "clock")
            for metric in ("integral", "max")
        ),
    )
    native, reference = both(problem, WAVES, tmp_path)
    double = np.sin(2 * (OMEGA * 2 + PHASE)) - np.sin(2 * PHASE)
    expected = {
        "square_integral": 1 - double / (4 * OMEGA),
        "clock_integral": (2.5**3 - 0.5**3) / 3,
        "square_max": np.maximum(extreme_of_wave(1)[0], -extreme_of_wave(-1)[0]) ** 2,
        "clock_max": 6.25,
    }
    for name, value in expected.items():
        assert native.reduced[name].dtype == reference.reduced[name].dtype == dtype
        np.testing.assert_allclose(
            native.reduced[name], np.broadcast_to(value, 6), atol=max(10 * tolerance, 1e-6)
        )
        np.testing.assert_allclose(native.reduced[name], reference.reduced[name], atol=tolerance)


def test_metrics_do_not_depend_on_which_neighbours_are_searched(tmp_path: Path):
    reductions = tuple(Reduction("y", metric) for metric in METRICS)
    problem = replace(make_problem(wave(), rtol=1e-6, atol=1e-8), reductions=reductions)
    together = native_engine.solve(problem, WAVES, threads=1, cache_dir=tmp_path)
    for i in range(len(OMEGA)):
        lane = Lanes(WAVES.y0[:, [i]], WAVES.args[:, [i]])
        alone = native_engine.solve(problem, lane, threads=1, cache_dir=tmp_path)
        for name, values in together.reduced.items():
            np.testing.assert_array_equal(alone.reduced[name][0], values[i], err_msg=name)


@pytest.mark.slow
def test_peaks_that_wait_for_others_are_the_same_bytes(tmp_path: Path):
    def lorenz(t: Any, y: Any, args: Any) -> dict[str, Any]:
        del t
        return {
            "x": 10 * (y.y - y.x),
            "y": y.x * (args.rho - y.z) - y.y,
            "z": y.x * y.y - 8 / 3 * y.z,
        }

    problem = make_problem(make_model(lorenz, {"x": 1.0, "y": 1.0, "z": 1.0}, 20.0, rho=28.0))
    metrics = ("max", "min", "time_of_max", "time_of_min")
    problem = replace(
        problem, reductions=tuple(Reduction(v, m) for v in problem.variables for m in metrics)
    )
    size = 61  # neither a multiple of the lanes nor of a piece
    start = np.random.default_rng(5).normal(size=(3, size))
    lanes = Lanes(start, np.linspace(20.0, 30.0, size)[None])
    solve = lambda some: native_engine.solve(problem, some, threads=1, cache_dir=tmp_path)
    whole = solve(lanes)
    pieces = [solve(lanes.take(np.arange(i, min(i + 7, size)))) for i in range(0, size, 7)]
    for name, values in whole.reduced.items():
        again = np.concatenate([piece.reduced[name] for piece in pieces])
        assert values.tobytes() == again.tobytes(), name


@pytest.mark.slow
def test_array_states_are_reduced_element_by_element(tmp_path: Path):
    initial = np.arange(1.0, 7.0).reshape(2, 3)
    model = make_model(
        decay, {"y": {"initial": initial.tolist(), "dims": ["row", "column"]}}, 2.0, k=1.0
    )
    k = np.linspace(0.1, 3.0, 50)
    lanes = Lanes(np.repeat(initial.reshape(6, 1), 50, axis=1), k[None])
    problem = replace(
        make_problem(model, rtol=1e-8, atol=1e-10),
        reductions=(Reduction("y", "integral"), Reduction("y", "first_time_below", 2.0)),
    )
    together, reference = both(problem, lanes, tmp_path)
    gain = ((1 - np.exp(-2 * k)) / k)[:, None, None]
    np.testing.assert_allclose(together.reduced["y_integral"], gain * initial, rtol=1e-7)
    crossing = np.log(np.maximum(initial / 2.0, 1.0)) / k[:, None, None]
    crossing = np.where(crossing < 2, crossing, np.nan)
    np.testing.assert_allclose(together.reduced["y_first_time_below"], crossing, atol=1e-6)
    # whatever its neighbours, to the bit
    order = np.random.default_rng(0).permutation(50)
    shuffled = Lanes(lanes.y0[:, order], lanes.args[:, order])
    again = native_engine.solve(problem, shuffled, threads=2, cache_dir=tmp_path)
    for name, values in together.reduced.items():
        np.testing.assert_array_equal(again.reduced[name], values[order])
        np.testing.assert_allclose(reference.reduced[name], values, rtol=1e-9)


@pytest.mark.slow
def test_a_lane_that_fails_has_no_metrics(tmp_path: Path):
    def blow_up(t: Any, y: Any, args: Any) -> dict[str, Any]:
        del t
        return {"y": args.k * y.y**2}

    problem = replace(
        make_problem(make_model(blow_up, {"y": 1.0}, 2.0, k=0.1), rtol=1e-8, atol=1e-8),
        reductions=(Reduction("y", "integral"), Reduction("y", "first_time_above", 1.1)),
    )
    k = np.array([0.1, 1.0, 0.2])
    for solution in both(problem, Lanes(np.ones((1, 3)), k[None]), tmp_path):
        assert (solution.status == Status.success).tolist() == [True, False, True]
        # y = 1 / (1 - k t)
        for name, value in (
            ("y_integral", -np.log(1 - 2 * k[::2]) / k[::2]),
            ("y_first_time_above", (1 - 1 / 1.1) / k[::2]),
        ):
            np.testing.assert_allclose(solution.reduced[name][::2], value, rtol=1e-6)
            assert np.isnan(solution.reduced[name][1])
