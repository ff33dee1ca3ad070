"""What the columns of a training set are: names, times, conditions, units, laws."""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import xarray as xr

from odeflow.config.axis import Axis
from odeflow.config.root import Config
from odeflow.config.simulate_for_inference import NoiseConfig
from odeflow.problem.axis_names import axis_attributes


class Feature(NamedTuple):
    """A column of `x`: one value of one output under one condition."""

    name: str
    output: str
    time: float
    condition: str
    units: str
    noise: str


def features(
    outputs: Mapping[str, xr.DataArray],
    conditions: Sequence[str],
    noise: Mapping[str, NoiseConfig],
) -> list[Feature]:
    """The columns in order: conditions, then outputs, then their values.

    Arguments:
        outputs: the arrays, over `sample` and what else they have.
        conditions: names of the design's, none where it has none.
        noise: its law for some outputs.

    Returns:
        One for each value that a set of parameters has.
    """
    found = []
    for condition in conditions or ("",):
        for output, array in outputs.items():
            law = noise.get(output)
            text = "none" if law is None else f"{law.law} {_short(law.level)}"
            units = str(array.attrs.get("units", "1"))
            for place in product(*map(range, array.shape[1:])):
                at = dict(zip(map(str, array.dims[1:]), place, strict=True))
                number = at.pop("time", None)
                time = np.nan if number is None else float(array["time"].values[number])
                name = output
                name += f"[{','.join(map(str, at.values()))}]" if at else ""
                name += "" if number is None else f"@{time:g}"
                name += f" under {condition}" if condition else ""
                found.append(Feature(name, output, time, condition, units, text))
    return found


def parameter_labels(config: Config, axes: Sequence[str]) -> dict[str, xr.Variable]:
    """The coordinates of the columns of `theta`, with the law of each as JSON.

    Arguments:
        config: the experiment, with `analyse.simulate_for_inference`.
        axes: names of the design's axes.

    Returns:
        `parameter`, and its `parameter_long_name`, `parameter_units` and `parameter_law`.
    """
    asked = config.analyse.simulate_for_inference
    assert asked is not None
    model, doses, choices = config.model.declaration(), config.plain_doses, config.design.choices
    described = [axis_attributes(name, model, doses, choices=choices) for name in axes]
    described += [{"long_name": f"noise: {name}", "units": ""} for name in asked.parameters]
    laws = [_law(config.design.axes.get(name)) for name in axes]
    laws += [_law(axis) for axis in asked.parameters.values()]
    text = lambda values: xr.Variable("parameter", np.array(list(values), dtype=object))
    names = [*axes, *asked.parameters]
    return {
        "parameter": xr.Variable("parameter", np.array(names, object), {"long_name": "parameter"}),
        "parameter_long_name": text(one["long_name"] for one in described),
        "parameter_units": text(one["units"] for one in described),
        "parameter_law": text(laws),
    }


def _law(axis: Axis | None) -> str:
    """A law as JSON, {"uniform": [8, 12]}; of a table's column it is not known."""
    if axis is None:
        return "null"
    return json.dumps(axis.model_dump(mode="json", exclude_none=True))


def _short(level: float | str) -> str:
    return level if isinstance(level, str) else f"{level:g}"
