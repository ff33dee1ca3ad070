"""A task taken apart: which model, which simulation, and the repetitions around it as axes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from odeflow.config.levels import MOST_LEVELS
from odeflow.config.validate import nearest
from odeflow.files.xml_tree import Element
from odeflow.importers.sbml.system import System
from odeflow.importers.sedml.document import (
    SedmlFile,
    given,
    identifier_of,
    listed,
    named,
    read_document,
    sedml_files,
)
from odeflow.importers.sedml.formulas import number, variables_of
from odeflow.importers.sedml.models import (
    SedmlModel,
    quantity_of,
    source_file,
    target_of,
    variable_in,
)
from odeflow.importers.sedml.ranges import ranges_of


@dataclass(frozen=True)
class TaskPlan:
    """A task: the repeated tasks from the outermost in, and the task within them."""

    repeated: tuple[Element, ...]
    task: Element

    @property
    def identifier(self) -> str:
        """The id of the outermost one, which is that of the data."""
        return identifier_of((*self.repeated, self.task)[0])


def tasks_to_run(document: Element) -> list[str]:
    """The tasks that outputs show; where there are none, those that are in no other task."""
    outputs = listed(document, "listOfOutputs")
    seen = {value for output in outputs for x in output.descendants() for value in _references(x)}
    shown = {
        variable.attributes.get("taskReference")
        for generator in listed(document, "listOfDataGenerators")
        for variable in variables_of(generator)
        if identifier_of(generator) in seen
    }
    tasks = listed(document, "listOfTasks")
    inner = {x.attributes.get("task") for task in tasks for x in listed(task, "listOfSubTasks")}
    known = [identifier_of(task) for task in tasks]
    return [x for x in known if x in shown] or [x for x in known if x not in inner]


def _references(element: Element) -> list[str]:
    return [
        value
        for name, value in element.attributes.items()
        if name.endswith("DataReference") or name == "dataReference"
    ]


def every_task(model: Mapping[str, Any], study: Path) -> list[tuple[SedmlFile, str, list[str]]]:
    """Every task to run of the SED-ML files that a `model` group names, its file and its models.

    Raises ConfigError where there is none.
    """
    found = []
    for file in sedml_files(model, study):
        document = read_document(file)
        models = sorted({source_file(file, document, x) for x in listed(document, "listOfModels")})
        tasks = tasks_to_run(document)
        if not tasks:
            raise file.mistake("no task in it, so nothing to do")
        found += [(file, task, models) for task in tasks]
    return found


def plan_of(file: SedmlFile, document: Element, wanted: str | None) -> TaskPlan:
    """The task that is wanted, or the only one; raises ConfigError that lists those there are."""
    tasks = {identifier_of(x): x for x in listed(document, "listOfTasks")}
    if wanted is None:
        found = tasks_to_run(document)
        if len(found) != 1:
            what = f"several tasks: {', '.join(found)}; choose one by model.task"
            raise file.mistake(what if found else "no task in it, so nothing to do")
        wanted = found[0]
    elif wanted not in tasks:
        raise file.mistake(f"model.task: no task {wanted!r}{nearest(wanted, tasks)}")
    task, repeated = tasks[wanted], []
    while task.name != "task":
        if task.name != "repeatedTask":
            raise file.mistake(f"{task.name} is not supported", task)
        if task in repeated:
            circle = " -> ".join(identifier_of(x) for x in (*repeated, task))
            raise file.mistake(f"tasks that are within each other: {circle}", task)
        repeated.append(task)
        task = named(file, tasks.values(), _subtask(file, task), "task", task)
    return TaskPlan(tuple(repeated), task)


def _subtask(file: SedmlFile, task: Element) -> str:
    """The id of the only task within a repeated one."""
    subtasks = listed(task, "listOfSubTasks")
    where = f"the repeated task {identifier_of(task)!r}"
    if len(subtasks) != 1:
        what = f"{where} has {len(subtasks)} subtasks; one is supported, make a task of each"
        raise file.mistake(what, task)
    if listed(subtasks[0], "listOfChanges"):
        raise file.mistake(f"{where} changes values in its subtask; do so in itself", task)
    if task.attributes.get("resetModel") not in ("true", "1"):
        what = f"{where} has resetModel false: each iteration would begin where one ended"
        raise file.mistake(f"{what}; trajectories do not depend on others, so reset it", task)
    return given(file, subtasks[0], "task")


def design_of(
    file: SedmlFile, plan: TaskPlan, model: SedmlModel, system: System
) -> dict[str, Any] | None:
    """The `design` group of the repetitions; None where nothing is repeated.

    A grid, where each repeated task sets one quantity; else all their rows, as a zip.
    """
    levels = [_level(file, task, model, system) for task in plan.repeated]
    levels = [level for level in levels if level]
    names = [name for level in levels for name in level]
    for name in names:
        if names.count(name) > 1:
            raise file.mistake(f"{name} is set by two of the repeated tasks; keep one of them")
    rows = math.prod(len(next(iter(level.values()))) for level in levels)
    if rows > MOST_LEVELS:
        raise file.mistake(f"{rows:,} iterations; at most {MOST_LEVELS:,} are supported")
    if not names:
        return None
    if all(len(level) == 1 for level in levels):
        axes = {name: values for level in levels for name, values in level.items()}
        return {"kind": "grid", "axes": _axes(axes)}
    together = list(product(*(range(len(next(iter(x.values())))) for x in levels)))
    axes = {
        name: [values[row[i]] for row in together]
        for i, level in enumerate(levels)
        for name, values in level.items()
    }
    return {"kind": "zip", "axes": _axes(axes)}


def _axes(values: Mapping[str, list[float]]) -> dict[str, Any]:
    return {name: {"values": given} for name, given in values.items()}


def _level(
    file: SedmlFile, task: Element, model: SedmlModel, system: System
) -> dict[str, list[float]]:
    """The values that one repeated task gives quantities, by name, for each iteration."""
    changes = listed(task, "listOfChanges")
    targets = [_axis(file, change, model, system) for change in changes]
    elements = {id(target_of(file, change, model.root)[1]) for change in changes}

    def value(variable: Element) -> float:
        _, element = target_of(file, variable, model.root)
        if id(element) in elements:
            what = f"{variable.attributes['target']} is set by the repeated task that reads it"
            raise file.mistake(f"{what}; compute with the range", variable)
        return variable_in(file, variable, model.root)

    ranges = ranges_of(file, task, value)
    number_of = len(ranges[given(file, task, "range")])
    level: dict[str, list[float]] = {}
    for name, change in zip(targets, changes):
        known = [{x: values[i] for x, values in ranges.items()} for i in range(number_of)]
        level[name] = [number(file, change, row, value) for row in known]
    return level


def _axis(file: SedmlFile, change: Element, model: SedmlModel, system: System) -> str:
    """The name of what a setValue sets: a parameter, or a state at the start."""
    if change.attributes.get("symbol"):
        raise file.mistake("setValue: a symbol cannot be set, but what a target names", change)
    name = quantity_of(file, change, model.root, system.ids, {**system.values, **system.assigned})
    if name not in system.values:
        what = "the model computes it, by a rule or in a compartment that changes"
        raise file.mistake(f"setValue: {name}: {what}; set what it is made of", change)
    return name
