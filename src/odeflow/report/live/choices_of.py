"""What there is to choose from: the views of an experiment, and what colours can stand for."""

import numpy as np

from odeflow.report.live.parts import MOST_GROUPS
from odeflow.report.live.selection import View
from odeflow.report.live.stored import Stored


def available_views(stored: Stored) -> list[View]:
    """What can be shown of an experiment at all."""
    has_times, variables = len(stored.times) > 1, stored.variables
    views: dict[View, bool] = {
        "courses": has_times and bool(variables),
        "phase": has_times and len(variables) > 1,
        "metric": bool(stored.metrics and stored.axes),
        "space": has_times and any(stored.places_of(name) for name in variables),
    }
    return [view for view, fits in views.items() if fits]


def groupable(stored: Stored) -> list[str]:
    """Axes of the design of so few levels that each can have a colour."""
    found = []
    for axis in stored.axes:
        levels = np.unique(stored.ensemble[axis].values)
        if 1 < len(levels) <= MOST_GROUPS:
            found.append(axis)
    return found
