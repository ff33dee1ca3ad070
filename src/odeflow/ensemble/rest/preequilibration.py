"""Where trajectories start that are at rest before their condition."""

import numpy as np

from odeflow.config.conditions import PreequilibrationConfig
from odeflow.config.root import Config
from odeflow.design import CONDITION, END, PARAMETER_SET, REPLICATE
from odeflow.engines.choice import Resources
from odeflow.ensemble.build import make_lanes
from odeflow.ensemble.rest.steady_states import Columns, SteadyStates
from odeflow.problem.model import Model

#: Columns that say nothing of what a model does.
_NUMBERS = (END, CONDITION, PARAMETER_SET, REPLICATE)


def before(columns: Columns, preequilibration: PreequilibrationConfig) -> dict[str, np.ndarray]:
    """The axes of lanes as they are before a condition.

    Arguments:
        columns: the axes under it, by name, one number per lane.
        preequilibration: what holds before.

    Returns:
        The same axes, of which the settings are replaced.
    """
    settings = preequilibration.settings
    given = {
        name: columns[value] if isinstance(value, str) else value
        for name, value in settings.items()
    }
    size = np.shape(next(iter(columns.values())))
    own = {name: x for name, x in columns.items() if name not in _NUMBERS}
    return own | {name: np.broadcast_to(np.asarray(x, float), size) for name, x in given.items()}


def varied(config: Config) -> list[str]:
    """The parameters and states that the samples of an experiment differ in."""
    design = config.design
    settings = [one.settings for one in design.preequilibration.values()]
    return [*design.axes, *design.set_by_conditions, *(name for one in settings for name in one)]


class Preequilibration:
    """Starts trajectories at rest where their condition says so.

    Arguments:
        config: the experiment.
        model: the model as it is loaded, with scalar states.
    """

    def __init__(self, config: Config, model: Model):
        self._config, self._model = config, model
        self._states = SteadyStates(config, model, varied(config))

    def started(self, columns: Columns, resources: Resources) -> dict[str, np.ndarray]:
        """The rows of a design with one more column per state: what each trajectory starts from.

        Arguments:
            columns: of `design.rows`.
            resources: cores, and the folder for compiled code.

        Returns:
            All columns; NaN where nothing is at rest.
        """
        y0 = make_lanes(self._config, self._model, columns).y0
        y0, names = y0.copy(), list(self._model.declared.states)
        numbers = {name: i for i, name in enumerate(self._config.design.conditions)}
        asked = self._config.design.preequilibration
        here = {c: np.flatnonzero(columns[CONDITION] == numbers[c]) for c in asked}
        here = {condition: lanes for condition, lanes in here.items() if len(lanes)}
        if not here:
            return {**columns, **dict(zip(names, y0))}
        parts = [
            before({name: x[lanes] for name, x in columns.items()}, asked[condition])
            for condition, lanes in here.items()
        ]
        # all at once: what is the same before several conditions is solved once
        axes = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
        ends = np.split(self._states(axes, resources).y, np.cumsum([*map(len, here.values())]), 1)
        for (condition, lanes), found in zip(here.items(), ends):
            kept = [i for i, name in enumerate(names) if name not in asked[condition].reset]
            for i in kept:
                y0[i, lanes] = found[i]
        return {**columns, **dict(zip(names, y0))}
