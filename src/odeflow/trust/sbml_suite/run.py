"""Solves a case and compares: pass, fail or unsupported."""

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from odeflow.config.root import Config
from odeflow.config.validate import validate
from odeflow.files.errors import ConfigError
from odeflow.files.flags import flag_meaning
from odeflow.importers.refusal import UnsupportedError
from odeflow.importers.sbml.config import imported_model, read_system
from odeflow.importers.sbml.source import model_source
from odeflow.importers.sbml.system import System
from odeflow.trust.sbml_suite.case import Case, NoTimeCourseError, read_case

#: Tried in order until the trajectory is a success: a method for stiff models, and one that does
#: without derivatives, which not all models have.
_METHODS = ("rodas5p", "tsit5")


class CaseOutcome(NamedTuple):
    """What became of a case. `error` is the worst one, in units of the tolerance."""

    case: str
    verdict: Literal["pass", "fail", "unsupported"]
    detail: str
    error: float = float("nan")


def run_case(folder: Path) -> CaseOutcome:
    """Solves the case of a folder and compares every value. Raises nothing."""
    name = folder.name
    try:
        case = read_case(folder)
        source = model_source({"sbml": str(case.model.resolve())}, folder)
        assert source is not None
        values = _solved(case, read_system(source))
        return _compared(case, values)
    except NoTimeCourseError as error:
        return CaseOutcome(name, "unsupported", str(error))
    except UnsupportedError as error:
        return CaseOutcome(name, "unsupported", error.what)
    except Exception as error:
        text = str(error).replace(f"{folder.resolve()}/", "").split("\n", 1)[0]
        kind = "" if isinstance(error, ConfigError) else f"{type(error).__name__}: "
        return CaseOutcome(name, "fail", f"{kind}{text}")


def _config(case: Case, system: System, method: str) -> Config:
    model = imported_model(
        {
            "sbml": str(case.model.resolve()),
            "t1": float(case.times[-1]),
            "reaction_rates": any(system.ids[x] in system.reactions for x in case.variables),
        },
        Path(),
    )
    known = [*model["states"], *(model["observables"] or {"variables": {}})["variables"]]
    wanted = {system.ids[identifier] for identifier in case.variables}
    wanted |= {system.species[x].compartment for x in wanted if x in system.species}
    return validate(
        {
            "name": f"case_{case.name}",
            "model": model,
            "design": {"kind": "grid", "axes": {}},
            "solver": {
                "method": method,
                "rtol": 1e-9,
                "atol": min(1e-10, 1e-4 * case.absolute),
                "dtmax": float(np.diff(case.times).max()),
                "max_steps": 1_000_000,
            },
            "saveat": {
                "ts": case.times.tolist(),
                "variables": [x for x in known if x in wanted] or known[:1],
            },
        }
    )


def _solved(case: Case, system: System) -> dict[str, Float[np.ndarray, " time"]]:
    """Values by id; raises ConfigError where the model cannot be solved."""
    from odeflow.engines.choice import Resources
    from odeflow.ensemble.solve import configure_jax, solve_samples

    resources = Resources(threads=1)
    configure_jax(resources)
    status = ""
    for method in _METHODS:
        config = _config(case, system, method)
        dataset = solve_samples(config, Path(), 0, 1, resources)
        status = flag_meaning(dataset.status[0])
        if status == "success":
            break
    else:
        raise ConfigError(f"status {status} at t = {float(dataset.time_reached[0]):g}")

    def value(name: str) -> Float[np.ndarray, " time"]:
        if name in dataset:
            return dataset[name].values[0]
        return np.full(len(case.times), config.model.parameters[name].value)

    values = {}
    for identifier in case.variables:
        name = system.ids[identifier]
        values[identifier] = value(name)
        species = system.species.get(name)
        if species is None:
            continue
        if identifier in case.amounts and not species.is_amount:
            values[identifier] = values[identifier] * value(species.compartment)
        elif identifier in case.concentrations and species.is_amount:
            values[identifier] = values[identifier] / value(species.compartment)
    return values


def _compared(case: Case, values: dict[str, Float[np.ndarray, " time"]]) -> CaseOutcome:
    """Every value within absolute + relative |expected|; what is not finite has to be equal."""
    worst, place = 0.0, ""
    for name, expected in case.expected.items():
        actual = values[name]
        if len(expected) != len(actual):
            raise ValueError(f"{len(expected)} expected values for {len(actual)} times")
        with np.errstate(all="ignore"):
            error = np.abs(actual - expected) / (case.absolute + case.relative * np.abs(expected))
        alike = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
        error = np.where(alike, 0.0, np.where(np.isfinite(error), error, np.inf))
        at = int(np.argmax(error))
        if error[at] > worst or not place:
            worst = float(error[at])
            place = f"{name} at t = {case.times[at]:g}: {actual[at]:.6g} for {expected[at]:.6g}"
    verdict = "pass" if worst <= 1 else "fail"
    return CaseOutcome(case.name, verdict, f"{worst:.2g} of the tolerance, {place}", worst)
