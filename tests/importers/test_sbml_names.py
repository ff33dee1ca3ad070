"""Ids of SBML that a dataset cannot have as they are."""

import pytest

pytest.importorskip("libsbml")

from odeflow.config.base import LONGEST_NAME, check_variable_name
from odeflow.importers.sbml.naming import dataset_names, free_name


def test_ids_that_are_too_long_are_cut_and_told_apart():
    ids = ["a", *(f"{'rate_of_binding_' * 9}{i}" for i in range(30)), "b" * LONGEST_NAME]
    names = dataset_names(ids)
    assert names["a"] == "a" and names["b" * LONGEST_NAME] == "b" * LONGEST_NAME
    assert len(set(names.values())) == len(ids)
    for identifier, name in names.items():
        assert check_variable_name(name)[:90] == identifier[:90]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("lambda", "lambda_"),
        ("time", "time_"),
        ("_x", "x_2"),
        ("_y", "y"),
        ("__1", "x1"),
        ("x", "x_2"),
        ("m" * 400, "m" * LONGEST_NAME),
        ("a model of 2019", "a_model_of_2019"),
    ],
)
def test_a_free_name_is_like_the_one_wanted(wanted: str, name: str):
    assert free_name(wanted, ["x", "x_", "x__"]) == name
