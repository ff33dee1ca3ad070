"""The annotations of the rooms that `addopts` names are checked, shapes included."""

import importlib.util

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from odeflow.problem.noise import transformed
from tests.support.checked_shapes import ViolationError


def test_all_rooms_that_are_named_exist(pytestconfig: pytest.Config):
    *rooms, _ = str(pytestconfig.getoption("jaxtyping_packages")).split(",")
    assert "odeflow.problem" in rooms
    assert [room for room in rooms if importlib.util.find_spec(room) is None] == []


@pytest.mark.parametrize("values", [[1.0], np.array([1])])
def test_a_value_that_is_not_what_its_annotation_says_is_noted(values: object):
    with pytest.raises(TypeCheckError, match="values"):
        transformed(values, "lin")  # pyright: ignore[reportArgumentType]
    assert len(ViolationError.noted) > 0
    ViolationError.noted.clear()
