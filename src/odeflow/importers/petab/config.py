"""The groups of a config filled from the PEtab problem that `design.petab` names.

All else sees a model with observables, axes and conditions like any other.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from odeflow.config.axis import Levels
from odeflow.config.design import SAMPLERS
from odeflow.config.validate import nearest
from odeflow.files.errors import ConfigError
from odeflow.files.plain_text import without_hidden
from odeflow.importers.petab.meaning import Meaning
from odeflow.importers.petab.of_study import read_meaning
from odeflow.importers.sbml.changes import Change

#: Samples of a design that says neither how many nor how.
_SIZE, _SAMPLER = 1024, "sobol"
#: Times closer than this part of the last one are one time.
_CLOSE = 1e-12


def with_petab(data: Mapping[str, Any], study: Path) -> dict[str, Any]:
    """The config's groups with what the problem says, where `design.petab` names one.

    What the groups say themselves comes before it: laws of axes, values and labels of the model,
    more times to save. Raises ConfigError, one line that names file, row and column.
    """
    design = data.get("design")
    file = design.get("petab") if isinstance(design, Mapping) else None
    if not isinstance(design, Mapping) or not isinstance(file, str):
        return dict(data)
    meaning = read_meaning(file, study)
    from odeflow.importers.petab.check import check_meaning  # which imports libsbml

    check_meaning(meaning)
    t0 = _start(data.get("model") or {}, meaning)
    saveat = _saveat(data.get("saveat") or {}, meaning, t0)
    return {
        **data,
        "design": _design(design, meaning),
        "model": _model(data.get("model") or {}, meaning, saveat["ts"]),
        "saveat": saveat,
    }


def _design(design: Mapping[str, Any], meaning: Meaning) -> dict[str, Any]:
    """Axes, conditions and kind of the design."""
    estimated = {
        meaning.names[identifier]: one
        for identifier, one in meaning.problem.parameters.items()
        if one.law is not None
    }
    given = design.get("axes") or {}
    known = {**estimated, **dict.fromkeys(meaning.system.values)}
    for name in given if isinstance(given, Mapping) else ():
        if name not in known:
            raise ConfigError(
                f"design.axes.{name}: neither in the parameter table of {meaning.problem.file} nor "
                f"in its model{nearest(name, known)}"
            )
    filled: dict[str, Any]
    if design.get("nominal") is True:
        if design.get("size") is not None:
            raise ConfigError("design.size: design.nominal is one parameter set; remove one")
        for one in estimated.values():
            if not one.has_nominal:
                raise one.row.mistake("nominalValue", "is empty, and design.nominal needs it")
        axes = {name: {"values": [one.value]} for name, one in estimated.items()}
        filled = {"kind": "zip", "axes": axes}
    else:
        kind = design.get("kind") if design.get("kind") in SAMPLERS else _SAMPLER
        for name, one in estimated.items():
            if one.prior is not None and one.prior.refused and name not in given:
                raise one.row.mistake("priorDistribution", one.prior.refused)
        axes = {name: one.law for name, one in estimated.items()}
        size = _SIZE if design.get("size") is None else design["size"]
        filled = {"kind": kind, "size": size, "axes": {**axes, **given}}
        if not filled["axes"]:
            filled = {"kind": "zip", "size": None, "axes": {}}
    axes = filled["axes"]
    pairs = meaning.conditions
    conditions = {name: _settings(meaning, axes, pair[0]) for name, pair in pairs.items()}
    at_rest = {
        name: {"settings": _settings(meaning, axes, before), "reset": _reset(meaning, condition)}
        for name, (condition, before) in pairs.items()
        if before is not None
    }
    filled |= {"preequilibration": at_rest} if at_rest else {}
    return {**design, **filled, "conditions": conditions}


def _settings(meaning: Meaning, axes: Mapping[str, Any], condition: str) -> dict[str, Any]:
    """What a condition sets: the same quantities as any other."""
    system, parameters = meaning.system, meaning.problem.parameters
    settings: dict[str, Any] = {}
    given = meaning.problem.conditions[condition].settings
    for column in meaning.problem.columns:
        name = system.ids[column]
        if column not in given:  # as in the model; checked to be a number there
            value = system.values[name]
            settings[name] = 0.0 if value is None else value  # None: at rest before, so not read
            continue
        text = given[column].text
        if text in parameters:
            own = meaning.names[text]
            settings[name] = own if own in axes else parameters[text].value
        elif text in system.ids:
            own = system.ids[text]
            settings[name] = own if own in axes else system.values[own]
        else:
            settings[name] = given[column].row.number_in(given[column].column)
    if meaning.changes:
        settings[meaning.number] = float(meaning.numbers[condition])
    return settings


def _reset(meaning: Meaning, condition: str) -> list[str]:
    """The states that a condition sets, whatever was before."""
    system, one = meaning.system, meaning.problem.conditions[condition]
    names = [system.ids[column] for column in one.settings if column not in one.was_before]
    return [name for name in names if name in system.rates]


def _model(model: Mapping[str, Any], meaning: Meaning, ts: list[float]) -> dict[str, Any]:
    """The model group: the SBML file with its table's values and its observables' formulas."""
    problem, system = meaning.problem, meaning.system
    given = [key for key in ("vector_field", "antimony") if model.get(key)]
    if given or model.get("sbml") not in (None, problem.sbml):
        raise ConfigError(
            f"model.{(given or ['sbml'])[0]}: design.petab: {problem.file} has a model of its own, "
            f"{problem.sbml}; remove model"
        )
    states: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    for identifier, one in problem.parameters.items():
        name = meaning.names[identifier]
        label = {} if one.label is None else {"long_name": without_hidden(one.label)}
        if name in system.rates:
            states[name] = {"initial": one.value, **label}
        else:
            added = {"added": True} if identifier in meaning.added else {}
            parameters[name] = {"value": one.value, **label, **added}
    formulas = {output.variable: meaning.formula(output) for output in meaning.outputs}
    observables = {
        output.variable: {
            "long_name": without_hidden(
                problem.observables[output.observable].label or output.variable
            )
        }
        for output in meaning.outputs
    }
    own = {"formulas": formulas, "variables": observables}
    if meaning.changes:
        label = "number of the experiment, negative before it begins"
        parameters[meaning.number] = {"value": 0.0, "long_name": label, "added": True}
    t0 = _start(model, meaning)
    filled: dict[str, Any] = {
        "sbml": problem.sbml,
        **({"changes": [_change(one) for one in meaning.changes]} if meaning.changes else {}),
        "t0": t0,
        "t1": ts[-1] if ts[-1] > t0 else t0 + 1.0,
        "states": states,
        "parameters": parameters,
        "observables": own,
    }
    return _over(filled, model)


def _over(filled: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given over what is filled in, records merged."""
    result = dict(filled)
    for key, value in given.items():
        own = result.get(key)
        both = isinstance(own, dict) and isinstance(value, Mapping)
        result[key] = _over(own, value) if both else value  # type: ignore[arg-type]
    return result


