"""Formulas read a model's names, whatever these mean to the parser."""

import pytest

from odeflow.importers.expressions.evaluation import evaluate
from odeflow.importers.sbml.formulas import parse_formula
from odeflow.importers.sbml.mathml import MathError

#: Constants and functions of libsbml's infix notation, its operators as words, and others.
WORDS = [
    "pi",
    "exponentiale",
    "avogadro",
    "inf",
    "infinity",
    "nan",
    "notanumber",
    "true",
    "false",
    "exp",
    "log",
    "log2",
    "ln",
    "sin",
    "max",
    "min",
    "piecewise",
    "and",
    "or",
    "not",
    "xor",
    "delay",
    "rateOf",
    "quotient",
    "e",
    "PI",
    "t",
    "T",
    "lambda_",
    "root",
    "gamma",
]


def value(text: str, **known: float) -> float:
    """A formula over quantities of the same names."""
    parsed = parse_formula(text, {name: name for name in known})
    return float(evaluate([("result", parsed)], known)["result"])


@pytest.mark.parametrize("word", WORDS)
def test_a_quantity_comes_before_a_constant(word: str):
    known = {word: 3.0, f"{word}_": 5.0, "A": 7.0}
    assert value(f"2*{word}*A + {word}_ - max({word}, A)/1e1", **known) == 2 * 3 * 7 + 5 - 0.7


def test_constants_where_no_quantity_has_their_name():
    assert value("2*pi*A", A=3.0) == 6 * 3.141592653589793
    assert value("log(exp(A))", A=3.0, log=5.0) == 3.0


def test_time_that_means_two_things_is_refused():
    known = {"time": "time_", "time_": "time_"}
    with pytest.raises(MathError, match="time is the time, and a name in the model; write time_"):
        parse_formula("2*time", known)
    assert evaluate([("x", parse_formula("2*time_", known))], {"time_": 4.0})["x"] == 8.0
