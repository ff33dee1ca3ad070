"""A simulation as a time span, saved times and a solver."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from odeflow.files.xml_tree import Element
from odeflow.importers.sedml.document import SedmlFile, given, listed, named, number_given
from odeflow.importers.sedml.kisao import solver_of

_TIMES = ("initialTime", "outputStartTime", "outputEndTime")


@dataclass(frozen=True)
class SimulatedTimes:
    """The span, the times to save (`saveat.ts`), and which algorithm is asked for.

    `solver` makes the `solver` group of it, and is called where nobody chose another method.
    """

    t0: float
    t1: float
    ts: Any
    algorithm: str | None
    solver: Callable[[], dict[str, Any]]
    is_steady: bool = False


def simulation_of(file: SedmlFile, document: Element, task: Element) -> SimulatedTimes:
    """What the simulation of a task says; raises ConfigError where it is of another kind."""
    simulations = listed(document, "listOfSimulations")
    one = named(file, simulations, given(file, task, "simulationReference"), "simulation", task)
    algorithm = next((x for x in one.children if x.name == "algorithm"), None)
    identifier = None if algorithm is None else given(file, algorithm, "kisaoID")

    def solver() -> dict[str, Any]:
        return {} if algorithm is None else solver_of(file, algorithm)

    kind = one.name
    if kind == "steadyState":  # the search for it is odeflow's own
        return SimulatedTimes(0.0, 1.0, [0.0], identifier, dict, is_steady=True)
    if kind != "uniformTimeCourse":
        what = f"{kind} is not supported as a simulation; uniformTimeCourse and steadyState are"
        raise file.mistake(what, one)
    t0, start, end = (number_given(file, one, name) for name in _TIMES)
    steps = round(number_given(file, one, "numberOfSteps", "numberOfPoints"))
    if not (t0 <= start <= end and t0 < end):
        what = f"initialTime {t0:g}, outputStartTime {start:g} and outputEndTime {end:g}"
        raise file.mistake(f"{what} do not follow one another", one)
    if steps < 0 or (steps == 0 and start < end):
        raise file.mistake(f"{steps} steps from {start:g} to {end:g}; one or more are needed", one)
    ts = {"linspace": [start, end, steps + 1]} if start < end else [end]
    return SimulatedTimes(t0, end, ts, identifier, solver)
