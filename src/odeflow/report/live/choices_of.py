"""What there is to choose from: the views of an experiment, and what colours can stand for."""

from typing import NamedTuple

import numpy as np

from odeflow.report.live.parts import MOST_GROUPS
from odeflow.report.live.selection import View
from odeflow.report.live.stored import Stored
from odeflow.report.selection import shown_metric


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


class Beginning(NamedTuple):
    """What the page shows first."""

    variables: list[str]
    metric: str | None


def beginning(stored: Stored) -> Beginning:
    """What the experiment's plots show, as far as the results have it.

    Results may be older than the plots that the study asks for now.
    """
    asked = stored.config.plot
    variables = [name for name in asked.variables or () if name in stored.variables]
    metric = asked.metric if asked.metric in stored.metrics else None
    if metric is None and stored.summary is not None:
        plain = asked.model_copy(update={"metric": None})
        metric = shown_metric(stored.summary, stored.config.model_copy(update={"plot": plain}))
    return Beginning(variables or stored.variables, metric)
