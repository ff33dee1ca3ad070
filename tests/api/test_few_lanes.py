"""Calls with few trajectories, which share memory and what was worked out before."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import odeflow
from odeflow.api.handles import handle_of
from odeflow.api.remembered import Remembered

TS = np.linspace(0.0, 4.0, 5)
TERM = diffrax.ODETerm(lambda t, y, p: jnp.stack([p * y[1], -p * y[0]]))
SOLVER, SAVEAT = diffrax.Tsit5(), diffrax.SaveAt(ts=TS)
PID = diffrax.PIDController(rtol=1e-9, atol=1e-9)
Y0 = np.array([0.0, 1.0])
END = diffrax.SaveAt(t1=True)
ONE: dict[str, Any] = {"saveat": SAVEAT, "stepsize_controller": PID, "in_axes": None, "threads": 1}


def solved(rate: Any, **more: Any) -> odeflow.EnsembleSolution:
    return odeflow.ensemble_solve(TERM, SOLVER, 0.0, 4.0, None, Y0, rate, **ONE | more)


def test_an_array_that_a_field_closes_over_may_change():
    rate = np.array([1.0])
    term = diffrax.ODETerm(lambda t, y, p: -rate * y)
    for number in (1.0, 2.0):
        rate[0] = number
        found = odeflow.ensemble_solve(
            term, SOLVER, 0.0, 1.0, None, np.ones(1), in_axes=None, stepsize_controller=PID
        )
        np.testing.assert_allclose(found.ys[0, 0], np.exp(-number), rtol=1e-8)


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


def test_what_comes_out_is_the_callers():
    """Nobody else has it, so that it may be changed."""
    first = solved(1.0)
    kept = [np.array(x) for x in (first.ts, first.ys, first.status, first.time_reached)]
    for array in (first.ts, first.ys, first.status, first.time_reached, *first.stats.values()):
        if isinstance(array, np.ndarray):
            array[...] = 7
    again = solved(1.0)
    for array, value in zip((again.ts, again.ys, again.status, again.time_reached), kept):
        np.testing.assert_array_equal(array, value)
    assert again.stats["num_steps"] > 7


def test_what_comes_in_is_read_in_each_call():
    y0, rate = np.array([0.0, 1.0]), np.array(1.0)
    before = odeflow.ensemble_solve(TERM, SOLVER, 0.0, 4.0, None, y0, rate, **ONE)
    y0[:], rate[...] = [0.0, 2.0], 0.5
    after = odeflow.ensemble_solve(TERM, SOLVER, 0.0, 4.0, None, y0, rate, **ONE)
    np.testing.assert_allclose(before.ys[:, 0], np.sin(TS), atol=1e-7)
    np.testing.assert_allclose(after.ys[:, 0], 2 * np.sin(0.5 * TS), atol=1e-7)


def test_a_function_that_reads_something_else_is_another():
    """Though the term is the same object, and so is its function."""
    rate, shift = 1.0, 0.0
    term = diffrax.ODETerm(lambda t, y, p: -rate * y)
    saveat = diffrax.SaveAt(ts=TS, fn=lambda t, y, args: y + shift)
    more: dict[str, Any] = {**ONE, "saveat": saveat}
    solve = lambda: odeflow.ensemble_solve(term, SOLVER, 0.0, 4.0, None, 1.0, **more).ys
    np.testing.assert_allclose(solve(), np.exp(-TS), atol=1e-7)
    rate = 2.0
    np.testing.assert_allclose(solve(), np.exp(-2 * TS), atol=1e-7)
    shift = 3.0
    np.testing.assert_allclose(solve(), np.exp(-2 * TS) + 3, atol=1e-7)
    rate = 1.0
    np.testing.assert_allclose(solve(), np.exp(-TS) + 3, atol=1e-7)


def test_other_numbers_are_another_plan():
    """Of the same objects: times, steps, precision, and kinds of y0."""
    ends = lambda t1, y0=Y0, **more: odeflow.ensemble_solve(
        TERM, SOLVER, 0, t1, None, y0, 1.0, **(ONE | {"saveat": END} | more)
    )
    np.testing.assert_allclose(ends(4).ys[0, 0], np.sin(4), atol=1e-7)
    np.testing.assert_allclose(ends(2).ys[0, 0], np.sin(2), atol=1e-7)
    assert ends(4, precision="float32").ys.dtype == np.float32
    assert ends(4, max_steps=3, throw=False).status == odeflow.Status.max_steps_reached
    with pytest.raises(RuntimeError, match="max_steps_reached"):
        ends(4, max_steps=3)
    both = ends(4, np.stack([Y0, 2 * Y0]), in_axes=(0, None)).ys
    np.testing.assert_allclose(both[1], 2 * both[0], atol=1e-7)
    assert ends(4).ys.dtype == np.float64
    with pytest.raises(ValueError, match="t1: 0 is not above t0=0"):
        ends(0)


def test_objects_may_be_written_where_they_are_used(monkeypatch: pytest.MonkeyPatch):
    """A call with equal ones makes nothing, and one with others is not mistaken for it."""
    made: list[Any] = []
    monkeypatch.setattr(
        "odeflow.api.plan.handle_of", lambda structure: made.append(0) or handle_of(structure)
    )

    def solve(rtol: float = 1e-9, ts: Any = TS, factor: float = 1.0) -> Any:
        return odeflow.ensemble_solve(
            diffrax.ODETerm(lambda t, y, p: jnp.stack([p * y[1], -factor * p * y[0]])),
            diffrax.Tsit5(), 0.0, 4.0, None, Y0, 1.0, in_axes=None, threads=1,
            saveat=diffrax.SaveAt(ts=ts),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=1e-9),
        )  # fmt: skip

    first = solve()
    made.clear()
    np.testing.assert_array_equal(solve().ys, first.ys)
    assert not made
    assert solve(rtol=1e-4).stats["num_steps"] < first.stats["num_steps"]
    np.testing.assert_allclose(solve(ts=TS / 2).ys[:, 0], np.sin(TS / 2), atol=1e-7)
    np.testing.assert_allclose(solve(factor=0.0).ys[:, 0], TS, atol=1e-7)
    assert len(made) == 3


def test_what_may_change_is_looked_at_again():
    calls: list[int] = []
    kept = Remembered(lambda module, word: calls.append(word) or float(jnp.sum(module[0])))
    fixed, changing = (2.0,), (np.array(2.0),)
    assert kept((), (fixed,), 1) == kept((), (fixed,), 1) == 2.0
    assert calls == [1]
    assert kept((), (changing,), 1) == 2.0
    changing[0][...] = 3.0
    assert kept((), (changing,), 1) == 3.0
    assert kept((), (fixed,), 2) == 2.0
    assert calls == [1, 1, 1, 2]


def test_equal_modules_are_the_same():
    calls: list[Any] = []
    kept = Remembered(lambda *given: calls.append(given))
    for leaf in (1.0, 1, True, "a", jnp.ones(3), jnp.ones(3, bool), object()):
        for _ in range(2):
            kept((), ((leaf, None),))
            kept((), ((leaf, None),))  # another tuple
    assert len(calls) == 7
    kept((), ((jnp.array([1.0, 1.0, 2.0]), None),))
    kept((), ((jnp.ones((1, 3)), None),))
    kept((), (({"other": 1.0}, None),))
    assert len(calls) == 10


def test_functions_of_one_code_are_the_same():
    calls: list[Any] = []
    kept = Remembered(lambda same: calls.append(same.function(0)))
    for number in (1, 1, 2, 1):
        kept((lambda x, number=number: x + number,), ())
    assert calls == [1, 2]


def test_what_cannot_be_compared_is_the_same_as_itself():
    nodes = [_Node(np.arange(2)) for _ in range(2)]
    calls: list[int] = []
    kept = Remembered(lambda module: calls.append(0))
    for node in (*nodes, *nodes):
        kept((), (node,))
    assert len(calls) == 2


def test_many_objects_are_forgotten_in_order():
    calls: list[int] = []
    kept = Remembered(lambda module: calls.append(module[0]))
    modules = [(number,) for number in range(65)]
    for module in modules:
        kept((), (module,))
    kept((), (modules[-1],))
    kept((), (modules[0],))
    assert calls == [*range(65), 0]


def test_what_no_longer_holds_is_made_again():
    calls: list[int] = []
    kept = Remembered(lambda module: calls.append(0) or [True], lasts=lambda made: made[0])
    made = kept((), (1,))
    assert kept((), (1,)) is made
    made[0] = False
    assert kept((), (1,)) is not made
    assert len(calls) == 2


@jax.tree_util.register_pytree_node_class
class _Node:
    """A pytree whose structure cannot be compared."""

    def __init__(self, aux: Any):
        self.aux = aux

    def tree_flatten(self) -> tuple[tuple[()], Any]:
        return (), self.aux

    @classmethod
    def tree_unflatten(cls, aux: Any, children: Any) -> "_Node":
        return cls(aux)
