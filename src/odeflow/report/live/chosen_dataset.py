"""The part of the results that is chosen, as a dataset of its own beside what was solved."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from odeflow.design import CONDITION
from odeflow.files.digests import canonical_json
from odeflow.files.errors import ConfigError
from odeflow.report.live.selection import Selection
from odeflow.report.live.solved import Solved
from odeflow.report.live.stored import Stored

#: What a browser is sent.
_MOST_BYTES = 2**26
#: Attributes that say how the ensemble was made; what is chosen of it cannot be made from them.
_OF_THE_WHOLE = "odeflow_"


def chosen_dataset(
    stored: Stored, selection: Selection, solved: Sequence[Solved], values: Mapping[str, float]
) -> xr.Dataset:
    """All trajectories of a selection, not thinned, and what was solved.

    Arguments:
        stored: the experiment.
        selection: what is chosen.
        solved: trajectories that were solved.
        values: what was set for them.

    Returns:
        The chosen variables, `status` and the metric, with the attributes of the ensemble; the
        solved trajectories as `<variable>_solved`, over `solved` where there are several.

    Raises:
        ConfigError: it is more than a browser is sent.
    """
    ensemble = stored.ensemble
    names = [*selection.variables, "status"]
    part = ensemble[names]
    if stored.dims == ("sample",):
        part = part.isel(sample=stored.rows(selection, stored.total).numbers)
    else:
        for dim, (low, high) in selection.slices.items():
            levels = ensemble[dim].values
            part = part.isel({dim: np.flatnonzero((levels >= low) & (levels <= high))})
    if part.nbytes > _MOST_BYTES:
        raise ConfigError(
            f"the selection has {part.nbytes / 2**20:,.0f} MiB, and a page sends "
            f"{_MOST_BYTES >> 20} at most; choose slices, or read "
            f"{stored.config.assemble.file} by xarray"
        )
    part = part.load()
    if selection.view == "metric" and selection.metric and stored.summary is not None:
        # by place, not by coordinate: the axes are the same
        metric = stored.summary[selection.metric].transpose(*stored.dims)
        part[selection.metric] = metric.sel({d: part[d] for d in stored.dims})
    part = _with_solved(part, selection, solved)
    kept = {k: v for k, v in ensemble.attrs.items() if not str(k).startswith(_OF_THE_WHOLE)}
    chosen = {"selection": selection.in_words() or "all trajectories"}
    if solved:
        chosen["solved_values"] = canonical_json(dict(values))
    kept["history"] = "; ".join(filter(None, [kept.get("history"), "chosen in odeflow explore"]))
    part.attrs = {**kept, **chosen}
    return part


def _with_solved(part: xr.Dataset, selection: Selection, solved: Sequence[Solved]) -> xr.Dataset:
    fitting = [one for one in solved if len(one.trajectory.times) == part.sizes.get("time")]
    for name in selection.variables if fitting else ():
        dims = [d for d in part[name].dims if d not in part["status"].dims]
        values = np.stack([one.trajectory.values[name] for one in fitting])
        part[f"{name}_solved"] = (["solved", *dims], values, part[name].attrs)
    if fitting and len(fitting) == 1:
        return part.isel(solved=0) if "solved" in part.dims else part
    if fitting:
        part = part.assign_coords({f"solved_{CONDITION}": ("solved", [x.name for x in fitting])})
    return part
