"""The parts of the verification, each against closed forms or JAX itself."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
import yaml

import odeflow
from odeflow.importers.loading import load_model
from odeflow.trust.verification.arrays import value
from odeflow.trust.verification.course import Course, course
from odeflow.trust.verification.numpy_functions import PointFunctions
from odeflow.trust.verification.schedule import changes
from odeflow.trust.verification.stepping import Accuracy, Work
from odeflow.trust.verification.switching import activity, switching_times
from odeflow.trust.verification.trajectory import Trajectories
from tests.support.problems import make_model

TABLE = jnp.asarray([1.0, 2.0, 4.0])


def _past_the_end(t: Any, y: Any, args: Any) -> Any:
    day = jnp.floor(t).astype(int)
    return {"x": TABLE[day] + TABLE[-1 - 2 * day]}


def _whole_numbers(t: Any, y: Any, args: Any) -> Any:
    n = jnp.floor(t).astype(int)
    return {"x": 1.0 * (7 // n) + 7 % n + n / 2}


def _in_place(t: Any, y: Any, args: Any) -> Any:
    x = y.x
    x *= args.k
    z = x
    z += 1.0
    return {"x": z + y.x}


def _updated(t: Any, y: Any, args: Any) -> Any:
    return {"x": jnp.zeros(2).at[0].set(args.k * y.x[1]).at[1].add(y.x[0])}


@pytest.mark.parametrize("field", [_past_the_end, _whole_numbers, _in_place, _updated])
@pytest.mark.parametrize("t", [0.0, 1.5, 7.0])
def test_numpy_means_what_jax_means(field: Any, t: float):
    array = field in (_in_place, _updated)
    x: Any = {"initial": [2.0, 3.0], "dims": ["i"]} if array else 2.0
    model = make_model(field, {"x": x}, 10.0, k=3.0)
    functions = PointFunctions(model)
    assert functions.evaluator == "numpy"
    y = np.array([2.0, 3.0]) if array else np.array([2.0])
    before = y.copy()
    found = functions.vector_field(t, y, np.array([3.0]))
    expected = model.flat_vector_field(jnp.asarray(t), tuple(map(jnp.asarray, y)), (3.0,))
    np.testing.assert_array_equal(found, np.asarray(expected))
    np.testing.assert_array_equal(y, before)  # SciPy's state is left alone


def test_values_clamp_indices_as_jax_does():
    given = value(np.arange(5.0))
    for index in (7, -2, -9):
        assert float(given[value(np.array(index))]) == float(jnp.arange(5.0)[jnp.array(index)])
    assert float(value(np.array(np.nan)).astype(int)) == 0


@pytest.mark.parametrize(
    ("asks", "field"),
    [
        (False, lambda t, y, args: {"x": -args.k * y.x}),
        (True, lambda t, y, args: {"x": -args.k * t}),
        (True, lambda t, y, args: {"x": jnp.where(t > 5, 1.0, 0.0) - y.x}),
        (True, lambda t, y, args: {"x": jnp.where(t == 5, 1.0, 0.0) - y.x}),
        (True, lambda t, y, args: {"x": jnp.interp(t, TABLE, TABLE) - y.x}),
        (True, lambda t, y, args: {"x": jnp.minimum(3.0, t) - y.x}),
        (True, lambda t, y, args: {"x": jnp.stack([t, y.x])[0]}),
        (True, lambda t, y, args: {"x": t}),
    ],
)
def test_a_field_that_reads_the_time_is_looked_at_over_the_span(asks: bool, field: Any):
    functions = PointFunctions(make_model(field, {"x": 1.0}, 10.0, k=3.0))
    assert functions.evaluator == "numpy"
    assert functions.is_autonomous is not asks


def _times(field: Any, t1: float, **parameters: float) -> list[float]:
    model = make_model(field, {"x": 1.0}, t1, **parameters)
    functions, args = PointFunctions(model), np.array(list(parameters.values()))
    notes: Any = lambda t, y: functions.notes(t, y, args)
    return switching_times(notes, 0.0, t1, np.array([[1.0], [1.2]])).tolist()


def test_switching_times_are_found_to_the_bit():
    pulse = lambda t, y, args: {"x": jnp.where((t >= args.a) & (t < args.a + 1e-6), 1.0, 0.0) - y.x}
    assert _times(pulse, 1e3, a=777.1) == [777.1, 777.1 + 1e-6]
    both = lambda t, y, args: {"x": jnp.where((2 * t + 1 > args.a) | (y.x > 0.5), 1.0, 0.0)}
    assert _times(both, 10.0, a=4.0) == [1.5]


def test_switching_times_of_periods_and_tables():
    daily = lambda t, y, args: {"x": jnp.where(jnp.mod(t, args.day) < 0.25, 1.0, 0.0)}
    np.testing.assert_allclose(_times(daily, 3.0, day=1.0), [0.25, 1, 1.25, 2, 2.25], rtol=1e-14)
    at, of = jnp.array([0.0, 4.0, 4.01, 9.0]), jnp.array([0.0, 0.0, 2.0, 0.0])
    table = lambda t, y, args: {"x": jnp.interp(t, at, of)}
    np.testing.assert_allclose(_times(table, 8.0), [4.0, 4.01])
    assert _times(lambda t, y, args: {"x": -y.x}, 8.0) == []


def test_narrow_smooth_pulses_are_seen():
    field = lambda t, y: np.exp(-(((t - 61.0) / 0.2) ** 2)) - 0.1 * y
    seen = activity(field, 0.0, 100.0, np.array([[0.0], [1.0]]), np.empty(0))
    assert len(seen.stops) >= 2 and seen.stops.min() < 61 < seen.stops.max()
    assert activity(lambda t, y: -y, 0.0, 1.0, np.array([[1.0]]), np.empty(0)).max_step == np.inf


def test_the_schedule_of_doses():
    """Boluses at one time add up, infusions overlap, an amount has the value of its time."""
    config = odeflow.compose(
        "model=pk_one_compartment", "~experiment",
        "doses=[{state: gut, amount: cl, times: [1, 1, 3]}, {parameter: cl, value: 9, time: 2},"
        "{state: gut, amount: 6, duration: 2, time: 1}, {state: gut, amount: 2, rate: 4, time: 2}]",
    )  # fmt: skip
    model = load_model(config.model)
    args = np.array([p.value for p in config.model.parameters.values()])
    found = changes(config, model, {}, args, lambda args: {})
    cl = list(config.model.parameters).index("cl")
    assert [change.time for change in found] == [0.0, 1.0, 2.0, 2.5, 3.0]
    assert [change.added[0] for change in found] == [0.0, 2 * args[cl], 0.0, 0.0, 9.0]
    assert [change.rates[0] for change in found] == [0.0, 3.0, 7.0, 3.0, 0.0]
    assert [change.args[cl] for change in found] == [args[cl], args[cl], 9.0, 9.0, 9.0]


def _solved(
    folder: Path, text: str, ts: list[float], *overrides: str, method: str = "DOP853"
) -> Course:
    (folder / "config/model").mkdir(parents=True)
    model = {"name": "m", "t1": ts[-1], "antimony": text}
    (folder / "config/model/m.yaml").write_text(yaml.safe_dump(model))
    config = odeflow.compose("~experiment", "model=m", *overrides, study=folder)
    trajectories = Trajectories(config, load_model(config.model), Path())
    problem = trajectories.problem(xr.Dataset())
    accuracy = Accuracy(method, 1e-10, np.full(len(problem.y0), 1e-12))
    return course(problem, np.array(ts), accuracy, Work(100_000))


@pytest.mark.parametrize("method", ["DOP853", "Radau"])
def test_events_of_states_happen_where_they_should(method: str, tmp_path: Path):
    """A state falls as exp(-t) to 1/2, again and again from 1: with a period of log 2."""
    text, ts = "x' = -x; x = 1; at (x < 0.5): x = 1", [0.5, 1.0, 2.0, 3.0]
    found = _solved(tmp_path, text, ts, method=method)
    np.testing.assert_allclose(found.ys[:, 0], np.exp(-np.mod(ts, np.log(2))), rtol=1e-8)


def test_a_trigger_twice_within_one_step_is_seen(tmp_path: Path):
    """A state, sin^2, is nearly 1 for a short time only, twice; a step passes over it."""
    text = "x' = 2*s*c; s' = c; c' = -s; x = 0; s = 0; c = 1; n = 0; at (x > 0.9999): n = n + 1"
    assert 2.0 in _solved(tmp_path, text, [6.0]).ys[0]


def test_events_at_given_times_have_delays_and_priorities(tmp_path: Path):
    text = (
        "x' = 0; y = 1; x = 0; at 0.5 after (time >= 1), fromTrigger=false: x = y;"
        "at (time == 1.25): y = 7; at (time >= 2), priority=1, fromTrigger=false: x = 10*x;"
        "at (time >= 2), priority=2: x = x + 1"
    )
    found = _solved(tmp_path, text, [1.2, 1.4, 1.6, 2.5])
    assert found.ys[:, 0].tolist() == [0.0, 0.0, 7.0, 80.0]


def test_a_stop_ends_a_course(tmp_path: Path):
    found = _solved(tmp_path, "x' = -x; x = 1", [0.5, 1.0, 3.0], "stop.below={x: 0.5}")
    assert found.stopped and abs(found.end - np.log(2)) < 1e-9
    assert np.isnan(found.ys[1:, 0]).all() and abs(found.ys[0, 0] - np.exp(-0.5)) < 1e-9
