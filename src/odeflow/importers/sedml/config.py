"""The groups of a config filled from the task of a SED-ML file that `model` names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from odeflow.files.errors import ConfigError
from odeflow.files.extras import needed
from odeflow.importers.sbml.config import read_system
from odeflow.importers.sbml.source import model_source

#: The method that `config/config.yaml` chooses: one that nobody asked for.
_DEFAULT_METHOD = "tsit5"
#: Keys of a design that say what it is.
_DESIGNS = ("axes", "path", "nonmem", "petab", "size")


def names_sedml(model: Any) -> bool:
    """Whether a `model` group names an archive or a SED-ML file, and is not filled yet."""
    if not isinstance(model, Mapping) or model.get("computed") is not None:
        return False
    return any(isinstance(model.get(key), str) for key in ("omex", "sedml"))


def with_sedml(data: Mapping[str, Any], study: Path) -> dict[str, Any]:
    """The config's groups with what the task says, where `model` names an archive or SED-ML file.

    What the groups say themselves comes before it. Raises ConfigError, one line that names the file
    and the line in it.
    """
    model = data.get("model")
    if not isinstance(model, Mapping) or not names_sedml(model):
        return dict(data)
    key = "model.omex" if model.get("omex") is not None else "model.sedml"
    others = [x for x in ("vector_field", "sbml", "antimony") if model.get(x) is not None]
    if others:
        raise ConfigError(f"{key}: not beside {' and '.join(others)}, the task says which model")
    with needed(key):
        from odeflow.importers.sedml.document import given, read_document, sedml_file
        from odeflow.importers.sedml.models import read_model
        from odeflow.importers.sedml.outputs import shown_by
        from odeflow.importers.sedml.simulations import simulation_of
        from odeflow.importers.sedml.tasks import design_of, plan_of

    file = sedml_file(model, study)
    document = read_document(file)
    plan = plan_of(file, document, model.get("task"))
    found = read_model(file, document, given(file, plan.task, "modelReference"), plan.task)
    filled: dict[str, Any] = {
        "sedml": file.name,
        "sbml": found.file,
        "task": plan.identifier,
        "edits": [{"target": target, "value": value} for target, value in found.edits],
    }
    source = model_source({**model, **filled}, study)
    assert source is not None
    system = read_system(source)
    repeated = design_of(file, plan, found, system)
    axes = repeated["axes"] if repeated else ()
    shown = shown_by(file, document, plan.identifier, found, system, axes)
    times = simulation_of(file, document, plan.task)
    records = {name: {"long_name": label} if label else {} for name, label in shown.labels.items()}
    for name, units in shown.units.items():
        records[name]["units"] = units
    states = {name: x for name, x in records.items() if name in system.rates}
    variables = {name: x for name, x in records.items() if name not in system.rates}
    observables = {"formulas": shown.formulas, "variables": variables}
    filled |= {"t0": times.t0, "t1": times.t1, "algorithm": times.algorithm}
    filled |= {"states": states} if states else {}
    filled |= {"observables": observables} if variables else {}
    saveat = {"ts": times.ts, "steady_state": times.is_steady}
    saveat |= {"variables": list(shown.labels)} if shown.labels else {}
    groups = {
        "model": filled,
        "design": _design(data.get("design") or {}, repeated, plan.identifier),
        "saveat": saveat,
        "plot": shown.plot,
    }
    solver = data.get("solver") or {}
    if solver.get("method", _DEFAULT_METHOD) == _DEFAULT_METHOD:
        method = times.solver()
        groups["solver"] = method
        data = {**data, "solver": {k: x for k, x in solver.items() if k != "method"}}
    for group in ("saveat", "plot", "solver"):
        groups[group] = {**groups.get(group, {}), **_said(data.get(group) or {})}
    return {**data, **groups, "model": _over(filled, model)}


def _design(
    design: Mapping[str, Any], repeated: dict[str, Any] | None, task: str
) -> dict[str, Any]:
    """The study's own design, or that of the repeated task."""
    own = [key for key in _DESIGNS if design.get(key)]
    if repeated is not None and own:
        raise ConfigError(
            f"design.{own[0]}: the task {task} is repeated, which is a design of its own; remove "
            "it, or name the task within by model.task"
        )
    if own:
        return dict(design)
    return {**design, **(repeated or {"kind": "zip", "axes": {}})}


def _said(group: Mapping[str, Any]) -> dict[str, Any]:
    """What a group says, without what it leaves open."""
    return {key: value for key, value in group.items() if value not in (None, "auto")}


def _over(filled: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given over what is filled in, records merged."""
    result = dict(filled)
    for key, value in given.items():
        own = result.get(key)
        both = isinstance(own, dict) and isinstance(value, Mapping)
        result[key] = _over(own, value) if both else value  # type: ignore[arg-type]
    return result
