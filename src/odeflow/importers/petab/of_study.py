"""The PEtab problem of a study, with what it means in its model."""

from pathlib import Path

from odeflow.config.root import Config
from odeflow.files.digests import digest
from odeflow.importers.petab.meaning import Meaning
from odeflow.importers.petab.plan import planned
from odeflow.importers.petab.problem import read_problem
from odeflow.importers.petab.tables import mistake
from odeflow.importers.sbml.config import read_system
from odeflow.importers.sbml.source import model_source


def read_meaning(file: str, study: Path) -> Meaning:
    """The problem of a YAML file with its model; raises ConfigError as reading both does."""
    problem = read_problem(file, study)
    source = model_source({"sbml": problem.sbml}, study)
    assert source is not None
    meaning = Meaning(problem, read_system(source))
    if problem.conditions:
        return meaning
    plan = planned(meaning, meaning.number)
    added = [*(meaning.names[x] for x in meaning.added), meaning.number]
    system = read_system(source, plan.changes, tuple(added)) if plan.changes else meaning.system
    changed = Meaning(plan.problem, system, plan.changes, plan.numbers)
    if (changed.names, changed.number) != (meaning.names, meaning.number):
        raise mistake(file, "parameters are called as what changes in the model; rename them")
    return changed


def measurements_digest(config: Config, study: Path) -> str | None:
    """Digest of all that the problem's files add to a summary; None where there are none.

    That is the rows of all of its tables and the text of its model, in which their ids are looked
    up, whatever the files are called and however they are laid out.
    """
    if config.design.petab is None:
        return None
    problem = read_problem(config.design.petab, study)
    source = model_source({"sbml": problem.sbml}, study)
    records = [
        *problem.measurements,
        *problem.observables.values(),
        *problem.conditions.values(),
        *problem.parameters.values(),
        *problem.settings,
        *(period for one in problem.experiments.values() for period in one.all_periods),
    ]
    return digest([record.row.cells for record in records], source and source.text)
