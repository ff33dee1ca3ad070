"""What the live page shows, as numbers: without a browser."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from odeflow.ensemble.labels import trajectory
from odeflow.report.live import stored as reading
from odeflow.report.live.choices_of import available_views, beginning, groupable
from odeflow.report.live.quantities import by_coordinate, quantities, to_solve
from odeflow.report.live.selection import Selection, interval_around
from odeflow.report.live.solved import Solved, metric_of
from odeflow.report.live.stored import Stored
from odeflow.report.live.views import marks, pictures
from tests.support.explored import CONDITIONS, GRID, ROD, solver, stored


@cache
def grid() -> Stored:
    return stored(*GRID)


@cache
def subjects() -> Stored:
    return stored(*CONDITIONS)


@cache
def rod() -> Stored:
    return stored(*ROD)


def solved_at(known: Stored, **values: float) -> tuple[list[Solved], dict[str, float], int]:
    """A trajectory at these values, the axes' values by coordinate, and the nearest row."""
    given = quantities(known)
    asked = {one.name: one.value for one in given} | values
    found = solver(known.config, known.ensemble)(to_solve(given, asked))
    at = by_coordinate(given, asked)
    nearest = known.nearest(at, None)
    assert nearest is not None
    return [Solved("", found)], at, nearest


def test_the_first_trajectory_is_the_stored_one_in_the_middle():
    known = grid()
    solved, at, nearest = solved_at(known)
    selection = Selection(variables=("substrate",))
    (picture,) = pictures(known, selection)
    drawn = marks(known, selection, picture, solved, at, nearest)
    lines = {line.role: line.y for line in drawn.lines}
    assert at == {"vmax": 10.0, "km": 5.0} and nearest == 7
    assert lines["nearest"].tobytes() == lines["solved"].tobytes()


def test_bands_are_quantiles_of_all_or_of_the_slice():
    known = grid()
    (whole,) = pictures(known, Selection(variables=("substrate",)))
    assert known.summary is not None
    exact = known.summary["substrate_quantiles"].sel(quantile=[0.05, 0.5, 0.95])
    (band,), median = whole.bands, next(x for x in whole.lines if x.role == "median")
    np.testing.assert_array_equal([band.low, median.y, band.high], exact)
    (part,) = pictures(known, Selection(variables=("substrate",), slices={"km": (5.0, 5.0)}))
    expected = np.percentile(known.ensemble["substrate"].sel(km=5), [5, 95], axis=0)
    np.testing.assert_allclose([part.bands[0].low, part.bands[0].high], expected)
    assert sum(line.role == "stored" for line in part.lines) == 5


def test_conditions_have_a_colour_each_and_one_can_be_chosen():
    known = subjects()
    (picture,) = pictures(known, Selection(variables=("concentration",)))
    assert [band.name for band in picture.bands] == ["healthy", "mild", "severe"]
    rows = known.rows(Selection(condition="mild"), 1000)
    assert len(rows.numbers) == rows.total == 32
    assert (known.ensemble["condition"].values[rows.numbers] == 1).all()
    (one,) = pictures(known, Selection(variables=("concentration",), condition="mild"))
    assert len(one.bands) == 1 and one.bands[0].name == ""
    assert Selection(condition="mild").in_words() == "condition mild"


def test_the_page_begins_with_what_plots_show_as_far_as_it_is_there():
    plot = grid().config.plot
    assert beginning(grid()).metric == "substrate_first_time_below" == plot.metric
    stale = plot.model_copy(update={"metric": "gone", "variables": ["gone", "enzyme"]})
    config = grid().config.model_copy(update={"plot": stale})
    known = Stored(config, grid().ensemble, grid().summary)
    assert beginning(known) == (["enzyme"], "substrate_integral")


def test_a_group_is_an_axis_of_few_levels():
    assert groupable(grid()) == ["vmax", "km"] and groupable(subjects()) == []
    (picture,) = pictures(grid(), Selection(variables=("substrate",), group="km"))
    assert [band.name for band in picture.bands] == ["km = 4", "km = 5", "km = 6"]


