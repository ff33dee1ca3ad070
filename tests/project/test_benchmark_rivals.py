"""What rivals solve is what the engine solves; the page says first where odeflow loses."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.compiled import expressions, order
from benchmarks.contenders import scipy_contender
from benchmarks.contenders.heyoka_contender import in_order
from benchmarks.fields import array_field
from benchmarks.gray_scott import gray_scott
from benchmarks.large_problems import Large, brusselator
from benchmarks.rival_cases import DOSE, RATES, RIVALS
from benchmarks.rival_reference import closed_form
from benchmarks.rival_report import compare, front, is_ours, losses

SMALL = [name for name in RIVALS if RIVALS[name]().large is None]


def derivatives(case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A state, parameters and the model's derivatives there, of states alone."""
    lanes = case.lanes(3)
    y, p = lanes.y0[:, -1] + np.linspace(0.1, 0.3, len(lanes.y0)), lanes.args[:, -1]
    found = np.array(case.model.flat_vector_field(0.0, tuple(y), tuple(p)))
    return y[: case.width], p, found[: case.width]


@pytest.mark.parametrize("name", SMALL)
def test_small_fields_are_the_models(name: str):
    case = RIVALS[name]()
    y, p, expected = derivatives(case)
    for found in (expressions(case, y.tolist(), p.tolist()), array_field(case.model_name)(0, y, p)):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * abs(expected).max())


@pytest.mark.parametrize("large", [brusselator(32), gray_scott(32)], ids=["line", "square"])
def test_large_fields_are_the_models_in_another_order(large: Large):
    case = replace(RIVALS["brusselator_32"](), large=large)
    y, p, expected = derivatives(case)
    place, dy = order(case), np.empty_like(y)
    large.write.py_func(0.0, y[place], dy, p)
    np.testing.assert_allclose(dy[np.argsort(place)], expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(expressions(case, y, p), expected, rtol=1e-10, atol=1e-12)
    rows, columns = np.nonzero(jacobian(case, y, p)[np.ix_(place, place)])
    assert np.abs(rows - columns).max() <= case.large.band


def jacobian(case, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """By the change of each component, which is exact in whether it is zero."""
    place, columns = order(case), []
    write, back = case.large.write.py_func, np.argsort(place)
    for component in range(len(y)):
        dy = [np.empty_like(y), np.empty_like(y)]
        for number, change in enumerate((0.0, 0.5)):
            changed = y.copy()
            changed[component] += change
            write(0.0, changed[place], dy[number], p)
        columns.append((dy[1] - dy[0])[back])
    return np.array(columns).T


def test_all_get_the_same_doses():
    case = RIVALS["doses"]()
    jumps = case.lanes(2).jumps
    assert [start for start, _, amount in case.segments if amount == DOSE] == list(
        jumps.times[:, 0]
    )
    assert (jumps.amounts == DOSE).all() and len(case.segments) == 10
    assert case.segments[-1][1] == case.t1


def test_the_published_model_has_28_states_and_its_derivatives_along_8_rates():
    case = RIVALS["brown2004"]()
    assert (case.width, len(case.model.components)) == (28, 28 * 9)
    declared = case.model.declared
    assert {name: declared.parameters[name].value for name in case.sensitivities} == RATES
    tolerances = case.problem(10.0).solver.tolerances.atol
    # in the same proportions as errors are measured
    np.testing.assert_allclose([tolerances[n] for n in declared.states], 10 * case.absolute)


def test_the_bouncing_ball_is_where_scipy_has_it():
    case = RIVALS["ball"]()
    known = closed_form(case, 3, np.longdouble)
    found = scipy_contender.build(case, 3, 1)(case.lanes(3), 1e-5)
    np.testing.assert_allclose(scipy_contender.values(case, found), known, rtol=1e-7, atol=1e-8)


def test_heyokas_variational_states_are_put_in_the_models_order():
    case = SimpleNamespace(
        model=SimpleNamespace(declared=SimpleNamespace(parameters={"a": 1, "b": 1, "c": 1})),
        width=2,
        sensitivities=("c", "a"),
    )
    # x, y, then dx/dlog c, dx/dlog a, dy/dlog c, dy/dlog a
    found = in_order(case, np.array([[1.0, 2, 30, 40, 50, 60]]), np.array([[4.0], [7], [10]]))
    assert found.tolist() == [[1.0, 2, 3, 5, 10, 15]]


def runs(*pairs: tuple[float, float]) -> dict:
    return {"runs": [{"error": e, "microseconds": t} for e, t in pairs]}


def test_a_time_at_an_error_is_read_off_between_tolerances():
    found = front(runs((1e-2, 1.0), (1e-3, 5.0), (1e-4, 4.0), (np.inf, 0.1)))
    assert found.errors.tolist() == [1e-4, 1e-2]  # the slower and less exact one does not count
    assert found.at(1e-3) == pytest.approx(2.0)
    assert found.at(1.0) == 1.0
    assert found.at(1e-5) is None


def test_what_is_called_from_python_is_odeflow_too():
    assert [is_ours(n) for n in ("auto", "native:tsit5", "call:tsit5", "heyoka")] == [1, 1, 1, 0]


def test_regions_that_are_lost_come_first_with_the_worst_on_top():
    contenders = {
        "native:tsit5": runs((1e-2, 1.0), (1e-12, 200.0)),
        "heyoka": runs((1e-2, 10.0), (1e-12, 10.0)),
    }
    cases = {"kepler": {"certainty": 1e-11, "contenders": contenders}, "doses": {"reason": "none"}}
    compared = compare(cases["kepler"], 1e-2)
    assert compared is not None and compared.ratio == pytest.approx(10.0)
    assert compare(cases["kepler"], 1e-12) is None  # the reference does not know
    ((name, worst, end),) = losses(cases)
    assert (name, worst.error, end, worst.rival) == ("kepler", 1e-7, 1e-11, "heyoka")
    assert worst.ratio == pytest.approx(10 / 200**0.9)
