"""Values at saved times: every size of a variable, lanes that are not due, other lanes' places."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from odeflow.engines.native import engine
from odeflow.problem.problem import Lanes, Problem
from odeflow.problem.status import Status
from tests.support.problems import make_model, make_solver

#: Lanes fill no vector, and their steps differ by much: few are due at the same time.
RATES = np.geomspace(0.05, 20.0, 37)
#: Two times within one step, and stretches of many steps without one.
TS = np.array([0.0, 0.01, 0.02, 0.9, 0.91, 0.92, 2.0])


def falls(t: Any, y: Any, args: Any) -> Any:
    del t
    return type(y)(*(-args.k * value for value in y))


def solve(folder: Path, sizes: dict[str, int], dtype: str = "float64", **solver: Any) -> Any:
    start = {
        name: np.arange(1.0, size + 1).tolist() if size else 1.0 for name, size in sizes.items()
    }
    dims = {name: [f"{name}_part"] if size else [] for name, size in sizes.items()}
    states = {name: {"initial": start[name], "dims": dims[name]} for name in sizes}
    model = make_model(falls, states, 2.0, k=1.0)
    rtol = 1e-9 if dtype == "float64" else 1e-5
    config = make_solver(list(sizes), **({"rtol": rtol, "atol": 1e-3 * rtol} | solver))
    problem = Problem(model, config, TS, tuple(sizes), np.dtype(dtype))
    first = np.concatenate([np.atleast_1d(x) for x in start.values()])
    lanes = Lanes(np.repeat(first[:, None], RATES.size, axis=1), RATES[None])
    return start, engine.solve(problem, lanes, threads=2, cache_dir=folder)


@pytest.mark.parametrize("size", [0, 1, 2, 8, 9, 20])
def test_each_component_is_where_it_belongs(size: int, tmp_path: Path):
    start, found = solve(tmp_path, {"a": size, "b": 0})
    decayed = np.exp(-RATES[:, None] * TS)
    np.testing.assert_allclose(found.values["b"], decayed, rtol=1e-6, atol=1e-10)
    expected = decayed[..., None] * np.array(start["a"]) if size else decayed
    np.testing.assert_allclose(found.values["a"], expected, rtol=1e-6, atol=1e-10)
    assert (found.status == Status.success).all()


def test_float32_has_twice_the_lanes(tmp_path: Path):
    _, found = solve(tmp_path, {"a": 3}, "float32")
    expected = np.exp(-RATES[:, None, None] * TS[:, None]) * np.arange(1.0, 4.0)
    np.testing.assert_allclose(found.values["a"], expected, rtol=2e-4, atol=1e-6)


def test_a_lane_that_ends_early_leaves_the_places_of_others_alone(tmp_path: Path):
    _, every = solve(tmp_path, {"a": 2})
    _, some = solve(tmp_path, {"a": 2}, max_steps=int(np.median(every.num_steps)))
    failed = some.status != Status.success
    assert 0 < failed.sum() < failed.size
    np.testing.assert_array_equal(some.values["a"][~failed], every.values["a"][~failed])
    reached = some.time_reached[:, None] >= TS
    np.testing.assert_array_equal(np.isnan(some.values["a"][..., 0]), ~reached)
    np.testing.assert_array_equal(some.values["a"][reached], every.values["a"][reached])
