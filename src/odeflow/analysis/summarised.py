"""What a summary is of: which variables, and the rows of which trajectories."""

import math

import numpy as np
import xarray as xr

from odeflow.config.summary import SummaryConfig
from odeflow.files.errors import ConfigError


def rows_of_courses(
    values: np.ndarray, succeeded: np.ndarray, ended: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """The trajectories that succeeded, one row each, and which of their values are missing.

    `ended` is where trajectories have ended, (sample, time).
    """
    kept = values if succeeded.all() else values[succeeded]
    rows = np.ascontiguousarray(kept.reshape(len(kept), math.prod(kept.shape[1:])), float)
    if ended is None:
        return rows, None
    missing = np.repeat(ended[succeeded], math.prod(kept.shape[2:]), axis=1)
    return np.where(missing, np.nan, rows), missing


def summarised_variables(ensemble: xr.Dataset, config: SummaryConfig) -> list[str]:
    """The variables that a summary is of; raises ConfigError for one that is not there."""
    known = [str(name) for name, variable in ensemble.items() if "time" in variable.dims]
    for key, names in config.named.items():
        for name in names:
            if name not in known:
                raise ConfigError(
                    f"summary.{key}: {name!r} is not a saved variable; known: {', '.join(known)}"
                )
    if config.variables is not None:
        return list(config.variables)
    named = {name for names in config.named.values() for name in names}
    return [n for n in known if n in named or "derivative_of" not in ensemble[n].attrs]
