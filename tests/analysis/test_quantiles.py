"""Streamed quantiles are NumPy's, to the bit, however the values are cut and spread."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from odeflow.analysis import near_quantiles as near
from odeflow.analysis import quantiles as module
from odeflow.analysis.quantiles import QuantileCounts

LEVELS = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0]


def streamed(values: np.ndarray, cut: int, some: slice = slice(None)) -> np.ndarray:
    def passes():
        return (values[i : i + cut] for i in range(0, len(values), cut))

    counts = QuantileCounts(values[some])
    for slab in passes():
        counts.add(slab)
    return counts.quantiles(passes, LEVELS)


RNG = np.random.default_rng(0)
SPREADS = {
    "normal": RNG.normal(size=(5000, 7)),
    "over many decades": np.exp(20 * RNG.normal(size=(3333, 4))),
    "rounded": np.round(RNG.normal(size=(4000, 3)), 1),
    "equal": np.zeros((500, 2)),
    "half of it zero": np.where(RNG.random((6000, 3)) < 0.5, 0.0, RNG.normal(size=(6000, 3))),
    "next to each other": 1.0 + np.spacing(1.0) * RNG.integers(0, 9, (3000, 2)),
    "one": RNG.normal(size=(1, 3)),
}


@pytest.mark.parametrize("some", [slice(None), slice(10, 20), slice(0)])
@pytest.mark.parametrize("collected", [2**22, 40])
@pytest.mark.parametrize("name", SPREADS)
def test_equals_numpy(name: str, collected: int, some: slice, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_COLLECTED", collected)
    values = SPREADS[name]
    found = streamed(values, 700, some)
    np.testing.assert_array_equal(found, np.quantile(values, LEVELS, axis=0))


@pytest.mark.parametrize("name", SPREADS)
def test_few_rows_are_sorted(name: str):
    values = SPREADS[name]
    missing = RNG.random(values.shape) < 0.2
    counts = QuantileCounts(values[:50], LEVELS, len(values) + 1)
    rows = np.where(missing, np.nan, values)
    for i in range(0, len(rows), 700):
        counts.add(rows[i : i + 700], missing[i : i + 700])
    found = counts.quantiles(lambda: pytest.fail("no pass is needed"), LEVELS)
    for column in range(values.shape[1]):
        rest = values[~missing[:, column], column]
        expected = np.quantile(rest, LEVELS) if len(rest) else np.full(len(LEVELS), np.nan)
        np.testing.assert_array_equal(found[:, column], expected)


#: Rows in the order of one column: what some of them suggest is not typical.
IN_ORDER = np.sort(RNG.normal(size=(5000, 3)), axis=0)
WITH_CONSTANT = np.column_stack([np.full(4000, 0.1), RNG.normal(size=4000)])


@pytest.mark.parametrize(
    ("values", "room", "passes"),
    [
        (SPREADS["normal"], 1.3, 1),
        (SPREADS["over many decades"], 1.3, 1),
        (WITH_CONSTANT, 1.3, 1),
        (SPREADS["normal"], 0.3, 2),
        (SPREADS["rounded"], 1.3, 2),
        (SPREADS["half of it zero"], 1.3, 1),
        (IN_ORDER, 1.3, 2),
        (SPREADS["next to each other"], 1.3, 2),
    ],
)
def test_of_many_rows_one_pass_is_enough(
    values: np.ndarray, room: float, passes: int, monkeypatch: pytest.MonkeyPatch
):
    """Where rows from all over suggest the quantiles; else there is a second pass."""
    monkeypatch.setattr(module, "MANY", 0)
    monkeypatch.setattr(module, "_FEW", 0)
    monkeypatch.setattr(near, "SUGGESTING", 1000)
    monkeypatch.setattr(near, "_DEVIATIONS", 3.0)
    monkeypatch.setattr(near, "_ROOM", room)
    some, levels, made = values[: len(values) // 3], LEVELS[1:-1], [1]
    counts = QuantileCounts(some, levels, len(values))
    for i in range(0, len(values), 700):
        counts.add(values[i : i + 700])

    def again():
        made.append(1)
        return (values[i : i + 900] for i in range(0, len(values), 900))

    found = counts.quantiles(again, levels)
    np.testing.assert_array_equal(found, np.quantile(values, levels, axis=0))
    assert len(made) == passes


@settings(deadline=None)
@given(
    hnp.arrays(
        float, st.tuples(st.integers(1, 30), st.integers(1, 3)),
        elements=st.floats(-1e300, 1e300),
    ),
    st.integers(1, 30),
    st.integers(0, 30),
)  # fmt: skip
@example(np.array([[-0.0], [0.0]]), 1, 0)
def test_equals_numpy_on_anything(values: np.ndarray, cut: int, some: int):
    found = streamed(values, cut, slice(some))
    np.testing.assert_array_equal(found, np.quantile(values, LEVELS, axis=0))


def test_what_is_not_finite():
    values = np.array([[1.0, np.nan, np.inf], [2.0, 1.0, np.inf], [3.0, 2.0, 1.0]])
    found = streamed(values, 2)
    np.testing.assert_array_equal(found[:, 0], np.quantile(values[:, 0], LEVELS))
    assert np.isnan(found[:, 1]).all()
    np.testing.assert_array_equal(found[[0, 3, 6], 2], [1.0, np.inf, np.inf])


def test_no_rows():
    assert np.isnan(streamed(np.empty((0, 2)), 1)).all()


def with_missing(values: np.ndarray, missing: np.ndarray, cut: int) -> tuple[np.ndarray, list[int]]:
    rows = np.where(missing, np.nan, values)

    def passes():
        return (rows[i : i + cut] for i in range(0, len(rows), cut))

    counts = QuantileCounts(rows[:50])
    for i in range(0, len(rows), cut):
        counts.add(rows[i : i + cut], missing[i : i + cut])
    return counts.quantiles(passes, LEVELS), counts.number.tolist()


@pytest.mark.parametrize("collected", [2**22, 40])
@pytest.mark.parametrize("name", SPREADS)
def test_what_is_missing_does_not_count(name: str, collected: int, monkeypatch: pytest.MonkeyPatch):
    """Columns of different lengths, as of trajectories that end one after another."""
    monkeypatch.setattr(module, "_COLLECTED", collected)
    values = SPREADS[name]
    length, columns = values.shape
    kept = np.linspace(length, 1, columns).astype(int)
    missing = np.stack([RNG.permutation(length) >= n for n in kept], axis=1)
    found, number = with_missing(values, missing, 700)
    assert number == kept.tolist()
    for column in range(columns):
        rest = values[~missing[:, column], column]
        np.testing.assert_array_equal(found[:, column], np.quantile(rest, LEVELS))


def test_a_column_without_rows_is_nan_and_one_with_a_nan_of_its_own_too():
    values = np.array([[1.0, 2.0, np.nan], [3.0, 4.0, 5.0]])
    missing = np.array([[True, False, False], [True, False, False]])
    found, number = with_missing(values, missing, 1)
    assert number == [0, 2, 2]
    np.testing.assert_array_equal(np.isnan(found).all(axis=0), [True, False, True])
    np.testing.assert_array_equal(found[:, 1], np.quantile([2.0, 4.0], LEVELS))