def _saveat(saveat: Mapping[str, Any], meaning: Meaning, t0: float) -> dict[str, Any]:
    """The measured times, with those that the group asks for between them."""
    times = {one.time for one in meaning.problem.measurements}
    measured = sorted(t for t in times if math.isfinite(t))
    more = [t for t in _times(saveat.get("ts")) if not _is_close(t, measured)]
    filled = {**saveat, "ts": sorted([*measured, *more]) or [t0]}
    if not times.issubset(measured):
        filled["steady_state"] = True
    kept = filled.get("variables")
    if isinstance(kept, list):
        outputs = [output.variable for output in meaning.outputs]
        filled["variables"] = [*kept, *(x for x in outputs if x not in kept)]
    return filled


def _times(ts: Any) -> list[float]:
    """The times of `saveat.ts`."""
    if ts is None:
        return []
    if isinstance(ts, list):
        return [t for t in ts if isinstance(t, int | float)]
    from odeflow.config.levels import expand

    try:
        return [float(t) for t in expand(Levels.model_validate(ts), "saveat.ts")]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(f"saveat.ts: {first}") from None


def _is_close(t: float, times: list[float]) -> bool:
    return any(abs(t - other) <= _CLOSE * max(abs(times[0]), abs(times[-1])) for other in times)


def _start(model: Mapping[str, Any], meaning: Meaning) -> float:
    given = model.get("t0")
    return float(given) if isinstance(given, int | float) else meaning.problem.start


def _change(one: Change) -> dict[str, Any]:
    formulas = dict(one.formulas)
    return {"by": one.by, "number": one.number, "time": one.time, "formulas": formulas}
