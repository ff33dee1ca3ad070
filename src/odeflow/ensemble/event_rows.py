"""What is kept at crossings: padded to a trajectory's most in a chunk, one after another in the
ensemble, as the contiguous ragged arrays of the CF conventions.
"""

from typing import Any

import numpy as np

from odeflow.ensemble.event_names import SLOT, count_name, missed_name
from odeflow.problem.problem import Problem, SavedEvent, Solution


def label_event(problem: Problem, event: SavedEvent, solution: Solution) -> dict[str, Any]:
    """Of a chunk the variables of one saved event, (sample, slot, ...)."""
    declared, known = problem.model.declared, problem.model.variables()
    counts, values = solution.event_counts[event.name], solution.events[event.name]
    kept, dims = np.minimum(counts, event.most), ("sample", f"{event.name}{SLOT}")
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
