"""Courses over time as piecewise polynomials, against NumPy's and SciPy's interpolants."""

from typing import Any

import jax
import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator, interp1d

from odeflow.importers.supplied import Courses
from odeflow.problem.conditions.comparisons import crossings
from odeflow.problem.pieces import pieces

RANDOM = np.random.default_rng(16)
TIMES = np.cumsum(RANDOM.uniform(0.1, 2.0, 40))
VALUES = np.round(RANDOM.normal(size=(3, 40)).cumsum(axis=1), 1)
#: Between, at and outside of the times.
LOOKED_AT = np.concatenate([RANDOM.uniform(TIMES[0], TIMES[-1], 200), TIMES, [-5.0, 1e3]])


def value(interpolation: Any, t: np.ndarray, course: int, values: np.ndarray = VALUES) -> Any:
    courses = Courses({"x": pieces(TIMES, values, interpolation)})
    return np.asarray(jax.vmap(lambda t: courses.value("x", t, course))(t))


@pytest.mark.parametrize("course", range(3))
def test_cubics_are_those_of_scipy(course: int):
    inside = np.clip(LOOKED_AT, TIMES[0], TIMES[-1])
    expected = PchipInterpolator(TIMES, VALUES[course])(inside)
    np.testing.assert_allclose(value("cubic", LOOKED_AT, course), expected, rtol=1e-13, atol=1e-13)


def test_a_cubic_of_two_times_is_a_line_and_of_one_a_constant():
    for size, t in ((2, 0.3), (1, 0.3)):
        found = pieces(TIMES[:size], VALUES[:, :size], "cubic")
        courses = Courses({"x": found})
        at = TIMES[0] + t * (TIMES[1] - TIMES[0])
        expected = np.interp(at, TIMES[:size], VALUES[1, :size])
        assert float(courses.value("x", at, 1)) == pytest.approx(expected, rel=1e-14)


def test_lines_are_those_of_numpy():
    expected = np.interp(LOOKED_AT, TIMES, VALUES[2])
    np.testing.assert_allclose(value("linear", LOOKED_AT, 2), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("kind", ["previous", "next"])
def test_steps_are_those_of_scipy_between_the_times(kind: Any):
    between = LOOKED_AT[~np.isin(LOOKED_AT, TIMES)]
    ends = VALUES[0, 0], VALUES[0, -1]
    expected = interp1d(TIMES, VALUES[0], kind, bounds_error=False, fill_value=ends)(between)
    np.testing.assert_array_equal(value(kind, between, 0), expected)


def test_inputs_of_several_times_share_all_knots():
    other = np.array([TIMES[0] - 1, TIMES[7], TIMES[30] + 0.01])
    courses = Courses(
        {
            "x": pieces(TIMES, VALUES, "linear"),
            "y": pieces(other, np.array([[1.0, 4.0, 2.0]]), "cubic"),
            "z": pieces(other, np.array([[1.0, 4.0, 2.0]]), "previous"),
        }
    )
    assert courses.knots is not None
    np.testing.assert_array_equal(courses.knots.times, np.union1d(TIMES, other))
    for t in LOOKED_AT[:20]:
        assert float(courses.value("x", t, 0)) == pytest.approx(np.interp(t, TIMES, VALUES[0]))
        expected = PchipInterpolator(other, [1.0, 4.0, 2.0])(np.clip(t, other[0], other[-1]))
        assert float(courses.value("y", t, 0)) == pytest.approx(float(expected), rel=1e-13)


def test_where_nothing_changes_there_is_no_knot():
    values = np.zeros((1, 1000))
    values[0, 500] = 1.0
    times = np.arange(1000.0)
    np.testing.assert_array_equal(pieces(times, values, "linear").knots, [499, 500, 501])
    np.testing.assert_array_equal(pieces(times, values, "cubic").knots, [499, 500, 501])
    np.testing.assert_array_equal(pieces(times, values, "previous").knots, [500, 501])
    np.testing.assert_array_equal(pieces(times, values, "next").knots, [499, 500])
    assert not pieces(times, 0 * values, "linear").knots.size


def test_nobody_stops_for_knots_but_for_jumps():
    def levels(interpolation: Any) -> list[str]:
        courses = Courses({"x": pieces(TIMES, VALUES, interpolation)})
        field = lambda t, y, args: courses.value("x", t, 0)
        return [found.levels for found in crossings(field, 0.5, [], [])]

    assert levels("linear") == levels("cubic") == []
    assert levels("previous") == ["table"]


def test_derivatives_are_those_of_the_cubics():
    courses = Courses({"x": pieces(TIMES, VALUES, "cubic")})
    expected = PchipInterpolator(TIMES, VALUES[0]).derivative()(LOOKED_AT[:200])
    slope = jax.vmap(jax.grad(lambda t: courses.value("x", t, 0)))(LOOKED_AT[:200])
    np.testing.assert_allclose(slope, expected, rtol=1e-10, atol=1e-10)
