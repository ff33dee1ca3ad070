"""What the ids of a PEtab problem are in its model: names of the dataset, formulas over them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from odeflow.design import CONDITION, PARAMETER_SET
from odeflow.importers.petab.formulas import renamed
from odeflow.importers.petab.measurements import Measurement
from odeflow.importers.petab.records import PetabProblem
from odeflow.importers.petab.tables import TableRow, as_number
from odeflow.importers.sbml.changes import Change
from odeflow.importers.sbml.naming import free_name
from odeflow.importers.sbml.system import System
from odeflow.problem.axis_names import initial_name

#: Names that the datasets of such a study need.
_RESERVED = (CONDITION, PARAMETER_SET, "log_likelihood", "measurement")


@dataclass(frozen=True)
class Output:
    """A variable of the dataset: an observable, with what stands for its placeholders."""

    variable: str
    observable: str
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Meaning:
    """A problem and its model.

    `changes` are what its experiments change in the model beside what conditions set, and `numbers`
    those of the experiments by condition, where there are changes.
    """

    problem: PetabProblem
    system: System
    changes: tuple[Change, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def number(self) -> str:
        """The name of the parameter that has the experiment's number."""
        return free_name("experiment", {*self._taken, *self.names.values()})

    @cached_property
    def names(self) -> dict[str, str]:
        """The dataset's name of every parameter of the table, by id."""
        names = {id_: self.system.ids[id_] for id_ in self.problem.parameters if self._has(id_)}
        for identifier in self.added:
            names[identifier] = free_name(identifier, {*self._taken, *names.values()})
        return names

    @property
    def added(self) -> list[str]:
        """Ids of the parameters that the model does not have."""
        return [identifier for identifier in self.problem.parameters if not self._has(identifier)]

    @cached_property
    def outputs(self) -> list[Output]:
        """The observables, each as often as it has different overrides."""
        found = []
        taken = {*self._taken, *self.names.values()}
        for identifier, observable in self.problem.observables.items():
            measured = [m for m in self.problem.measurements if m.observable == identifier]
            used = list(dict.fromkeys(m.observable_parameters for m in measured))
            if not used and not observable.observable_placeholders:
                used = [()]
            for number, overrides in enumerate(used, 1):
                wanted = identifier if len(used) == 1 else f"{identifier}_{number}"
                output = Output(free_name(wanted, taken), identifier, overrides)
                taken.add(output.variable)
                found.append(output)
        return found

    def output_of(self, measurement: Measurement) -> Output:
        """The variable that a measurement is of."""
        key = (measurement.observable, measurement.observable_parameters)
        return next(x for x in self.outputs if (x.observable, x.overrides) == key)

    @cached_property
    def conditions(self) -> dict[str, tuple[str, str | None]]:
        """By name, the condition of a study and what it is at rest under before; those in use.

        A name is that of the simulation condition; with what came before where that differs.
        """
        listed = self.problem.pairs
        alone = [condition for condition, _ in listed]
        return {self._condition_name(pair, alone.count(pair[0]) > 1): pair for pair in listed}

    def _condition_name(self, pair: tuple[str, str | None], is_shared: bool) -> str:
        condition, before = pair
        return f"{before}.{condition}" if is_shared and before is not None else condition

    def formula(self, output: Output) -> str:
        """The formula of a variable over names of the dataset and the model's ids."""
        observable = self.problem.observables[output.observable]
        return renamed(observable.formula, self._replacements(output))

    def noise_formula(self, output: Output, placeholders: Mapping[str, str]) -> str:
        """The formula of its noise; `placeholders` are what noise placeholders stand for."""
        observable = self.problem.observables[output.observable]
        own = {} if self._has(output.observable) else {output.observable: output.variable}
        given = {name: self.stands_for(text) for name, text in placeholders.items()}
        return renamed(observable.noise, own | self._replacements(output) | given)

    def _replacements(self, output: Output) -> dict[str, str]:
        placeholders = self.problem.observables[output.observable].observable_placeholders
        given = dict(zip(placeholders, map(self.stands_for, output.overrides)))
        return {id_: self.names[id_] for id_ in self.added} | given

    def stands_for(self, override: str) -> str:
        """A number or a parameter's id, as it stands in a formula."""
        if as_number(override) is not None:
            return f"({override})"
        return self.names.get(override, override)

    def places_of_parameters(self) -> Iterator[tuple[TableRow, str, str]]:
        """Row, column and id of each parameter that the measurement table names."""
        for one in self.problem.measurements:
            for column in ("observableParameters", "noiseParameters"):
                for part in one.row.cells.get(column, "").split(";"):
                    if part.strip() and one.row.has(column) and as_number(part) is None:
                        yield one.row, column, part.strip()

    def _has(self, identifier: str) -> bool:
        return identifier in self.system.ids

    @property
    def _taken(self) -> set[str]:
        system = self.system
        set_at_start = {system.ids.get(one.target, one.target) for one in self.problem.settings}
        if any(before is not None for _, before in self.problem.pairs):
            set_at_start |= {*system.rates}
        starts = {initial_name(name) for name in set_at_start}
        return {*system.ids.values(), *system.values, *system.assigned, *starts, *_RESERVED}
