"""How the experiments of version 2 are simulated: by conditions, and by changes in the model.

What an experiment sets where it begins, to a number or a parameter of the table, is set by a
condition as in version 1. Everything else is a change in the model (`model.changes`): formulas,
what only some experiments set while the model computes it in the others, and later periods.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from odeflow.importers.petab.conditions import Condition, ConditionSetting
from odeflow.importers.petab.experiments import PetabExperiment
from odeflow.importers.petab.formulas import renamed, words
from odeflow.importers.petab.meaning import Meaning
from odeflow.importers.petab.records import PetabProblem
from odeflow.importers.petab.tables import as_number
from odeflow.importers.petab.version2 import before
from odeflow.importers.sbml.changes import ModelChange
from odeflow.importers.sbml.system import System


@dataclass(frozen=True)
class ExperimentPlan:
    """The problem with its conditions, and what changes beside them.

    `numbers` are those of the experiments by condition, negative before they begin, empty where
    nothing else changes.
    """

    problem: PetabProblem
    changes: tuple[ModelChange, ...]
    numbers: Mapping[str, int]


def planned(meaning: Meaning, by: str) -> ExperimentPlan:
    """The plan for a problem of version 2.

    Arguments:
        meaning: the problem with the model as its file has it.
        by: the name of the parameter that is to have the experiment's number.

    Raises:
        ConfigError: what is set is not in the model, or a formula cannot be read: names file, row
            and column.
    """
    problem = meaning.problem
    _check_targets(meaning)
    kinds = _Kinds(meaning)
    kinds.check_values()
    conditions: dict[str, Condition] = {}
    changes: list[ModelChange] = []
    numbers: dict[str, int] = {}
    for number, (name, one) in enumerate(problem.experiments.items(), 1):
        first = {x: setting for x, setting in one.first.items() if x in kinds.plain}
        if one.before is not None:
            conditions[before(name)] = Condition(one.row, first)
            numbers[before(name)] = -number
        anew = {x: s for x, s in one.after_rest.items() if x not in kinds.later}
        was_before = frozenset(first) - frozenset(anew) if one.before else frozenset()
        conditions[name] = Condition(one.row, first | anew, was_before)
        numbers[name] = number
        parts = [(None, {x: s for x, s in one.first.items() if x not in kinds.plain})]
        rested = {x: setting for x, setting in one.after_rest.items() if x in kinds.later}
        parts += [(problem.start, rested)] if rested else []  # type: ignore[list-item]
        parts += [(x.time, dict(x.settings)) for x in one.periods[1:]]  # type: ignore[misc]
        changes += [
            ModelChange(by, number, time, _formulas(meaning, values))
            for time, values in parts
            if values
        ]
    for name, _ in problem.pairs:
        if name not in conditions:  # the model as it is
            row = problem.measurements[0].row
            conditions[name], numbers[name] = Condition(row, {}), 0
    columns = list(dict.fromkeys(x for one in conditions.values() for x in one.settings))
    filled = replace(problem, conditions=conditions, columns=columns)
    return ExperimentPlan(filled, tuple(changes), numbers if changes else {})


def _formulas(
    meaning: Meaning, values: Mapping[str, ConditionSetting]
) -> tuple[tuple[str, str], ...]:
    names = {x: meaning.names[x] for x in meaning.added}
    return tuple((target, renamed(one.text, names)) for target, one in values.items())


class _Kinds:
    """Which targets conditions set where experiments begin, and which change `later`.

    `plain` are the former. What changes later is a state from then on, and so is what has to
    change by an event at the start of what has been at rest.
    """

    def __init__(self, meaning: Meaning):
        self._meaning, self._system = meaning, meaning.system
        problem = meaning.problem
        self._experiments = list(problem.experiments.values())
        self._as_it_is = len(problem.pairs) > len(self._experiments)
        periods = [x for one in self._experiments for x in one.periods[1:]]
        self.later = {target for period in periods for target in period.settings}
        targets = {x for one in self._experiments for x in (*one.first, *one.after_rest)}
        self.plain = set(targets)
        while True:
            known = len(self.plain), len(self.later)
            self.plain = {x for x in self.plain if self._is_set_alike(x)}
            self.later |= {x for x in targets if self._is_event_after_rest(x)}
            if known == (len(self.plain), len(self.later)):
                return

    def check_values(self) -> None:
        """Raises ConfigError for what starts without a value in an experiment or without one."""
        system = self._system
        for one in self._experiments:
            for target, setting in one.first.items():
                name = system.ids[target]
                is_always = not self._as_it_is and all(target in x.first for x in self._experiments)
                has_none = name in system.values and system.values[name] is None
                if has_none and name not in system.initial and not is_always:
                    raise setting.row.mistake(
                        "targetId",
                        f"{target} has no value in the model; set it at every experiment's start",
                    )

    def _is_set_alike(self, target: str) -> bool:
        """Whether a number or a parameter of the table is its value at every start."""
        name, system = self._system.ids[target], self._system
        given = [one.first[target] for one in self._experiments if target in one.first]
        is_always = len(given) == len(self._experiments) and not self._as_it_is
        has_value = system.values.get(name) is not None and name not in system.initial
        return (
            name in system.values
            and (is_always or has_value)
            and all(map(self._is_simple, given))
            and not self._is_diluted(name)
        )

    def _is_event_after_rest(self, target: str) -> bool:
        given = [one.after_rest[target] for one in self._experiments if target in one.after_rest]
        if not given:
            return False
        return (
            target not in self.plain
            or not all(map(self._is_simple, given))
            or bool(self._concentrations_in(self._system.ids[target]))
            or self._starts_read(target)
        )

    def _is_simple(self, setting: ConditionSetting) -> bool:
        is_number = as_number(setting.text) is not None
        return is_number or setting.text in self._meaning.problem.parameters

    def _is_diluted(self, name: str) -> bool:
        """Whether it is a concentration in a compartment whose size changes later."""
        of = {self._system.ids[x] for x in self.later}
        return any(name in self._concentrations_in(compartment) for compartment in of)

    def _concentrations_in(self, compartment: str) -> list[str]:
        species = self._system.species.items()
        return [x for x, one in species if one.compartment == compartment and not one.is_amount]

    def _starts_read(self, target: str) -> bool:
        """Whether a parameter that is computed where an experiment begins reads it."""
        name, system = self._system.ids[target], self._system
        computed = system.dependencies().items()
        texts = [
            s.text for one in self._experiments for x, s in one.first.items() if x not in self.plain
        ]
        return any(name in read and x not in system.rates for x, read in computed) or any(
            target in words(text) for text in texts
        )


def _check_targets(meaning: Meaning) -> None:
    """What is set is in the model, and what to is a number or a formula over what is there."""
    from odeflow.importers.sbml.formulas import parse_formula, quantities
    from odeflow.importers.sbml.mathml import MathError

    problem, system = meaning.problem, meaning.system
    own = {x: meaning.names[x] for x in meaning.added}
    known = {**quantities(system, own.values()), **own}
    for setting in problem.settings:
        target = setting.target
        if target in problem.parameters:
            raise setting.row.mistake(
                "targetId", f"{target} is in the parameter table too; keep one of them"
            )
        setting.row.known("targetId", target, system.ids, f"a parameter, species or compartment "
                          f"of {problem.sbml}")  # fmt: skip
        if not _can_be_set(system, system.ids[target]):
            raise setting.row.mistake(
                "targetId", f"{problem.sbml} computes {target} by a rule; set what it is made of"
            )
        number = as_number(setting.text)
        if number is not None and number - number != 0:
            raise setting.mistake(f"{setting.text} is not supported; give a finite number")
        try:
            parse_formula(setting.text, known)
        except MathError as error:
            raise setting.mistake(str(error)) from None
    for one in problem.experiments.values():
        _check_start(one)
    for observable in problem.observables.values():
        for column in ("observablePlaceholders", "noisePlaceholders"):
            for name in observable.row.cells.get(column, "").split(";"):
                if name.strip() in known:
                    raise observable.row.mistake(
                        column, f"{name.strip()} is a quantity or a parameter; call it otherwise"
                    )


def _can_be_set(system: System, name: str) -> bool:
    """Whether it has a value of its own: states, parameters, concentrations of amounts held."""
    if name in system.algebraic:
        return False
    species = system.species.get(name)
    is_diluted = species is not None and not species.is_amount and name in system.assigned
    return name in system.values or (is_diluted and species.compartment not in system.parameters)  # type: ignore[union-attr]


def _check_start(one: PetabExperiment) -> None:
    """At the start no formula reads what is set beside it: nothing is there before."""
    for target, setting in one.first.items():
        if as_number(setting.text) is None:
            for other in sorted(words(setting.text) & ({*one.first} - {target})):
                raise setting.mistake(
                    f"reads {other}, which is set at the same start; write out what it is set to"
                )