@pytest.mark.slow
def test_a_place_of_an_array_state_is_followed_and_all_of_them_are_a_picture():
    known = rod()
    assert available_views(known) == ["courses", "phase", "metric", "space"]
    (picture,) = pictures(known, Selection(variables=("u",), places={"x": 3}, log_values=False))
    single = [line.y for line in picture.lines if line.role == "stored"]
    np.testing.assert_array_equal(single, known.ensemble["u"].isel(x=3).values)
    assert picture.title == "x 3"
    selection = Selection("space", variables=("u",))
    solved, at, nearest = solved_at(known, diffusivity=2e-4)
    now, there = pictures(known, selection)
    cells = marks(known, selection, now, solved, at, nearest).cells
    beside = marks(known, selection, there, solved, at, nearest).cells
    assert cells is not None and beside is not None
    np.testing.assert_array_equal(cells.values.T, solved[0].trajectory.values["u"])
    np.testing.assert_array_equal(beside.values.T, trajectory(known.ensemble, nearest)["u"])


def test_a_metric_over_two_axes_is_the_summary_and_what_is_solved_lies_on_it():
    known = grid()
    metric = "substrate_integral"
    selection = Selection("metric", axes=("vmax", "km"), metric=metric)
    (picture,) = pictures(known, selection)
    assert known.summary is not None and picture.cells is not None
    np.testing.assert_array_equal(picture.cells.values, known.summary[metric].T)
    solved, at, nearest = solved_at(known)
    (mark,) = marks(known, selection, picture, solved, at, nearest).points
    assert (mark.x[0], mark.y[0]) == (10.0, 5.0)
    assert mark.value is not None
    assert mark.value[0] == known.summary[metric].sel(vmax=10, km=5)


def test_metrics_of_what_is_solved_are_those_of_the_summary():
    known = subjects()
    assert known.summary is not None and len(known.metrics) > 10
    row = known.middle
    one = trajectory(known.ensemble, row)
    values = {axis: float(one[axis]) for axis in known.axes}
    found = solver(known.config, known.ensemble)(values, "healthy")
    for name in (name for name in known.metrics if not name.endswith("_drift")):
        expected = known.metric(name, np.array([row]))[0]
        assert metric_of(known, name, found) == pytest.approx(expected, rel=1e-12), name


@pytest.mark.slow
def test_what_is_too_large_is_read_in_part_and_that_is_said(monkeypatch):
    known = stored(*GRID)
    monkeypatch.setattr(reading, "_WHOLE", 0)
    monkeypatch.setattr(reading, "_FEW", 6)
    (picture,) = pictures(known, Selection(variables=("substrate",)))
    single = np.array([line.y for line in picture.lines if line.role == "stored"])
    assert 1 < len(single) <= 6
    assert picture.note == f"{len(single)} of 15 stored trajectories, evenly thinned"
    whole = known.ensemble["substrate"].values.reshape(15, -1)
    assert all(any((row == y).all() for row in whole) for y in single)


@pytest.mark.parametrize("log", [False, True])
def test_what_is_near_a_value_is_a_tenth_of_the_range(log: bool):
    low, high = interval_around(10.0, 1.0, 100.0, log)
    assert low < 10 < high
    assert (high / low == pytest.approx(100**0.1)) if log else (high - low == pytest.approx(9.9))


def test_what_is_not_set_is_left_to_the_model():
    """An initial value that a file computes must not be held where a parameter moves."""
    known = quantities(grid())
    values = {one.name: one.value for one in known}
    assert set(to_solve(known, values)) == {"vmax", "km"}
    assert to_solve(known, values | {"enzyme": 0.3})["enzyme"] == 0.3


def test_values_below_a_logarithmic_axis_are_not_drawn():
    (picture,) = pictures(subjects(), Selection(variables=("gut",), log_values=True))
    drawn: Any = np.concatenate([line.y for line in picture.lines])
    assert picture.y.log and np.nanmin(drawn) >= picture.y.floor > 0
