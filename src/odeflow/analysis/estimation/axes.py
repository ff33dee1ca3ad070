"""What parameter vectors set in a model under conditions: the axes of lanes, and the chain rule."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from odeflow.analysis.estimation.parameters import Parameters, Vectors
from odeflow.analysis.estimation.slopes import along
from odeflow.config.design import DesignConfig
from odeflow.config.model import ModelConfig
from odeflow.config.root import Config
from odeflow.design import SUBJECT
from odeflow.problem.model import Model

#: Along which parameters a quantity moves, and how fast: a number, or one for each vector.
Chain = Mapping[str, list[tuple[int, Any]]]


def by_subject(config: Config) -> DesignConfig:
    """The design of an experiment, of which subjects with records are conditions."""
    if config.records is None:
        return config.design
    subjects = {f"ID_{subject:g}": {SUBJECT: subject} for subject in config.records.of}
    return config.design.model_copy(update={"conditions": subjects})


class Axes:
    """The axes that parameters and conditions set.

    Arguments:
        config: the group `model` of the experiment.
        design: its group `design`.
        model: the model without derivatives.
        parameters: what is estimated.
        used: numbers of the design's conditions that are solved.
    """

    def __init__(
        self,
        config: ModelConfig,
        design: DesignConfig,
        model: Model,
        parameters: Parameters,
        used: Sequence[int],
    ):
        self._config, self._model, self._parameters = config, model, parameters
        settings = list(design.conditions.values()) or [{}]
        self._conditions = [settings[number] for number in used]
        self._set = design.set_by_conditions
        #: What the model computes at t0 of what moves: names, and what each depends on.
        self.computed = {
            name: of
            for name, of in (config.computed or {}).items()
            if not self.moving.isdisjoint(of)
        }

    @property
    def moving(self) -> set[str]:
        """What estimated parameters set: themselves, and what conditions set to them."""
        estimated = {*self._parameters.names}
        by_conditions = {
            name for one in self._conditions for name, x in one.items() if x in estimated
        }
        return {name for name in estimated if name not in self._set} | by_conditions

    @property
    def names(self) -> list[str]:
        """All axes: what is estimated, and what conditions set."""
        return list(dict.fromkeys([*self._parameters.names, *self._set]))

    @property
    def set_to(self) -> set[str]:
        """What conditions set something to."""
        return {x for one in self._conditions for x in one.values() if isinstance(x, str)}

    def columns(self, values: Vectors) -> dict[str, Float[np.ndarray, "vector condition"]]:
        """The axes of the lanes, as `design.rows` has them: conditions vary fastest."""
        shape = (len(values), len(self._conditions))
        own = dict(zip(self._parameters.names, values.T))
        columns = {name: np.repeat(x[:, None], shape[1], axis=1) for name, x in own.items()}
        for name in self._set:
            column = np.empty(shape)
            for number, settings in enumerate(self._conditions):
                given = settings[name]
                column[:, number] = self._value(given, own) if isinstance(given, str) else given
            columns[name] = column
        return columns

    def _value(self, name: str, own: Mapping[str, np.ndarray]) -> Any:
        """The value of an axis: estimated, or as the model has it."""
        return own[name] if name in own else self._config.parameters[name].value

    def start_slopes(
        self, model: Model, columns: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """The initial derivatives of states that the model computes at t0, as further axes."""
        result = {}
        for state in (name for name in self.computed if name in self._model.declared.states):
            for derivative, pair in model.derivatives.items():
                if pair[0] == state and pair[1] in self.computed[state]:
                    result[derivative] = self._start_slope(columns, state, pair[1])
        return result

    def _start_slope(self, columns: Mapping[str, np.ndarray], name: str, axis: str) -> np.ndarray:
        """How fast what the model computes at t0 moves along an axis."""
        size = next(iter(columns.values())).shape
        flat = {key: column.ravel() for key, column in columns.items()}
        if axis not in flat:  # as the model has it
            declared = self._config
            flat[axis] = np.full(size, declared.parameters[axis].value).ravel()
        start = lambda axes: self._model.start(axes).get(name, np.zeros(1))
        return np.broadcast_to(along(start, flat, axis), flat[axis].shape).reshape(size)

    def starts(
        self, columns: Mapping[str, np.ndarray], chain: Chain, condition: int
    ) -> dict[str, list[tuple[int, Any]]]:
        """Along which parameters the states move that the model computes at t0."""
        result = {}
        for state in (name for name in self.computed if name in self._model.declared.states):
            if state not in self._set:
                result[state] = [
                    (p, factor * self._start_slope(columns, state, of)[:, condition])
                    for of in self.computed[state]
                    for p, factor in chain.get(of, ())
                ]
        return result

    def chains(self, columns: Mapping[str, np.ndarray]) -> list[Chain]:
        """By condition: along which parameters each quantity of the model moves."""
        number = {name: i for i, name in enumerate(self._parameters.names)}
        chains = []
        for condition, settings in enumerate(self._conditions):
            chain: dict[str, list[tuple[int, Any]]] = {}
            for name in self.names:
                source = settings.get(name, name)
                if source in number:
                    chain[name] = [(number[source], 1.0)]
            for name in (x for x in self.computed if x in self._model.declared.parameters):
                moved = {}
                for of in self.computed[name]:
                    for p, factor in chain.get(of, ()):
                        speed = self._start_slope(columns, name, of)[:, condition]
                        moved[p] = moved.get(p, 0.0) + factor * speed
                chain[name] = list(moved.items())
            chains.append(chain)
        return chains
