"""Models in SBML of the project's own: some of those that its page of SBML is made from."""

import tempfile
from functools import partial
from pathlib import Path

from odeflow.config.validate import validate
from odeflow.importers.sbml.config import imported_model
from odeflow.problem.problem import Lanes, Problem
from tests.corpus.case import Case, built
from tests.support.sbml_features import FEATURES

#: Names of features.
NAMES = (
    "a size that changes by a rate rule",
    "a size that an assignment rule sets",
    "stoichiometries that rules or initial assignments set",
    "stoichiometries that rate rules change",
    "fast ones, in equilibrium at all times",
    "that make triggers true or false at the same time",
    "values that wait for the delay, or are those after it",
    "not `persistent`: forgotten where the trigger is false within the delay",
    "equal priorities: the order is drawn, the same in each trajectory",
    "assignments to parameters and compartments, which become states",
    "models of models: the package `comp`",
    "trigonometric functions",
    "`piecewise`",
)
_TS = [0.0, 0.5, 1.0, 1.7, 2.5, 4.0]


def cases() -> list[Case]:
    """One for each name."""
    return [Case(f"sbml: {name}", partial(_made, name)) for name in NAMES]


def _made(name: str) -> tuple[Problem, Lanes]:
    (model,) = (feature.model for feature in FEATURES if feature.name == name)
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder)
        (study / "model.xml").write_text(model, encoding="utf-8")
        config = {
            "name": "sbml",
            "model": imported_model({"sbml": "model.xml", "t1": _TS[-1]}, study),
            "design": {"kind": "grid", "axes": {}},
            "solver": {"rtol": 1e-6, "atol": 1e-9},
            "saveat": {"ts": _TS},
        }
        return built(validate(config).in_study(study))
