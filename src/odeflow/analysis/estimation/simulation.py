"""What a model gives at the measurements, for many parameter vectors and all conditions at once.

Every vector under every condition is a lane of one ensemble. Derivatives along what the estimated
parameters set in the model are forward sensitivities, those along what observables alone read are
computed with these, and noise formulas are differentiated here; the chain rule goes on to the
scales of the parameters.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from odeflow.analysis.estimation.at_rest import Before, Measured
from odeflow.analysis.estimation.axes import Axes, Chain, by_subject
from odeflow.analysis.estimation.ending import Ending
from odeflow.analysis.estimation.parameters import Parameters, Vectors
from odeflow.analysis.estimation.slopes import along
from odeflow.config.root import Config
from odeflow.config.saved_times import solve_times
from odeflow.config.summary import SummaryConfig
from odeflow.engines.choice import EngineChoice, Resources, solve
from odeflow.ensemble.build import Built, augmented, build_augmented
from odeflow.files.errors import ConfigError
from odeflow.importers.expressions.evaluation import evaluate
from odeflow.importers.expressions.expression import TIME
from odeflow.importers.loading import load_model
from odeflow.importers.petab.likelihood_data import NOISE, Group, Measurements
from odeflow.problem.transforms.observable_derivatives import with_observable_derivatives

Table = Float[np.ndarray, "vector measurement"]
Tables = Float[np.ndarray, "vector measurement parameter"]
#: States of a solve with their derivatives, at most: a program of more would compile for minutes.
_MOST_STATES = 256


@dataclass(frozen=True)
class Simulated:
    """Values and noise at every measurement, with their derivatives along `theta` if asked for.

    `linear_slopes` are derivatives along the values of parameters that are to be solved for,
    without the scales. `failed` are the vectors of which a trajectory failed, see `ending`; their
    numbers mean nothing.
    """

    values: Table
    noise: Table
    failed: Bool[np.ndarray, " vector"]
    ending: Ending
    value_slopes: Tables | None = None
    noise_slopes: Tables | None = None
    linear_slopes: Tables | None = None


class Simulation:
    """Simulates measurements.

    Arguments:
        config: the experiment; its design's conditions are those of the measurements.
        study: the folder that its files are relative to.
        parameters: what is estimated.
        measurements: what was measured.
        resources: cores, and the folder for compiled code.

    Raises:
        ConfigError: a parameter is none of the model's, or derivatives along it are not known.
    """

    def __init__(
        self,
        config: Config,
        study: Path,
        parameters: Parameters,
        measurements: Measurements,
        resources: Resources,
    ):
        self.parameters, self.measurements, self._resources = parameters, measurements, resources
        #: Conditions under which something was measured, and the place of each of the design's.
        used = sorted({group.condition for group in measurements.groups})
        self._place = {number: place for place, number in enumerate(used)}
        #: When something is measured; saved, with nothing else.
        self.times = sorted({float(t) for group in measurements.groups for t in group.times})
        self.config = _measuring(config, measurements, self.times)
        if config.records is not None:  # whose times are read too
            self.times = solve_times(self.config)
        conditions = [measurements.conditions[number] for number in used]
        self._study = study
        self._linear: list[str] = []
        self._model = load_model(config.model, study)
        self.axes = Axes(config.model, by_subject(config), self._model, parameters, used)
        self._before = Before(self.config, self._model, parameters, conditions, resources)
        varied = [*self.axes.names, *self._model.declared.states]
        self._at_rest = (
            Measured(self.config, self._model, varied, resources)
            if math.isinf(self.times[-1])
            else None
        )
        self._check()

    def __call__(self, theta: Vectors, slopes: bool = False) -> Simulated:
        """Simulates vectors, with derivatives if asked for; one that fails stops no other.

        Arguments:
            theta: the vectors, on the scales of the parameters.
            slopes: whether to differentiate along them.

        Returns:
            What is simulated at every measurement.
        """
        values = self.parameters.values(theta)
        columns = self.axes.columns(values)
        built = self._plain if not slopes else self._parts[0]
        solved, ending = self._solved(built, values, columns)
        for part in self._parts[1:] if slopes else ():
            more, ending_too = self._solved(part, values, columns)
            solved, ending = more | solved, ending | ending_too
        result = self._at_measurements(solved, columns, ending)
        if not slopes:
            return self._with_linear_slopes(result, solved) if self._linear else result
        chains = self.axes.chains(columns)
        return self._with_slopes(result, solved, columns, chains, self.parameters.slopes(values))

    def _solved(
        self, built: Built, values: Vectors, columns: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, np.ndarray], Ending]:
        """Variables by name, (vector, condition, time), and what became of the vectors."""
        shape = next(iter(columns.values())).shape
        columns = {**columns, **self.axes.start_slopes(built.model, columns)}
        status, before = np.zeros(shape, np.int8), np.zeros(len(values), bool)
        after = before
        if self._before:
            columns, before = self._before.started(built, values, columns)
        axes = {name: x.ravel() for name, x in columns.items()}
        lanes = built.lanes(axes, self._resources)
        solved = {name: np.empty((lanes.size, 0)) for name in built.problem.variables}
        if math.isfinite(self.times[0]):
            solution = solve(built.problem, lanes, built.engine, self._resources)
            solved = dict(solution.values)
            status = solution.status.reshape(shape)
        if self._at_rest is not None:
            found, never = self._at_rest(built, axes, lanes)
            after = np.asarray(never.reshape(shape).any(axis=1))
            solved = {name: np.column_stack([x, found[name]]) for name, x in solved.items()}
        solved = {name: x.reshape(*shape, -1) for name, x in solved.items()}
        return solved, Ending(status, before, after)

    def differentiate(self, linear: list[str]) -> None:
        """Has derivatives along these parameters, which observables alone read, in every solve."""
        self._linear = linear
        self.__dict__.pop("_plain", None)

    @cached_property
    def _plain(self) -> Built:
        return self._along([], {name: self.resting[name] for name in self._linear})

    @cached_property
    def _parts(self) -> list[Built]:
        """Solves that together have all derivatives, each those along some of the directions."""
        states = len(self._model.components)
        number = math.ceil(len(self.directions) * states / max(_MOST_STATES - states, states)) or 1
        parts = [self.directions[i::number] for i in range(number)]
        return [self._along(axes, {} if i else self.resting) for i, axes in enumerate(parts)]

    def _along(self, axes: list[str], resting: Mapping[str, list[str]]) -> Built:
        saveat = self.config.saveat.model_copy(update={"sensitivities": axes or None})
        config = self.config.model_copy(update={"saveat": saveat})
        model = with_observable_derivatives(augmented(config, self._model), self._model, resting)
        return build_augmented(config, model, self.axes.names)

    @cached_property
    def directions(self) -> list[str]:
        """What states are differentiated along: parameters and initial values of the model."""
        declared = self._model.declared
        known = [*declared.parameters, *declared.states]
        moved = [name for name in known if name in self.axes.moving and name not in self._added]
        computed = [name for name in self.axes.computed if name in declared.parameters]
        return list(dict.fromkeys([*moved, *computed, *self._before.deciding]))

    @cached_property
    def resting(self) -> dict[str, list[str]]:
        """Parameters that no state depends on, and the measured variables that read them."""
        observables = self.config.model.observables
        formulas = observables.formulas if observables else {}
        words = {name: set(re.findall(r"\w+", text)) for name, text in formulas.items()}
        measured = [name for name in self.measurements.variables if name in words]
        found = {
            axis: [name for name in measured if axis in words[name]]
            for axis in self._added
            if axis in self.axes.moving and axis not in self._before.deciding
        }
        return {axis: names for axis, names in found.items() if names}

    @property
    def _added(self) -> list[str]:
        """Parameters that are not in the model's file, and that no change of states reads."""
        model = self.config.model
        texts = [text for one in model.changes for text in one.formulas.values()]
        read = {word for text in texts for word in re.findall(r"\w+", text)}
        return [name for name, one in model.parameters.items() if one.added and name not in read]

    @property
    def engine(self) -> EngineChoice:
        """The engine that gives values."""
        return self._plain.engine

    @property
    def runs(self) -> int:
        """Lanes of a vector: the conditions under which something was measured."""
        return len(self._place)

    def _check(self) -> None:
        fast = {*self._model.declared.states} <= {*self.axes.computed} and self.axes.computed
        if fast and all(len(of) > len(self._model.declared.states) for of in fast.values()):
            raise ConfigError(
                "analyse.estimate: the model has fast reactions, which start in an equilibrium "
                "that depends on what is estimated, and derivatives leave that out; write slow "
                "reactions, or the equilibrium itself"
            )
        arrays = {name for name, state in self._model.declared.states.items() if state.shape}
        for name in (*self.parameters.names, *self.measurements.variables):
            if name in arrays:
                raise ConfigError(
                    f"analyse.estimate: {name} is an array; a scalar state or an observable of one "
                    "of its components is needed"
                )

    def _at_measurements(
        self,
        solved: Mapping[str, np.ndarray],
        columns: Mapping[str, np.ndarray],
        ending: Ending,
    ) -> Simulated:
        failed = ending.failed
        shape = (len(failed), self.measurements.number)
        values, noise = np.empty(shape), np.empty(shape)
        for group in self.measurements.groups:
            values[:, group.rows] = self._at(solved, group, group.variable)
            noise[:, group.rows] = _noise(group, self._known(solved, columns, group))
        return Simulated(values, noise, failed | ~np.isfinite(values).all(axis=1), ending)

    def _with_linear_slopes(
        self, simulated: Simulated, solved: Mapping[str, np.ndarray]
    ) -> Simulated:
        slopes = np.zeros((*simulated.values.shape, self.parameters.size))
        for name, (variable, axis) in self._plain.model.derivatives.items():
            for group in self.measurements.groups:
                if group.variable == variable:
                    number = self.parameters.names.index(axis)
                    slopes[:, group.rows, number] = self._at(solved, group, name)
        return replace(simulated, linear_slopes=slopes)

    def _with_slopes(
        self,
        simulated: Simulated,
        solved: Mapping[str, np.ndarray],
        columns: Mapping[str, np.ndarray],
        chains: list[Chain],
        scales: Vectors,
    ) -> Simulated:
        shape = (*simulated.values.shape, self.parameters.size)
        of_values, of_noise = np.zeros(shape), np.zeros(shape)
        along_quantity: dict[str, list[tuple[str, str]]] = {}
        for part in self._parts:
            for name, (variable, quantity) in part.model.derivatives.items():
                if name in solved:
                    along_quantity.setdefault(variable, []).append((name, quantity))

        def moved(group: Group, variable: str) -> np.ndarray:
            """The derivatives of a variable along the parameters' values."""
            result = np.zeros((shape[0], len(group.rows), shape[2]))
            chain = chains[self._place[group.condition]]
            for name, quantity in along_quantity.get(variable, ()):
                for p, factor in chain.get(quantity, ()):
                    speed = self._at(solved, group, name)
                    result[:, :, p] += speed * np.reshape(factor, (-1, 1))
            return result

        for group in self.measurements.groups:
            of_values[:, group.rows] = moved(group, group.variable)
            known = self._known(solved, columns, group)
            noise = lambda given, group=group: _noise(group, given)
            for name in group.states:
                speed = np.broadcast_to(along(noise, known, name), known[name].shape)
                of_noise[:, group.rows] += speed[:, :, None] * moved(group, name)
            for name in group.columns:
                for p, factor in chains[self._place[group.condition]].get(name, ()):
                    speed = along(noise, known, name) * np.reshape(factor, (-1, 1))
                    of_noise[:, group.rows, p] += speed
        of_values *= scales[:, None, :]
        of_noise *= scales[:, None, :]
        return replace(simulated, value_slopes=of_values, noise_slopes=of_noise)

    def _known(
        self, solved: Mapping[str, np.ndarray], columns: Mapping[str, np.ndarray], group: Group
    ) -> dict[str, Any]:
        """What the noise formula of a group reads."""
        known: dict[str, Any] = {TIME: group.times, **group.constants}
        known |= {name: self._at(solved, group, name) for name in group.states}
        return known | {
            name: columns[name][:, self._place[group.condition], None] for name in group.columns
        }

    def _at(self, solved: Mapping[str, np.ndarray], group: Group, name: str) -> Table:
        at = np.searchsorted(self.times, group.times)  # they are among these
        return solved[name][:, self._place[group.condition], at]


def _noise(group: Group, known: Mapping[str, Any]) -> Any:
    return evaluate(group.noise, known, np)[NOISE]


def _measuring(config: Config, measurements: Measurements, times: list[float]) -> Config:
    """The config that saves what is measured, when it is, and nothing else."""
    states = [name for group in measurements.groups for name in group.states]
    kept = list(dict.fromkeys([*measurements.variables, *states]))
    times = [t for t in times if math.isfinite(t)] or [config.model.t0]
    saveat = config.saveat.model_copy(
        update={"ts": times, "variables": kept, "sensitivities": None}
    )
    none = SummaryConfig.model_validate({"metrics": []})
    model = config.model
    if times[-1] > model.t0 and config.records is None:
        model = model.model_copy(update={"t1": times[-1]})
    solver = config.solver.model_copy(update={"reject_drift": False})  # which judges trajectories
    design = config.design
    if design.records is not None:  # effects are zero, of occasions too
        records = design.records.model_copy(update={"by_occasion": []})
        design = design.model_copy(update={"records": records})
    changed = {
        "design": design,
        "saveat": saveat,
        "summary": none,
        "model": model,
        "solver": solver,
    }
    return config.model_copy(update=changed).in_study(config.study)
