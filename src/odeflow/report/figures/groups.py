"""Trajectories in groups: those of a condition, or of a level of an axis."""

from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.design import CONDITION
from odeflow.ensemble.labels import design_axes, design_dims
from odeflow.files.errors import ConfigError
from odeflow.files.flags import flag_meanings
from odeflow.problem.axis_names import axis_coordinate
from odeflow.report.figures.style import LINES
from odeflow.report.ranks import flat_axis

#: Groups that a reader tells apart.
MOST_GROUPS = 7


class DrawnGroup(NamedTuple):
    """Some trajectories with their name, colour and kind of line."""

    name: str
    #: The design's rows.
    rows: np.ndarray
    colour: str
    line: Any


def groups(ensemble: xr.Dataset, config: Config) -> list[DrawnGroup]:
    """The groups of `plot.group`, else the conditions, else none.

    Arguments:
        ensemble: the trajectories.
        config: the experiment.

    Raises:
        ConfigError: `plot.group` is no axis, or has more levels than a reader tells apart.
    """
    asked = config.plot.group
    if asked is None and len(config.design.conditions) < 2:
        return []
    name = CONDITION if asked is None else axis_coordinate(asked, config.model)
    if name not in ensemble.coords or (name not in design_axes(ensemble) and name != CONDITION):
        known = ", ".join(design_axes(ensemble))
        raise ConfigError(f"plot.group: {asked!r} is not an axis of the design; axes: {known}")
    flat = flat_axis(ensemble, name)
    levels = np.unique(flat)
    if asked is None and len(levels) > MOST_GROUPS:
        return []
    if len(levels) > MOST_GROUPS:
        raise ConfigError(
            f"plot.group: {asked} has {len(levels):,} levels, {MOST_GROUPS} can be told apart; "
            "group by an axis of few levels"
        )
    words = _names(ensemble[name], levels)
    return [
        DrawnGroup(word, np.flatnonzero(flat == level), *look)
        for word, level, look in zip(words, levels, LINES)
    ]


def _names(coordinate: xr.DataArray, levels: np.ndarray) -> list[str]:
    if "flag_meanings" in coordinate.attrs:
        meanings = flag_meanings(coordinate)
        return [meanings[int(level)].replace("_", " ") for level in levels]
    digits = next(n for n in range(4, 18) if n == 17 or _distinct(levels, n))
    return [f"{coordinate.name} = {level:.{digits}g}" for level in levels]


def _distinct(levels: np.ndarray, digits: int) -> bool:
    """Whether so many digits tell the levels apart."""
    return len({f"{level:.{digits}g}" for level in levels}) == len(levels)


def of_group(array: xr.DataArray, ensemble: xr.Dataset, rows: np.ndarray, most: int) -> np.ndarray:
    """Values of some of a group's trajectories, one row each, evenly thinned.

    Arguments:
        array: a variable over the design and time.
        ensemble: it is one of it.
        rows: the group's rows of the design.
        most: trajectories to read at most.
    """
    chosen = rows[:: -(-len(rows) // most)]
    dims = design_dims(ensemble)
    if dims == ("sample",):
        return array.isel(sample=chosen).transpose("sample", ...).values
    places = np.unravel_index(chosen, [ensemble.sizes[dim] for dim in dims])
    indexers = {d: xr.DataArray(place, dims="row") for d, place in zip(dims, places)}
    return array.load().isel(indexers).transpose("row", ...).values
