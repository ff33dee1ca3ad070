"""Solved chunks into one labelled ensemble, a slab of samples at a time, in memory or in a file."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.design import grid_levels
from odeflow.ensemble.at_records import PLACE, record_variables
from odeflow.ensemble.event_names import count_name, event_of, event_totals
from odeflow.ensemble.labels import RECORD, ROW_SIZE, data_attributes, global_attributes
from odeflow.ensemble.ragged import RaggedRows
from odeflow.files.slabs import Target, in_memory, place, slabs, unfilled
from odeflow.problem.axis_names import axis_attributes, axis_coordinate
from odeflow.provenance.environment import environment_attribute


def ensemble_template(
    config: Config, total: int, slab: xr.Dataset, event_totals: Mapping[str, int]
) -> xr.Dataset:
    """The ensemble's dimensions, coordinates and attributes, its values not yet filled.

    `slab` is any part of it. A grid has one dimension per axis, other designs `sample`; what is at
    records has `record`, and what is kept at events one of their own, of all that there are.
    """
    declared = config.model.declaration()
    if config.design.kind == "grid":
        levels = {
            axis_coordinate(name, config.model): (
                values,
                axis_attributes(name, declared, config.plain_doses, choices=config.design.choices),
            )
            for name, values in grid_levels(config.design).items()
        }
        leading = {name: len(values) for name, (values, _) in levels.items()}
        fixed = {name: (name, *known) for name, known in levels.items()}
        streamed = slab.drop_vars(["sample", *(name for name in levels if name in slab)])
    else:
        leading, fixed, streamed = {"sample": total}, {}, slab

    of_records = {} if config.records is None else record_variables(config, total)
    number = max((variable.size for variable in of_records.values()), default=0)

    def spread(variable: xr.Variable) -> xr.Variable:
        if variable.dims[:1] != ("sample",):
            return variable
        first, rest = leading, 1
        if PLACE in variable.dims:
            first, rest = {RECORD: number}, 2
        elif (event := event_of(variable)) is not None:
            first, rest = {event: event_totals[event]}, 2
        shape = (*first.values(), *variable.shape[rest:])
        dims = (*first, *map(str, variable.dims[rest:]))
        return unfilled(dims, shape, variable.dtype, variable.attrs)

    dims = {str(dim) for dim in streamed.sizes}
    fixed |= {
        dim: (dim, places.array, places.attributes(dim))
        for dim, places in config.model.coords.items()
        if dim in dims
    }
    data = {name: spread(array.variable) for name, array in streamed.data_vars.items()}
    data |= of_records
    coords = {name: spread(array.variable) for name, array in streamed.coords.items()}
    made = ("engine", "engine_reason", "model_source", "time_switches")
    known = [slab.attrs[key] for key in made]
    attributes = global_attributes(config, *known)
    if config.model.files:
        attributes |= data_attributes(config.model, config.study, slab.attrs["model_data"])
    return xr.Dataset(data, fixed | coords, attributes)


def assemble_in_memory(config: Config, total: int, parts: Iterable[xr.Dataset]) -> xr.Dataset:
    """The ensemble of solved parts, which together hold all `total` samples.

    They are asked for one after another, unless how much they have depends on what is kept at
    events.
    """
    totals: Mapping[str, int] = {}
    if config.saveat.events:
        parts = list(parts)
        totals = event_totals(config, parts)
    ahead = iter(parts)
    first = next(ahead)
    template = ensemble_template(config, total, first, totals)
    names, leading = _streamed(template, first), leading_shape(config, total)
    rest = itertools.chain([first], ahead)
    return in_memory(template, names, lambda targets: _fill(targets, rest, leading))


def assemble_to_file(
    config: Config,
    total: int,
    parts: Iterable[xr.Dataset],
    path: Path,
    totals: Mapping[str, int] | None = None,
) -> None:
    """Writes the ensemble at once or not at all; holds one slab in memory.

    A NetCDF file, or, where the name ends in .zarr, a Zarr store. `totals` is how many crossings
    of each saved event all of the parts have.
    """
    # Imported here: an ensemble in memory needs no library of files.
    from odeflow.files.netcdf import write_filled
    from odeflow.files.zarr import write_filled_store

    ahead = iter(parts)
    first = next(ahead)
    template = ensemble_template(config, total, first, totals or {})
    names, leading = _streamed(template, first), leading_shape(config, total)
    rest = itertools.chain([first], ahead)
    write = write_filled_store if path.suffix == ".zarr" else write_filled
    write(path, template, names, len(leading), lambda targets: _fill(targets, rest, leading))


def _counted_by(variable: xr.Variable) -> str | None:
    """What says how much each sample has of a variable of a chunk; None of one that is whole."""
    if PLACE in variable.dims:
        return ROW_SIZE
    event = event_of(variable)
    return None if event is None else count_name(event)


def _fill(
    targets: Mapping[str, Target], parts: Iterable[xr.Dataset], leading: Sequence[int]
) -> dict[str, str]:
    """Fills the targets; returns the attribute that says where the parts were solved."""
    environments: set[str] = set()

    def noted() -> Iterator[xr.Dataset]:
        for part in parts:
            environments.update(filter(None, [part.attrs.get("environment")]))
            yield part

    parts = iter(parts)
    first = next(parts)
    parts = itertools.chain([first], parts)
    counted_by = {
        name: count for name in targets if (count := _counted_by(first[name].variable)) is not None
    }
    ragged = RaggedRows(targets, counted_by)
    for start, arrays in _at_fixed_cuts(noted(), math.prod(leading), list(targets)):
        ragged.append(arrays)
        for name in (name for name in arrays if name not in counted_by):
            place(targets[name], arrays[name], start, leading)
    return environment_attribute(environments)


def _at_fixed_cuts(
    parts: Iterable[xr.Dataset], total: int, names: Sequence[str]
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """(first sample, arrays) of consecutive samples, cut at places that depend on the whole alone.

    HDF5 lays pieces out in the order they are written: so a file's bytes do not depend on the
    chunks that its samples come from.
    """
    ahead = iter(parts)
    part = next(ahead)
    row = sum(part[n].dtype.itemsize * math.prod(part[n].shape[1:]) for n in names)
    part_arrays = ({n: part[n].values for n in names} for part in itertools.chain([part], ahead))
    left: dict[str, np.ndarray] = {}
    for first, last in slabs(0, total, row):
        held, missing = [], last - first
        while missing:
            if not left or not len(left[names[0]]):
                left = next(part_arrays)
            held.append({name: array[:missing] for name, array in left.items()})
            left = {name: array[missing:] for name, array in left.items()}
            missing -= len(held[-1][names[0]])
        yield (
            first,
            held[0]
            if len(held) == 1
            else {name: np.concatenate([one[name] for one in held]) for name in names},
        )


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
