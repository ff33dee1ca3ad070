"""The models of `antimony/`: for odeflow, as SBML, and as a field of numbers or symbols."""

from functools import cache
from pathlib import Path
from typing import Any

from odeflow.config.model import ModelConfig
from odeflow.importers.loading import load_model
from odeflow.importers.sbml.config import imported_model
from odeflow.problem.model import Model

FOLDER = Path(__file__).parent / "antimony"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.ant")))


def imported(name: str, t1: float) -> Model:
    """The model as odeflow imports it."""
    data = imported_model({"name": name, "antimony": f"{name}.ant", "t1": t1}, FOLDER)
    return load_model(ModelConfig.model_validate(data), FOLDER)


def sbml(name: str) -> str:
    """Its SBML, by Antimony's library, for tools that read it."""
    import antimony

    antimony.clearPreviousLoads()
    if antimony.loadAntimonyFile(str(FOLDER / f"{name}.ant")) < 0:
        raise ValueError(antimony.getLastError())
    return antimony.getSBMLString(name)


@cache
def field(name: str) -> Any:
    """The derivatives as a function of `(t, y, p)`, as in `benchmarks.fields`.

    By libsbml's formulas; states and parameters are in odeflow's order.
    """
    import libsbml

    declared = imported(name, 1.0).declared
    model = libsbml.readSBMLFromString(sbml(name)).getModel()
    flows = {state: ["0.0"] for state in declared.states}
    lines = [f"{', '.join(declared.states)} = y", f"{', '.join(declared.parameters)} = p"]
    for number, reaction in enumerate(model.getListOfReactions()):
        rate = libsbml.formulaToL3String(reaction.getKineticLaw().getMath())
        lines.append(f"rate{number} = {rate}")
        for sign, references in (("-", reaction.reactants), ("+", reaction.products)):
            for reference in references:
                cell = model.getSpecies(reference.getSpecies()).getCompartment()
                flows[reference.getSpecies()].append(f"{sign} rate{number} / {cell}")
    for rule in model.getListOfRules():
        flows[rule.getVariable()] = [libsbml.formulaToL3String(rule.getMath())]
    slopes = ", ".join(" ".join(flow).removeprefix("0.0 + ") for flow in flows.values())
    namespace: dict[str, Any] = {}
    exec("\n    ".join(["def field(t, y, p):", *lines, f"return {slopes}"]), namespace)
    return namespace["field"]
