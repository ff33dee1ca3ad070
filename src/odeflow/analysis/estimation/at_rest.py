"""Steady states in an estimation, with their derivatives: before conditions, and when measured."""

from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Bool, Float

from odeflow.analysis.estimation.axes import Axes
from odeflow.analysis.estimation.parameters import Parameters, Vectors
from odeflow.config.conditions import PreequilibrationConfig
from odeflow.config.root import Config
from odeflow.engines.choice import Resources
from odeflow.ensemble.build import Built, make_lanes
from odeflow.ensemble.rest.observed import Observed
from odeflow.ensemble.rest.steady_states import Steady, SteadyStates
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes

Columns = Mapping[str, Float[np.ndarray, "vector condition"]]


class Before:
    """What trajectories start from under conditions that something is at rest before.

    A parameter that decides on it has a direction of its own in the model, which the derivatives of
    the steady state are put into; the solver takes them on from there.

    Arguments:
        config: the experiment.
        model: the model without derivatives.
        parameters: what is estimated.
        used: names of the conditions that are solved, in order.
        resources: cores, and the folder for compiled code.
    """

    def __init__(
        self,
        config: Config,
        model: Model,
        parameters: Parameters,
        used: Sequence[str],
        resources: Resources,
    ):
        self._config, self._model, self._parameters = config, model, parameters
        self._resources, design = resources, config.design
        asked = {c: one for c, one in design.preequilibration.items() if c in used}
        settings: list[dict] = []
        #: By place among the conditions: the number of what is before, and what is asked for.
        self._before: dict[int, tuple[int, PreequilibrationConfig]] = {}
        for condition, one in asked.items():
            own = {**design.conditions[condition], **one.settings}
            # what starts anew does not decide on what is before
            if own not in settings:
                settings.append(own)
            self._before[used.index(condition)] = settings.index(own), one
        before = {str(number): own for number, own in enumerate(settings)}
        changed = design.model_copy(update={"conditions": before, "preequilibration": {}})
        self._axes = Axes(config.model, changed, model, parameters, range(len(settings)))
        self._states = SteadyStates(config, model, [*self._axes.names, *parameters.names])

    def __bool__(self) -> bool:
        return bool(self._before)

    @property
    def deciding(self) -> list[str]:
        """Names of the parameters that decide on what is at rest before."""
        if not self:
            return []
        names, set_to = self._parameters.names, self._axes.set_to
        return [name for name in names if name in self._axes.moving or name in set_to]

    def started(
        self, built: Built, values: Vectors, columns: Columns
    ) -> tuple[dict[str, np.ndarray], Bool[np.ndarray, " vector"]]:
        """The axes with one more per state: what trajectories start from.

        Arguments:
            built: what is solved; where its model has derivatives they are started too.
            values: of the estimated parameters, one row per vector.
            columns: the axes of its lanes.

        Returns:
            All axes, and the vectors that are never at rest.
        """
        shape = next(iter(columns.values())).shape
        flat = {name: x.ravel() for name, x in columns.items()}
        y0 = make_lanes(built.config, built.model, flat).y0
        parts = zip(built.model.components, y0.reshape(-1, *shape).copy())
        # what events remember is an array, and begins as the state at the start says
        start = {one.state: x for one, x in parts if not one.index}
        before = self._axes.columns(values)
        steady = self._states({name: x.ravel() for name, x in before.items()}, self._resources)
        found = steady.y.reshape(len(steady.y), shape[0], -1)
        slopes = self._slopes(steady, before) if built.model.derivatives else {}
        for place, (number, asked) in self._before.items():
            for i, name in enumerate(self._model.declared.states):
                if name not in asked.reset:
                    start[name][:, place] = found[i, :, number]
            for name, (variable, axis) in built.model.derivatives.items():
                if name in start and variable not in asked.reset:
                    i = list(self._model.declared.states).index(variable)
                    known = slopes.get(axis)
                    start[name][:, place] = 0.0 if known is None else known[:, number, i]
        failed = steady.failed.reshape(shape[0], -1).any(axis=1)
        return {**columns, **start}, np.asarray(failed)

    def _slopes(self, steady: Steady, before: Columns) -> dict[str, np.ndarray]:
        """By parameter, the derivatives of what is at rest: (vector, number, component)."""
        names, deciding = self._parameters.names, self.deciding
        states = list(self._model.declared.states)
        parameters = list(self._model.declared.parameters)
        number = len(next(iter(before.values()))), len(self._axes.chains(before))
        of_args = np.zeros((*number, len(deciding), len(parameters)))
        of_start = np.zeros((*number, len(deciding), len(states)))
        for condition, chain in enumerate(self._axes.chains(before)):
            chain = {**chain, **self._axes.starts(before, chain, condition)}
            for quantity, moved in chain.items():
                target, known = (of_start, states) if quantity in states else (of_args, parameters)
                for p, factor in moved if quantity in known else ():
                    place = deciding.index(names[p])
                    target[:, condition, place, known.index(quantity)] += factor
        lanes = (number[0] * number[1], len(deciding), -1)
        found = self._states.slopes(
            steady, of_args.reshape(*lanes[:2], len(parameters)), of_start.reshape(lanes)
        ).reshape(*number, len(deciding), len(states))
        return {name: found[:, :, i] for i, name in enumerate(deciding)}


class Measured:
    """What is measured at rest: the values, and their derivatives where a model has some.

    Arguments:
        config: the experiment.
        model: the model without derivatives.
        varied: what lanes differ in.
        resources: cores, and the folder for compiled code.
    """

    def __init__(self, config: Config, model: Model, varied: Sequence[str], resources: Resources):
        self._model, self._resources = model, resources
        self._states = SteadyStates(config, model, varied)
        self._observed: WeakKeyDictionary[Built, Observed] = WeakKeyDictionary()

    def __call__(
        self, built: Built, axes: Mapping[str, np.ndarray], lanes: Lanes
    ) -> tuple[dict[str, np.ndarray], Bool[np.ndarray, " lane"]]:
        """What is kept of lanes in the steady states that they go to.

        Arguments:
            built: what is solved.
            axes: of the lanes.
            lanes: where they start, derivatives included.

        Returns:
            Values by variable, and the lanes that are never at rest.
        """
        steady = self._states(axes, self._resources)
        model, size = built.model, len(self._model.components)
        y = np.zeros((len(model.components), len(steady.failed)))
        y[:size] = steady.y
        args = lanes.args[: len(model.declared.parameters)]
        known = [c.state for c in model.components]
        directions = list(dict.fromkeys(axis for _, axis in model.derivatives.values()))
        places = {
            axis: [known.index(name) for name, (_, of) in model.derivatives.items()
                   if of == axis and name in model.declared.states]
            for axis in directions
        }  # fmt: skip
        directions = [axis for axis in directions if places[axis]]
        if directions:
            parameters = list(self._model.declared.parameters)
            of_args = np.zeros((len(steady.failed), len(directions), len(parameters)))
            for i, axis in enumerate(directions):
                if axis in parameters:
                    of_args[:, i, parameters.index(axis)] = 1.0
            of_start = np.stack([lanes.y0[places[axis]].T for axis in directions], axis=1)
            slopes = self._states.slopes(steady, of_args, of_start)
            for i, axis in enumerate(directions):
                y[places[axis]] = slopes[:, i].T
        at_rest = Steady(y, args, steady.failed, steady.jumped)
        if built not in self._observed:
            self._observed[built] = Observed(model, self._states.t, built.problem.variables)
        return self._observed[built](at_rest), steady.failed
