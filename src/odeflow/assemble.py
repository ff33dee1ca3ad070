"""Solved chunks into one labelled ensemble, a slab of samples at a time, in memory or in a file."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import xarray as xr

from odeflow.config.root import Config
from odeflow.dataset import global_attributes
from odeflow.design import axis_attributes, axis_coordinate, grid_levels
from odeflow.netcdf import write_filled
from odeflow.slabs import Target, in_memory, place, unfilled


def ensemble_template(config: Config, total: int, slab: xr.Dataset) -> xr.Dataset:
    """The ensemble's dimensions, coordinates and attributes, its values not yet filled.

    `slab` is any part of it. A grid has one dimension an axis, other designs `sample`.
    """
    if config.design.kind == "grid":
        levels = {
            axis_coordinate(name, config.model): (values, axis_attributes(name, config.model))
            for name, values in grid_levels(config.design).items()
        }
        leading = {name: len(values) for name, (values, _) in levels.items()}
        fixed = {name: (name, *known) for name, known in levels.items()}
        streamed = slab.drop_vars(["sample", *(name for name in levels if name in slab)])
    else:
        leading, fixed, streamed = {"sample": total}, {}, slab

    def spread(variable: xr.Variable) -> xr.Variable:
        if variable.dims[:1] != ("sample",):
            return variable
        shape = (*leading.values(), *variable.shape[1:])
        dims = (*leading, *map(str, variable.dims[1:]))
        return unfilled(dims, shape, variable.dtype, variable.attrs)

    data = {name: spread(array.variable) for name, array in streamed.data_vars.items()}
    coords = {name: spread(array.variable) for name, array in streamed.coords.items()}
    engine = (slab.attrs["engine"], slab.attrs["engine_reason"])
    return xr.Dataset(data, fixed | coords, global_attributes(config, *engine))


def assemble_in_memory(config: Config, total: int, slabs: Sequence[xr.Dataset]) -> xr.Dataset:
    """The ensemble of solved slabs, which together hold all `total` samples."""
    template = ensemble_template(config, total, slabs[0])
    names, leading = _streamed(template, slabs[0]), leading_shape(config, total)
    return in_memory(template, names, lambda targets: _fill(targets, slabs, leading))


def assemble_to_file(config: Config, total: int, slabs: Iterable[xr.Dataset], path: Path) -> None:
    """Writes the ensemble to a file at once or not at all; holds one slab in memory."""
    ahead = iter(slabs)
    first = next(ahead)
    template = ensemble_template(config, total, first)
    names, leading = _streamed(template, first), leading_shape(config, total)
    rest = itertools.chain([first], ahead)
    write_filled(path, template, names, len(leading), lambda file: _fill(file, rest, leading))


def _fill(
    targets: Mapping[str, Target], slabs: Iterable[xr.Dataset], leading: Sequence[int]
) -> None:
    for slab in slabs:
        for name in targets:
            place(targets[name], slab[name].values, int(slab["sample"][0]), leading)


def leading_shape(config: Config, total: int) -> tuple[int, ...]:
    """Lengths of the design's dimensions in the ensemble."""
    if config.design.kind != "grid":
        return (total,)
    return tuple(len(values) for values in grid_levels(config.design).values())


def _streamed(template: xr.Dataset, slab: xr.Dataset) -> list[str]:
    """Names of what the slabs fill; a grid's axes are not, they come from the config."""
    axes = set(template.sizes) - {"sample"}
    return [
        str(name)
        for name, variable in slab.variables.items()
        if variable.dims[:1] == ("sample",) and name in template.variables and name not in axes
    ]
