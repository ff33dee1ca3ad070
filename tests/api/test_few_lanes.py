"""Calls with few trajectories, which share memory and what was worked out before."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest

import odeflow
from odeflow.api.remembered import Remembered

TS = np.linspace(0.0, 4.0, 5)
TERM = diffrax.ODETerm(lambda t, y, p: jnp.stack([p * y[1], -p * y[0]]))
SOLVER, SAVEAT = diffrax.Tsit5(), diffrax.SaveAt(ts=TS)
PID = diffrax.PIDController(rtol=1e-9, atol=1e-9)
Y0 = np.array([0.0, 1.0])


def solved(rate: Any, **more: Any) -> odeflow.EnsembleSolution:
    known: dict[str, Any] = {"saveat": SAVEAT, "stepsize_controller": PID, "in_axes": None}
    return odeflow.ensemble_solve(TERM, SOLVER, 0.0, 4.0, None, Y0, rate, threads=1, **known | more)


def test_each_call_has_its_own_numbers():
    rates = np.array([0.5, 1.0, 2.0])
    found = [solved(rate) for rate in rates]
    for one, rate in zip(found, rates):
        exact = np.stack([np.sin(rate * TS), np.cos(rate * TS)], axis=1)
        np.testing.assert_allclose(one.ys, exact, atol=1e-7)
    together = solved(np.tile(rates, 100), in_axes=(None, 0))  # more than are a few
    for lane, one in enumerate(found):
        np.testing.assert_array_equal(together.ys[lane], one.ys)
        assert together.stats["num_steps"][lane] == one.stats["num_steps"]


def test_what_the_caller_gave_is_left_as_it_was():
    given = [np.array([0.0, 1.0]), np.array([0.5, 2.0])]
    term = diffrax.ODETerm(lambda t, y, p: -p * y)
    for y0 in given:
        odeflow.ensemble_solve(term, SOLVER, 0.0, 1.0, 0.1, y0, 1.0, in_axes=None)
    assert [y0.tolist() for y0 in given] == [[0.0, 1.0], [0.5, 2.0]]


def test_times_that_are_not_reached_are_not_those_of_the_call_before():
    whole = solved(1.0, max_steps=4096)
    cut = solved(1.0, max_steps=4, throw=False)
    again = solved(1.0, max_steps=4, throw=False)
    assert np.isfinite(whole.ys).all()
    assert cut.status == odeflow.Status.max_steps_reached
    assert np.isnan(cut.ys[-1]).all()
    np.testing.assert_array_equal(cut.ys, again.ys)
    blown = solved(np.array([1.0, np.nan]), in_axes=(None, 0), throw=False)
    fine = solved(np.array([1.0, 1.0]), in_axes=(None, 0), throw=False)
    assert blown.status.tolist() == [0, odeflow.Status.non_finite]
    np.testing.assert_array_equal(fine.ys, np.stack([whole.ys, whole.ys]))


def test_threads_do_not_share_memory_at_one_time():
    rates = np.linspace(0.5, 2.0, 200)
    expected = [solved(rate).ys for rate in rates]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda rate: solved(rate).ys, rates))
    np.testing.assert_array_equal(found, expected)


def test_axes_that_are_equal_but_of_another_type_are_told_apart():
    assert solved(np.ones(2), in_axes=(None, 0)).ys.shape == (2, 5, 2)
    for axis in (False, 0.0):
        with pytest.raises(ValueError, match="an integer or None is needed"):
            solved(np.ones(2), in_axes=(None, axis))


def test_what_may_change_is_looked_at_again():
    calls: list[int] = []
    kept = Remembered(lambda module, word: calls.append(word) or float(jnp.sum(module[0])))
    fixed, changing = (2.0,), (np.array(2.0),)
    assert kept((fixed,), 1) == kept((fixed,), 1) == 2.0
    assert calls == [1]
    assert kept((changing,), 1) == 2.0
    changing[0][...] = 3.0
    assert kept((changing,), 1) == 3.0
    assert kept((fixed,), 2) == 2.0
    assert calls == [1, 1, 1, 2]


def test_many_objects_are_forgotten_in_order():
    calls: list[int] = []
    kept = Remembered(lambda module: calls.append(module[0]))
    modules = [(number,) for number in range(65)]
    for module in modules:
        kept((module,))
    kept((modules[-1],))
    kept((modules[0],))
    assert calls == [*range(65), 0]
