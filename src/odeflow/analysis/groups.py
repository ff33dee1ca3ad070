"""Trajectories in groups: by the values of one column of the design."""

from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Int

from odeflow.files.errors import ConfigError

#: The dimension of groups.
GROUP = "group"
#: More of them are no groups.
_MOST = 50


class Groups(NamedTuple):
    """The values of a column in order, the number of each sample's, and what they are called."""

    values: np.ndarray
    number: Int[np.ndarray, " sample"]
    coordinate: xr.Variable


def by_group_name(variable: str) -> str:
    """The name in the dataset of the quantiles of each group."""
    return f"{variable}_quantiles_by_group"


def groups_of(ensemble: xr.Dataset, column: str) -> Groups:
    """The groups that a column makes of an ensemble's samples.

    Arguments:
        ensemble: the trajectories, over `sample`.
        column: of the design; an axis of an initial value by the name of its state.

    Returns:
        The groups, in the order of their values.

    Raises:
        ConfigError: the ensemble has no such column, or it has a value for nearly each.
    """
    name = column if column in ensemble.coords else f"initial_{column}"
    if name not in ensemble.coords or ensemble[name].dims != ensemble["status"].dims:
        raise ConfigError(f"summary.group: the ensemble has no column {column}")
    values, number = np.unique(ensemble[name].values, return_inverse=True)
    if len(values) > _MOST:
        raise ConfigError(
            f"summary.group: {column} has {len(values):,} values; {_MOST} at most make groups"
        )
    attributes = {**ensemble[name].attrs, "group_of": name}
    return Groups(values, number, xr.Variable(GROUP, values, attributes))
