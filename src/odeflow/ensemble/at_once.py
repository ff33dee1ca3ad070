"""Further trajectories of an experiment, one at a time: built once, so that each takes no time."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from odeflow.config.root import Config
from odeflow.design import CONDITION, PARAMETER_SET, SUBJECT
from odeflow.engines.attempts import Retrier
from odeflow.engines.choice import EngineChoice, Resources, missing_device
from odeflow.ensemble.build import Axes, build
from odeflow.ensemble.one_trajectory import OneTrajectory
from odeflow.ensemble.pilot import pilot_of
from odeflow.ensemble.rest.preequilibration import Preequilibration
from odeflow.ensemble.solve import configure_jax
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model
from odeflow.problem.problem import Solution
from odeflow.problem.status import Status


class AtOnce:
    """Solves trajectories of an experiment when asked, at values that its design need not have.

    The same numbers as in the ensemble come out, bit for bit, where the same are given.

    Arguments:
        config: the experiment.
        study: the folder with the model's files.
        axes: the design's axes.

    Raises:
        ConfigError: the model does not load, or the engine or device asked for is not there.
    """

    def __init__(self, config: Config, study: Path, axes: tuple[str, ...]):
        self._config, self._axes = config, axes
        self._resources = Resources(threads=1)
        configure_jax(self._resources)
        self._built = build(config, study, axes)
        missing = missing_device(self._built.engine)
        if missing is not None:
            raise ConfigError(missing)
        self._attempts, runtime = self._built.attempts(), config.runtime
        problem, engine = self._built.problem, self._built.engine
        pilot = pilot_of(self._built, study, self._started)
        self._retrier = Retrier(
            problem, self._attempts, engine, runtime.engine, runtime.device, pilot
        )
        self._at_rest = (
            Preequilibration(config, load_model(config.model, study))
            if config.design.preequilibration
            else None
        )

    @property
    def engine(self) -> EngineChoice:
        """What solves, and why it is not the native engine where it is not."""
        return self._built.engine

    def __call__(self, values: Mapping[str, float], condition: str | None = None) -> OneTrajectory:
        """Solves one trajectory.

        Arguments:
            values: a number for each axis of the design, and for whatever else differs from what
                the config says: parameters, initial values of scalar states. Of a data set
                `subject` says whose doses; the first one's where it does not.
            condition: one of `design.conditions`, where there are any.

        Returns:
            The trajectory, at the experiment's saved times, and those of a data set's records.

        Raises:
            ConfigError: a value that cannot be: a negative state that is declared not to be, or an
                end before the beginning.
        """
        columns = self._started(self._columns(values, condition), self._resources)
        solved = self._retrier.solve(self._built.lanes(columns), self._resources)
        method = self._attempts[int(solved.attempt[0])].solver.method
        return _first(solved.solution, self._built.problem.times, self._drifts, method)

    def _started(self, axes: Axes, resources: Resources) -> Axes:
        return axes if self._at_rest is None else self._at_rest.started(axes, resources)

    @property
    def _drifts(self) -> tuple[str, ...]:
        return self._built.drift.names

    def _columns(self, values: Mapping[str, float], condition: str | None) -> dict[str, np.ndarray]:
        """One row, as `design.rows` gives rows: the axes, then what the condition sets."""
        design = self._config.design
        columns = {name: np.array([float(value)]) for name, value in values.items()}
        if design.records is not None and SUBJECT not in columns:
            columns[SUBJECT] = np.array([design.records.subjects[0]])
        if not design.conditions:
            return columns
        names = list(design.conditions)
        condition = names[0] if condition is None else condition
        set_here = {
            name: columns[value] if isinstance(value, str) else np.array([float(value)])
            for name, value in design.conditions[condition].items()
        }
        numbers = {CONDITION: np.array([names.index(condition)], np.int16)}
        return columns | set_here | numbers | {PARAMETER_SET: np.zeros(1, int)}


def _first(
    solution: Solution, times: np.ndarray, hidden: tuple[str, ...], method: str
) -> OneTrajectory:
    values = {n: array[0] for n, array in solution.values.items() if n not in hidden}
    return OneTrajectory(
        times,
        values,
        Status(int(solution.status[0])),
        float(solution.time_reached[0]),
        int(solution.num_steps[0]),
        {name: array[0] for name, array in solution.reduced.items()},
        method,
    )
