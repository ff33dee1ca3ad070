"""Array states: nested lists, and what is short for one value everywhere."""

import numpy as np
import pytest
from pydantic import ValidationError

from odeflow.config.model import StateConfig


def test_one_value_everywhere_is_the_nested_list_of_it():
    state = StateConfig.model_validate(
        {"initial": {"value": 2.5, "shape": [2, 3]}, "dims": ["row", "column"]}
    )
    assert state == StateConfig(initial=[[2.5] * 3] * 2, dims=["row", "column"])
    assert state.shape == (2, 3)
    again = StateConfig.model_validate(state.model_dump())
    assert np.array_equal(again.initial, np.full((2, 3), 2.5))


@pytest.mark.parametrize(
    "initial, says",
    [
        ({"value": 1.0}, "initial.shape"),
        ({"value": 1.0, "shape": []}, "at least 1 item"),
        ({"value": 1.0, "shape": [0]}, ">= 1"),
        ({"value": 1.0, "shape": [2000, 2000]}, "more than 1,000,000 entries"),
        ({"value": "one", "shape": [2]}, "initial.value"),
        ({"value": 1.0, "shape": [2], "size": 2}, "initial.size"),
        ({"value": 1.0, "shape": [2, 2]}, "dims names 1"),
    ],
)
def test_what_is_wrong_with_it_is_named(initial: dict, says: str):
    with pytest.raises(ValidationError, match=says):
        StateConfig.model_validate({"initial": initial, "dims": ["x"]})


def test_the_schema_knows_it():
    schema = StateConfig.model_json_schema()
    assert "EqualValues" in schema["$defs"]
    assert any("EqualValues" in str(one) for one in schema["properties"]["initial"]["anyOf"])
