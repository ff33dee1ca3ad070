"""Array parameters of a model, and the coordinates of dimensions."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from odeflow.config.base import ChoiceName, Real, Strict, VariableName
from odeflow.config.text import Text
from odeflow.problem.declaration import ArrayParameter


def shape_of(value: Any, key: str = "value") -> tuple[int, ...]:
    """Shape of a nested list of numbers, () of a number; raises ValueError for anything else."""
    if not isinstance(value, list):
        if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
            raise ValueError(f"expected finite numbers in {key}, found {value!r}")
        return ()
    if not value:
        raise ValueError(f"{key} is an empty list")
    shapes = {shape_of(item, key) for item in value}
    if len(shapes) != 1:
        raise ValueError(f"{key} is ragged: its rows have different lengths")
    return (len(value), *shapes.pop())


class ArrayConfig(Strict):
    """An array parameter: numbers that are the same for all trajectories but for a factor."""

    value: list[Any] | dict[ChoiceName, list[Any]] = Field(
        description="nested lists of numbers; {category: lists} for several arrays"
    )
    dims: list[VariableName] = Field(min_length=1, description="names of its dimensions")
    by: VariableName | None = Field(
        None, description="with an array for each category: the axis that says which one holds"
    )
    units: Text = Field("1", description="units of the entries")
    long_name: Text | None = Field(None, description="what it is, in words; default: its name")

    @property
    def categories(self) -> list[str]:
        """The categories that have an array each; none where there is but one array."""
        return list(self.value) if isinstance(self.value, dict) else []

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array, or of each of several."""
        return shape_of(next(iter(self.value.values())) if self.categories else self.value)  # type: ignore[union-attr]

    def array(self, categories: list[str]) -> ArrayParameter:
        """The numbers of each of these categories, or of the one array that there is."""
        lists = [self.value[c] for c in categories] if self.categories else [self.value]  # type: ignore[call-overload]
        return ArrayParameter(self.units, self.long_name, values=np.array(lists, float), by=self.by)

    @model_validator(mode="after")
    def _fits(self) -> "ArrayConfig":
        lists = self.value if isinstance(self.value, dict) else {"": self.value}
        if not lists:
            raise ValueError("value: no category is named")
        if (self.by is None) == isinstance(self.value, dict):
            raise ValueError(
                "by: needed where value has an array for each category: the axis to choose by"
                if self.by is None
                else "by: only where value has an array for each category, as {open: [[...]]}"
            )
        shapes = {shape_of(one) for one in lists.values()}
        if len(shapes) > 1:
            raise ValueError("value: the arrays of the categories have different shapes")
        number = len(shapes.pop())
        if number != len(self.dims):
            raise ValueError(f"value has {number} dimension(s), but dims names {len(self.dims)}")
        return self


def _as_record(value: Any) -> Any:
    return {"values": value} if isinstance(value, list) else value


class CoordinateConfig(Strict):
    """What the places along a dimension are called, or where they are."""

    values: list[Real] | list[str] = Field(min_length=1, description="one for each place")
    units: Text = Field("1", description="units of numbers, as printed on axes")
    long_name: Text | None = Field(None, description="what it is, in words; default: its name")

    @property
    def array(self) -> np.ndarray:
        """The values, numbers or texts."""
        is_text = isinstance(self.values[0], str)
        return np.array(self.values, dtype=object if is_text else float)

    def attributes(self, dim: str) -> dict[str, str]:
        """What a dataset says of them."""
        units = {} if isinstance(self.values[0], str) else {"units": self.units}
        return {"long_name": self.long_name or dim, **units}


Coordinate = Annotated[
    CoordinateConfig,
    BeforeValidator(_as_record, json_schema_input_type=CoordinateConfig | list[Any]),
]


def check_coords(coords: Mapping[str, CoordinateConfig], records: Mapping[str, Any]) -> None:
    """Raises ValueError for dimensions of states and arrays that differ in length, and for
    coordinates of what is no dimension, or of another length.
    """
    lengths: dict[str, int] = {}
    for name, record in records.items():
        for dim, length in zip(record.dims, record.shape):
            if lengths.setdefault(dim, length) != length:
                raise ValueError(f"{name}: {dim} has {length} places, and {lengths[dim]} elsewhere")
    for dim, coordinate in coords.items():
        if dim not in lengths:
            known = ", ".join(lengths) or "none"
            raise ValueError(
                f"coords.{dim}: no state or parameter has that dimension; known: {known}"
            )
        if len(coordinate.values) != lengths[dim]:
            raise ValueError(
                f"coords.{dim}: {len(coordinate.values)} values for {lengths[dim]} places"
            )
        if len(set(coordinate.values)) < len(coordinate.values):
            raise ValueError(f"coords.{dim}: a value occurs twice")


def divided(model: Any) -> Any:
    """The `model` group with array parameters, told by their keys, apart from the numbers."""
    if not isinstance(model, Mapping) or not isinstance(model.get("parameters"), Mapping):
        return model
    is_array = lambda one: (
        isinstance(one, Mapping) and ("dims" in one or isinstance(one.get("value"), list | dict))
    )
    parameters = model["parameters"]
    arrays = {name: one for name, one in parameters.items() if is_array(one)}
    if not arrays:
        return model
    numbers = {name: one for name, one in parameters.items() if name not in arrays}
    return {**model, "parameters": numbers, "arrays": {**(model.get("arrays") or {}), **arrays}}
