"""The functions of formulas: one set wherever they are read, with one meaning."""

import numpy as np
import pytest

from odeflow.importers.expressions import infix
from odeflow.importers.expressions.evaluation import evaluate
from odeflow.problem.formulas import FUNCTIONS, formula_value
from odeflow.trust.verification import dose_formulas, followed
from tests.support.snakes import PROJECT


def test_the_set_is_the_same_and_on_the_page():
    assert {*infix.FUNCTIONS} == {*FUNCTIONS}
    assert {*dose_formulas._FUNCTIONS} == {*followed._FUNCTIONS} == {*FUNCTIONS}
    page = (PROJECT / "docs/reference/formulas.md").read_text()
    assert all(f"`{name}`" in page for name in FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_each_gives_the_same_everywhere(name: str):
    text = f"{name}(0.3*x)" if name not in ("min", "max") else f"{name}(x, 2, 0.5*x)"
    expected = formula_value(text, {"x": np.float64(1.7)})
    found = evaluate([("f", infix.parsed(text))], {"x": np.float64(1.7)})["f"]
    assert found == pytest.approx(expected, rel=1e-15)
    assert dose_formulas.evaluated(text, {"x": 1.7}) == pytest.approx(expected, rel=1e-15)
    again = eval(text, {"__builtins__": {}}, followed._FUNCTIONS | {"x": 1.7})
    assert again == pytest.approx(expected, rel=1e-15)
