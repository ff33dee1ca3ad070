"""The design as a labelled dataset, `design.nc`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from odeflow.config.doses import Dose
from odeflow.config.model import ModelConfig
from odeflow.config.root import Config
from odeflow.design.samples import (
    CONDITION,
    PARAMETER_SET,
    column_names,
    grid_levels,
    number_of_samples,
    rows,
)
from odeflow.flags import flag_attributes


def axis_coordinate(name: str, model: ModelConfig) -> str:
    """Name of an axis in a dataset: a state's initial value is `initial_<state>`."""
    return f"initial_{name}" if name in model.states else name


def axis_attributes(
    name: str, model: ModelConfig, doses: Sequence[Dose] = (), conditions: Sequence[str] = ()
) -> dict[str, Any]:
    """Units and long name of a column: of a state, a parameter, or what one of the doses names.

    Where there are conditions, the column of their numbers has their names as CF flags.
    """
    if conditions and name == CONDITION:
        return {"long_name": "condition", **flag_attributes(conditions, np.int16)}
    if conditions and name == PARAMETER_SET:
        return {"long_name": "number of the parameter set", "units": "1"}
    if name in model.states:
        state = model.states[name]
        return {"units": state.units, "long_name": f"initial {state.long_name or name}"}
    if name in model.parameters:
        parameter = model.parameters[name]
        return {"units": parameter.units, "long_name": parameter.long_name or name}
    for number, dose in enumerate(doses, start=1):
        for key, named in dose.named():
            if named == name:
                return _dose_attributes(key, number, dose, model)
    return {"units": model.time_units, "long_name": "end of the trajectory"}


def _dose_attributes(key: str, number: int, dose: Dose, model: ModelConfig) -> dict[str, str]:
    known = model.states[dose.state] if dose.state else model.parameters[dose.parameter or ""]
    key, _, place = key.partition(".")
    what, units = {
        "amount": ("amount", known.units),
        "rate": ("rate", f"{known.units}/{model.time_units}"),
        "value": ("value", known.units),
        "duration": ("duration", model.time_units),
        "every": ("interval", model.time_units),
        "time": ("time", model.time_units),
        "times": (f"time {int(place or 0) + 1}", model.time_units),
    }[key]
    target = known.long_name or dose.state or dose.parameter
    return {"units": units, "long_name": f"{what} of dose {number} ({target})"}


def design_to_file(config: Config, root: Path, path: Path) -> None:
    """Writes all samples: dimension `sample` (numbered from 0), one variable a column of `rows`.

    A variable has the name, units and long name of its axis in the ensemble. Attributes: `kind`;
    `axes`, the axes' names in order, as JSON; for samplers `seed`, in decimal digits; for a grid
    `grid_axes` and `grid_shape`, the names of the variables and their numbers of levels, as JSON:
    a variable's values reshaped to `grid_shape` are in C order. `root` is the folder that a
    table's path is relative to. Raises ConfigError as `rows` does.
    """
    import xarray as xr

    from odeflow.netcdf import write_filled
    from odeflow.slabs import slabs, unfilled

    design, model = config.design, config.model
    total = number_of_samples(design, root)
    names = column_names(design, root)
    one_row = rows(design, 0, 1, root)
    attributes = {"kind": design.kind, "axes": json.dumps(names)}
    if design.is_sampler:
        attributes["seed"] = str(design.seed)  # may be longer than 64 bits
    if design.kind == "grid":
        attributes["grid_axes"] = json.dumps([axis_coordinate(name, model) for name in names])
        shape = [len(levels) for levels in grid_levels(design).values()]
        attributes["grid_shape"] = json.dumps(shape)
    numbers = unfilled(["sample"], [total], np.int64, {"long_name": "row of the design"})
    axes = {
        axis_coordinate(name, model): unfilled(
            ["sample"],
            [total],
            one_row[name].dtype,
            axis_attributes(name, model, config.doses, list(design.conditions)),
        )
        for name in names
    }

    def fill(file: Mapping[str, Any]) -> None:
        for first, last in slabs(0, total, 8 * (1 + len(names))):
            file["sample"][first:last] = np.arange(first, last)
            for name, values in rows(design, first, last, root).items():
                file[axis_coordinate(name, model)][first:last] = values

    template = xr.Dataset(axes, {"sample": numbers}, attributes)
    write_filled(path, template, ["sample", *axes], 1, fill)
