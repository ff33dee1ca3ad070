"""What reports and plots show of a task, as observables, saved variables and figures."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from odeflow.config.base import check_variable_name
from odeflow.files.plain_text import without_hidden
from odeflow.files.xml_tree import Element
from odeflow.importers.expressions.expression import TIME
from odeflow.importers.sbml.mathml import MathError
from odeflow.importers.sbml.naming import free_name
from odeflow.importers.sbml.system import System
from odeflow.importers.sedml.document import SedmlFile, given, identifier_of, listed, named
from odeflow.importers.sedml.formulas import formula, is_time, reads_alone, variables_of
from odeflow.importers.sedml.models import SedmlModel, quantity_of

#: Attributes of a variable that is computed of several values or quantities.
_OF_SEVERAL = ("term", "dimensionTerm", "target2", "symbol2")


@dataclass
class Shown:
    """What is kept of a task, by the names that outputs give it.

    `formulas` are those of what is computed of several quantities, or called otherwise than the
    model calls it; `labels` has what is kept, and its long name where outputs give one, `units`
    those known of formulas.
    """

    formulas: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    plot: dict[str, Any] = field(default_factory=dict)


def shown_by(
    file: SedmlFile,
    document: Element,
    task: str,
    model: SedmlModel,
    system: System,
    axes: Iterable[str],
) -> Shown:
    """What the document's outputs show of a task, the axes of its design apart.

    Other tasks' data are not looked at; what cannot be shown is left out with a warning.
    """
    reader = _Reader(file, document, task, model, system)
    reader.coordinates |= {*axes}
    return reader.read()


class _Reader:
    def __init__(
        self, file: SedmlFile, document: Element, task: str, model: SedmlModel, system: System
    ) -> None:
        self._file, self._document, self._task = file, document, task
        self._model, self._system = model, system
        self.coordinates = {TIME}  # which the dataset has anyway
        self._shown = Shown()
        self._names: dict[str, str | None] = {}  # by generator; None: left out, or another task's
        self._taken = {*system.values, *system.assigned}

    def read(self) -> Shown:
        outputs = listed(self._document, "listOfOutputs")
        for data in (x for output in outputs for x in listed(output, "listOfDataSets")):
            label = data.attributes.get("label") or data.attributes.get("name", "")
            self._keep(data, given(self._file, data, "dataReference"), label)
        plots = [x for x in outputs if x.name == "plot2D"]
        for output in outputs:
            if output.name not in ("plot2D", "report"):
                self._leave_out(output, "it is drawn in no way that there is here")
        self._shown.plot = self._plot([(x, y) for x in plots for y in listed(x, "listOfCurves")])
        return self._shown

    def _plot(self, curves: list[tuple[Element, Element]]) -> dict[str, Any]:
        """The `plot` group of all plots with their curves, as far as these are over time."""
        variables: dict[str, bool] = {}
        log_time = []
        for plot, curve in curves:
            x = given(self._file, curve, "xDataReference")
            name = self._keep(curve, given(self._file, curve, "yDataReference"), "")
            if name is None:
                continue
            if not self._is_time(x):
                self._leave_out(curve, "its x is not the time; ask for plot.figures yourself")
                continue
            variables[name] = variables.get(name, False) or _is_log(plot, curve, "Y")
            log_time.append(_is_log(plot, curve, "X"))
        if not variables:
            return {}
        filled: dict[str, Any] = {"variables": list(variables)}
        logarithmic = {name: "log" for name, is_log in variables.items() if is_log}
        filled |= {"scale": logarithmic} if logarithmic else {}
        return filled | ({"log_time": True} if all(log_time) else {})

    def _is_time(self, generator: str) -> bool:
        found = self._generator(generator, None)
        alone = reads_alone(found)
        return any(identifier_of(x) == alone and is_time(x) for x in variables_of(found))

    def _generator(self, identifier: str, by: Element | None) -> Element:
        generators = listed(self._document, "listOfDataGenerators")
        return named(self._file, generators, identifier, "dataGenerator", by)

    def _keep(self, by: Element, identifier: str, label: str) -> str | None:
        """The name of what a generator gives; None where it is a coordinate, or not kept."""
        generator = self._generator(identifier, by)
        if identifier not in self._names:
            self._names[identifier] = None
            if self._is_of_task(generator):
                try:
                    self._names[identifier] = self._named(generator, label)
                except MathError as error:
                    self._leave_out(generator, str(error))
        return self._names[identifier]

    def _is_of_task(self, generator: Element) -> bool:
        tasks = {x.attributes.get("taskReference", "") for x in variables_of(generator)} - {""}
        if self._task in tasks and len(tasks) > 1:
            self._leave_out(generator, f"it is of several tasks: {', '.join(sorted(tasks))}")
        return tasks == {self._task}

    def _named(self, generator: Element, label: str) -> str | None:
        names = dict(self._quantities(generator))
        alone = names.get(reads_alone(generator) or "")
        if alone in self.coordinates - {*self._system.rates}:
            return None
        label = without_hidden(label or generator.attributes.get("name", ""))
        own = alone if alone in self._own else None
        wanted = label if _is_name(label) else own or identifier_of(generator)
        if wanted == own:
            self._shown.labels[wanted] = label
            return wanted
        name = free_name(wanted, self._taken)
        self._taken.add(name)
        self._shown.formulas[name] = formula(self._file, generator, names)
        self._shown.labels[name] = label
        if alone is not None:
            self._shown.units[name] = self._system.labels[alone].units
        return name

    @property
    def _own(self) -> set[str]:
        """What the dataset has without being asked: states, and what rules assign."""
        return {*self._system.rates, *self._system.observables}

    def _quantities(self, generator: Element) -> Iterator[tuple[str, str]]:
        """The names in the model of a generator's variables."""
        system = self._system
        for variable in variables_of(generator):
            has, name = variable.attributes, identifier_of(variable)
            if any(has.get(x) for x in _OF_SEVERAL):
                raise MathError(f"the variable {name!r} is not a value at each time")
            if is_time(variable):
                yield name, TIME
            elif has.get("symbol"):
                raise MathError(f"the symbol {has['symbol']} is not known")
            else:
                known = {**system.values, **system.assigned}
                found = quantity_of(self._file, variable, self._model.root, system.ids, known)
                yield name, found

    def _leave_out(self, element: Element, why: str) -> None:
        what = f"{element.name} {identifier_of(element) or f'of line {element.line}'}"
        text = f"{self._file.key}: {self._file.name}: left out: {what}: {why}"
        warnings.warn(text, stacklevel=4)


def _is_log(plot: Element, curve: Element, axis: str) -> bool:
    """Whether an axis is logarithmic, which a curve says, and in version 4 its plot."""
    if curve.attributes.get(f"log{axis}") in ("true", "1"):
        return True
    axes = (x for x in plot.children if x.name == f"{axis.lower()}Axis")
    return any(x.attributes.get("type", "").startswith("log") for x in axes)


def _is_name(label: str) -> bool:
    try:
        check_variable_name(label)
    except ValueError:
        return False
    return True
