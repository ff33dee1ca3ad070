"""The native engine gives what is recorded; and what differs from a record is found."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.corpus import record
from tests.corpus.case import Case
from tests.corpus.cases import cases
from tests.corpus.comparing import compare
from tests.corpus.row import OUTCOMES, Row, rounded
from tests.corpus.solving import solve
from tests.support.problems import decay_problem

CASES = {case.name: case for case in cases()}


def _marked() -> list[Any]:
    absent = pytest.mark.skip(reason="no folder with the SBML Test Suite")
    marks = lambda case: [
        *([] if case.fast else [pytest.mark.slow]),
        *([] if case.is_there else [absent]),
    ]
    return [pytest.param(case, id=name, marks=marks(case)) for name, case in CASES.items()]


@pytest.mark.parametrize("case", _marked())
def test_it_gives_what_is_recorded(case: Case, tmp_path: Path):
    found = solve(case, tmp_path).row
    assert found is not None
    assert compare(record.read()[case.name], found).differences == ()


def test_every_case_is_recorded_and_no_other():
    assert [*record.read()] == [*CASES]
    assert len(CASES) == len(cases())
    assert record.FILE.stat().st_size < 500_000


def example(**changes: Any) -> Row:
    """Three lanes, of which one failed."""
    row = Row(
        method="tsit5",
        precision="float64",
        rtol=1e-6,
        times=[0.5, 1.0],
        atol={"time_reached": 1e-8, "y": 1e-8},
        outcomes={name: np.array([0, 1, 0]) for name in OUTCOMES},
        numbers={
            "time_reached": np.array([[1.0], [0.7], [1.0]]),
            "y": np.array([[2.0, -3.0], [1.0, np.nan], [0.0, np.inf]]),
        },
    )
    return replace(row, **changes)


def changed(name: str, lane: int, column: int, value: float) -> Row:
    """The example with one other number."""
    row = example()
    numbers = {key: values.copy() for key, values in row.numbers.items()}
    numbers[name][lane, column] = value
    return replace(row, numbers=numbers)


def test_what_is_equal_does_not_differ(tmp_path: Path):
    assert compare(example(), example()).differences == ()
    near = compare(example(), changed("y", 0, 0, 2.0 + 0.9e-2 * (1e-8 + 2e-6)))
    assert near.differences == ()
    assert near.largest == pytest.approx(0.9)
    assert near.equal == 3


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (changed("y", 0, 0, 2.0 + 1.1e-2 * (1e-8 + 2e-6)), "y differs by 1.1 hundredths"),
        (changed("y", 2, 0, 2e-10), "y differs by 2 hundredths of its tolerance in lane 2"),
        (changed("y", 1, 1, 0.0), "y differs by inf"),
        (changed("y", 0, 1, math.nan), "y differs by inf"),
        (changed("y", 2, 1, -math.inf), "y differs by inf"),
        (changed("time_reached", 1, 0, 0.8), "time_reached differs"),
        (example(rtol=1e-5), "rtol is 1e-05, recorded is 1e-06"),
        (example(times=[0.5, 1.5]), "times is"),
        (example(refused="it has none"), "refused is 'it has none', recorded is None"),
        *(
            (
                example(outcomes=example().outcomes | {name: np.array([0, 1, 2])}),
                f"{name} differs in 1 of 3 lanes, first in lane 2: 2, recorded is 0",
            )
            for name in OUTCOMES
        ),
    ],
)
def test_what_differs_is_said(found: Row, words: str):
    (difference,) = compare(example(), found).differences
    assert words in difference


def test_a_case_that_is_not_recorded_differs():
    assert compare(None, example()).differences == ("is not recorded",)


def test_the_file_keeps_what_numbers_need(tmp_path: Path):
    numbers = np.random.default_rng(0).normal(size=(3, 2)) * 10.0 ** np.array([[-9], [0], [7]])
    row = example(numbers=example().numbers | {"y": numbers})
    record.write({"a": row, "b": Row("kvaerno5", "float64", 1e-6, refused="why")}, tmp_path / "r")
    read = record.read(tmp_path / "r")
    again = compare(read["a"], row)
    assert again.differences == ()
    assert 0 < again.largest <= 0.051
    assert (read["b"].refused, read["b"].lanes) == ("why", 0)
    assert rounded(1.23456789, 1e-3) == 1.2346


def test_a_row_has_what_became_of_each_lane(compiled: Path):
    problem, lanes = decay_problem()
    row = solve(Case("decay", lambda: (problem, lanes)), compiled).row
    assert row is not None
    assert row.outcomes["status"].tolist() == [0]
    assert row.numbers["y"][0, -1] == pytest.approx(math.exp(-1), rel=1e-5)
    assert row.atol == {"time_reached": 1e-8, "y": 1e-8}
