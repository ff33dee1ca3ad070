"""The history and the lengths of delays, as parameters of lanes."""

from dataclasses import replace

import numpy as np

from odeflow.problem.delays import quantity_value, while_of
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes


def with_history(model: Model, lanes: Lanes) -> Lanes:
    """Lanes whose parameters have the history and the length of each delay.

    Raises ConfigError for a length that is not positive.
    """
    if not model.declared.delays:
        return lanes
    args, declared = np.array(lanes.args, float), model.declared
    numbers = dict(zip(declared.parameters, lanes.args))
    for (name, delay), places in zip(declared.delays.items(), model.declared.delay_places):
        args[places.by] = while_of(name, delay, numbers)
        for component, value in zip(places.components, places.values):
            before = lanes.y0[component]
            if delay.history is not None:
                before = quantity_value(delay.history, numbers)
            args[value] = before
    return replace(lanes, args=args)
