"""The design as a labelled dataset, `design.nc`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from odeflow.config.root import Config
from odeflow.design.samples import (
    column_names,
    grid_levels,
    number_of_samples,
    rows,
)
from odeflow.problem.axis_names import axis_attributes, axis_coordinate


def design_to_file(config: Config, root: Path, path: Path) -> None:
    """Writes all samples: dimension `sample`, from 0, and one variable for each column of `rows`.

    A variable has the name, units and long name of its axis in the ensemble. Attributes: `kind`;
    `axes`, the axes' names in order, as JSON; for samplers `seed`, in decimal digits; for a grid
    `grid_axes` and `grid_shape`, the names of the variables and their numbers of levels, as JSON:
    a variable's values reshaped to `grid_shape` are in C order.

    Arguments:
        config: the experiment.
        root: the folder that a table's path is relative to.
        path: the file to write, NetCDF.

    Raises:
        ConfigError: as `rows`, and where the file cannot be written.
    """
    import xarray as xr

    from odeflow.files.netcdf import write_filled
    from odeflow.files.slabs import slabs, unfilled

    design, model, declared = config.design, config.model, config.model.declaration()
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
            axis_attributes(
                name, declared, config.plain_doses, list(design.conditions), design.choices
            ),
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
