"""A PEtab problem as records, whichever version of the format its files have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from odeflow.importers.petab.conditions import Condition, Setting
from odeflow.importers.petab.experiments import Experiment
from odeflow.importers.petab.measurements import Measurement
from odeflow.importers.petab.observables import Observable
from odeflow.importers.petab.parameters import PetabParameter


@dataclass(frozen=True)
class PetabProblem:
    """A PEtab problem: its tables' records by id, in the order of the files.

    `sbml` is the model's file relative to the study, `columns` are the ids that conditions set.
    `pairs` are the conditions to simulate, each with what it is at rest under before, and
    `settings` all cells that set something. Version 2 has `experiments`, which begin at `start`;
    what their conditions set becomes `conditions` when the model is known.
    """

    file: str
    sbml: str
    parameters: Mapping[str, PetabParameter]
    conditions: Mapping[str, Condition]
    columns: list[str]
    observables: Mapping[str, Observable]
    measurements: list[Measurement]
    pairs: Sequence[tuple[str, str | None]]
    settings: Sequence[Setting]
    experiments: Mapping[str, Experiment] = field(default_factory=dict)
    start: float = 0.0
