"""What rivals solve is what the engine solves; the page says first where odeflow loses."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.compiled import expressions, order
from benchmarks.fields import array_field
from benchmarks.gray_scott import gray_scott
from benchmarks.large_problems import Large, brusselator
from benchmarks.rival_cases import DOSE, RIVALS
from benchmarks.rival_report import compare, front, losses

SMALL = [name for name in RIVALS if RIVALS[name]().large is None]


def derivatives(case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A state, parameters and the model's derivatives there."""
    lanes = case.lanes(3)
    y, p = lanes.y0[:, 2] + np.linspace(0.1, 0.3, len(lanes.y0)), lanes.args[:, 2]
    return y, p, np.array(case.model.flat_vector_field(0.0, tuple(y), tuple(p)))


@pytest.mark.parametrize("name", SMALL)
def test_small_fields_are_the_models(name: str):
    case = RIVALS[name]()
    y, p, expected = derivatives(case)
    for found in (expressions(case, y.tolist(), p.tolist()), array_field(case.model_name)(0, y, p)):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


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


def runs(*pairs: tuple[float, float]) -> dict:
    return {"runs": [{"error": e, "microseconds": t} for e, t in pairs]}


def test_a_time_at_an_error_is_read_off_between_tolerances():
    found = front(runs((1e-2, 1.0), (1e-3, 5.0), (1e-4, 4.0), (np.inf, 0.1)))
    assert found.errors.tolist() == [1e-4, 1e-2]  # the slower and less exact one does not count
    assert found.at(1e-3) == pytest.approx(2.0)
    assert found.at(1.0) == 1.0
    assert found.at(1e-5) is None


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
