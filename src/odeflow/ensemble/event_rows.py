"""What is kept at crossings: padded to a trajectory's most in a chunk, one after another in the
ensemble, as the contiguous ragged arrays of the CF conventions.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from odeflow.config.root import Config
from odeflow.problem.problem import Problem, SavedEvent, Solution

#: Ends the dimension of a trajectory's crossings in a chunk; as no name of a model can.
_SLOT = "-slot"


def count_name(event: str) -> str:
    """Name in the dataset of how many crossings of an event each trajectory has."""
    return f"{event}_count"


def missed_name(event: str) -> str:
    """Name in the dataset of how many further ones were not kept."""
    return f"{event}_not_kept"


def label_event(problem: Problem, event: SavedEvent, solution: Solution) -> dict[str, Any]:
    """Of a chunk the variables of one saved event, (sample, slot, ...)."""
    declared, known = problem.model.declared, problem.model.variables()
    counts, values = solution.event_counts[event.name], solution.events[event.name]
    kept, dims = np.minimum(counts, event.most), ("sample", f"{event.name}{_SLOT}")
    words = event.name.replace("_", " ")
    data: dict[str, Any] = {
        count_name(event.name): (
            "sample",
            kept,
            {
                "long_name": f"number of events {words} that are kept",
                "units": "1",
                "sample_dimension": event.name,
            },
        ),
        missed_name(event.name): (
            "sample",
            counts - kept,
            {"long_name": f"number of events {words} beyond those that are kept", "units": "1"},
        ),
        f"{event.name}_time": (
            dims,
            values[..., 0],
            {"long_name": f"time of event {words}", "units": declared.time_units},
        ),
    }
    column = 1
    for name in event.variables:
        state = declared.states.get(name)
        shape = state.shape if state else ()
        width = int(np.prod(shape))
        own = values[..., column : column + width].reshape(*values.shape[:2], *shape)
        attributes = {
            "long_name": f"{known[name].long_name or name} at event {words}",
            "units": known[name].units,
        }
        data[f"{event.name}_{name}"] = ((*dims, *(state.dims if state else ())), own, attributes)
        column += width
    return data


def event_of(variable: xr.Variable) -> str | None:
    """The event at which a variable of a chunk was kept; None for any other variable."""
    if len(variable.dims) > 1 and str(variable.dims[1]).endswith(_SLOT):
        return str(variable.dims[1]).removesuffix(_SLOT)
    return None


def event_totals(config: Config, parts: Iterable[xr.Dataset]) -> dict[str, int]:
    """How many crossings of each event parts of an ensemble have together."""
    parts = list(parts)
    return {
        event: sum(int(part[count_name(event)].sum()) for part in parts)
        for event in config.saveat.events
    }


def event_dims(ensemble: xr.Dataset) -> list[str]:
    """The dimensions along which an ensemble has what was kept at events."""
    dims = {name: v.attrs.get("sample_dimension") for name, v in ensemble.data_vars.items()}
    # beside those of records of a data set
    return [str(dim) for name, dim in dims.items() if dim is not None and name == count_name(dim)]
