"""The `model` group of a study filled from an SBML or Antimony model. Imports no JAX."""

import math
import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odeflow.config.model import ModelConfig
from odeflow.config.validate import nearest
from odeflow.files.errors import ConfigError
from odeflow.files.extras import needed
from odeflow.importers.refusal import ModelSource, UnsupportedError
from odeflow.importers.sbml.changes import ModelChange, changes_of
from odeflow.importers.sbml.naming import free_name
from odeflow.importers.sbml.source import FORMATS, model_source, source_of

if TYPE_CHECKING:
    from odeflow.importers.sbml.system import System


def imported_model(model: Any, study: Path) -> Any:
    """The `model` group with the states, parameters and observables of the file that it names.

    What the group says beside `sbml` or `antimony` comes before what the file says. Returned as
    it is where it names no file, or where that is done already (it has `computed`).

    Raises ConfigError: libsbml's or Antimony's own message, what is not supported with the
    element's id and line, or the quantity that nothing gives a value.
    """
    if not isinstance(model, Mapping) or model.get("computed") is not None:
        return model
    given = [key for key in ("vector_field", *FORMATS) if model.get(key) is not None]
    if len(given) > 1:
        raise ConfigError(f"model: {' and '.join(given)} exclude each other; keep one")
    source = model_source(model, study)
    if source is None:
        return model
    return _filled(model, source, extended_system(model, source))


def fixed_observables(model: ModelConfig, study: Path) -> list[str]:
    """The observables of a model that only its parameters decide on; none of one not imported."""
    source = source_of(model, study)
    if source is None or model.observables is None:
        return []
    system = extended_system(model.model_dump(mode="json"), source)
    return [name for name in model.observables.variables if name in system.fixed]


def extended_system(model: Mapping[str, Any], source: ModelSource) -> "System":
    """The system of a source with what the `model` group adds to the file.

    That is formulas, parameters of those, and what experiments change.
    """
    observables, parameters = model.get("observables"), model.get("parameters")
    formulas = observables.get("formulas") if isinstance(observables, Mapping) else None
    records = parameters.items() if isinstance(parameters, Mapping) else ()
    added = [name for name, x in records if isinstance(x, Mapping) and x.get("added") is True]
    changes = changes_of(model)
    system = read_system(source, changes, tuple(added) if changes else ())
    inputs, told = model.get("inputs"), model.get("time_after_dose")
    keys = {name: f"model.inputs.{name}" for name in inputs} if isinstance(inputs, Mapping) else {}
    keys |= {told: f"model.time_after_dose: {told}"} if isinstance(told, str) else {}
    system = system.with_inputs(keys)
    if not added and not isinstance(formulas, Mapping):
        return system
    from odeflow.importers.sbml.formulas import extended

    texts = formulas if isinstance(formulas, Mapping) else {}
    return extended(system, {n: x for n, x in texts.items() if isinstance(x, str)}, added)


@lru_cache(maxsize=4)
def read_system(
    source: ModelSource, changes: tuple[ModelChange, ...] = (), added: tuple[str, ...] = ()
) -> "System":
    """The system of a source, read once; raises ConfigError as `imported_model`.

    `changes` are what experiments change, by formulas that may read parameters `added` to it.
    """
    with needed(source.key):
        from odeflow.importers.sbml.document import read_document
        from odeflow.importers.sbml.reading import read_model

        text = source.text
        if source.key == "model.antimony":
            from odeflow.importers.antimony.antimony_text import sbml_of_antimony

            text = sbml_of_antimony(source)
    document = read_document(source, text)
    system = read_model(document.getModel(), source, changes, added)
    try:
        system.check()
    except ValueError as error:
        raise ConfigError(f"{source.place()}: {error}") from None
    return system


def _filled(model: Mapping[str, Any], source: ModelSource, system: "System") -> dict[str, Any]:
    given = model.get("observables")
    formulas = given.get("formulas") if isinstance(given, Mapping) else None
    asked = [name for name in system.observables if isinstance(formulas, dict) and name in formulas]
    states = _merged(model, "states", system.states, system, source)
    parameters = _merged(model, "parameters", system.parameters, system, source)
    without = _fill_values(model, states, parameters, system, source, asked)
    reactions = system.reactions if model.get("reaction_rates") else ()
    observables = [x for x in (*system.observables, *reactions) if x not in without]
    variables = {name: _label(system, name) for name in observables}
    if isinstance(given, Mapping) and isinstance(given.get("variables"), Mapping):
        for name, record in given["variables"].items():
            _known(f"observables.variables.{name}", name, variables, source)
            variables[name] = _over(variables[name], record)
    observed: Any = {"variables": variables} if variables else {}
    if isinstance(given, Mapping):
        observed = {**given, **observed}
    elif given is not None:
        observed = given  # which the schema refuses
    starts = system.dependencies()
    _refuse_contradictions(model, system, starts, source)
    fixed = {name for name in system.initial if _given(model, name) is not None}
    computed = {
        name: [x for x in starts[name] if x in parameters or x in states]
        for name in system.initial
        if name not in fixed and (name in states or name in parameters)
    }
    for moves in system.fast.values():  # which start in an equilibrium that all decides on
        computed |= {name: [*parameters, *states] for name in moves}
    defaults = {
        "name": free_name(system.name or "model", ()),
        "title": system.title,
        "time_units": system.time_units,
    }
    return {
        **defaults,
        **model,
        "states": states,
        "parameters": parameters,
        "observables": observed or None,
        "algebraic": list(system.algebraic),
        "events": [event.name for event in system.events],
        "computed": computed,
        "delays": {name: x._asdict() for name, x in system.delays.items()},
    }


def _refuse_contradictions(
    model: Mapping[str, Any],
    system: "System",
    starts: Mapping[str, list[str]],
    source: ModelSource,
) -> None:
    """Raises where algebraic states or delays are said twice, and where the former decide on what
    is computed before them.
    """
    if model.get("delays"):
        raise ConfigError(f"model.delays: {source.name} says itself what is delayed; use its delay")
    if model.get("algebraic"):
        raise ConfigError(f"model.algebraic: {source.name} says itself which states are algebraic")
    for name, depends_on in starts.items():
        found = [x for x in depends_on if x in system.algebraic]
        if found and name not in system.algebraic and _given(model, name) is None:
            what = f"the start of {name!r} from {found[0]!r}, which an algebraic rule determines,"
            raise UnsupportedError(source, what, "", word=name)


def _label(system: "System", name: str) -> dict[str, Any]:
    label = system.labels[name]
    return {"units": label.units, "long_name": label.long_name}


def _over(generated: dict[str, Any], given: Any) -> Any:
    """The user's record over that of the file; what is not a record is left to the schema."""
    return {**generated, **given} if isinstance(given, Mapping) else given


def _given(model: Mapping[str, Any], name: str) -> Any:
    """The value that the group itself gives for a state or parameter."""
    for group, key in (("states", "initial"), ("parameters", "value")):
        records = model.get(group)
        record = records.get(name) if isinstance(records, Mapping) else None
        if isinstance(record, Mapping) and record.get(key) is not None:
            return record[key]
    return None


def _known(key: str, name: str, known: Any, source: ModelSource) -> None:
    if name not in known:
        raise ConfigError(f"model.{key}: {source.name} has no such name{nearest(name, known)}")


def _merged(
    model: Mapping[str, Any], group: str, names: list[str], system: "System", source: ModelSource
) -> dict[str, Any]:
    records: dict[str, Any] = {name: _label(system, name) for name in names}
    given = model.get(group)
    if isinstance(given, Mapping):
        for name, record in given.items():
            _known(f"{group}.{name}", name, records, source)
            records[name] = _over(records[name], record)
    return records


def _fill_values(
    model: Mapping[str, Any],
    states: dict[str, Any],
    parameters: dict[str, Any],
    system: "System",
    source: ModelSource,
    asked: list[str],
) -> set[str]:
    """Sets `initial` and `value` where the group does not.

    What has no finite value is left out where no rate, no event and none of the observables `asked`
    for needs it; returns it and all observables that do.
    """
    read = system.names_read(asked)
    values = _values_at_start(model, states, system, source, read)
    _scale_amounts(states, system, values)
    without: dict[str, str] = {}
    for group, records, key in (
        ("states", states, "initial"),
        ("parameters", parameters, "value"),
    ):
        for name in list(records):
            value = values[name]
            if _given(model, name) is not None or not isinstance(records[name], Mapping):
                continue
            if math.isfinite(value):
                records[name] = {key: float(value), **records[name]}
            elif name in read:
                raise ConfigError(
                    f"{source.place(word=name)}: {name!r} starts at {value:g}; a finite number is "
                    f"needed; set model.{group}.{name}.{key}"
                )
            else:
                del records[name]
                # a value that is only missing, and that nothing reads, is no news
                without[name] = f" ({value:g})" if name in system.initial else ""
    gone = [*without, *system.depending_on(without)]
    told = [name for name in gone if without.get(name, " ")]
    if told:
        listed = ", ".join(f"{name}{without.get(name, '')}" for name in told[:10])
        more = f" and {len(told) - 10} more" if len(told) > 10 else ""
        warnings.warn(
            f"{source.place(word=told[0])}: left out, since no rate needs it and it has no finite "
            f"value: {listed}{more}",
            stacklevel=2,
        )
    return set(gone)


def _scale_amounts(states: dict[str, Any], system: "System", values: Mapping[str, Any]) -> None:
    """Gives amounts in compartments smaller than 1 that size as their scale.

    So that one `solver.atol` asks the same of a concentration whether it is held as such or not:
    amounts in a cell are of 1e-15 mol. Where the amounts are larger than the size, as numbers of
    molecules are, the largest of them at the start is the scale.
    """
    largest: dict[str, float] = {}
    for name, compartment in system.amounts.items():
        amount = abs(float(values.get(name, math.nan)))
        if math.isfinite(amount):
            largest[compartment] = max(amount, largest.get(compartment, 0.0))
    for name, compartment in system.amounts.items():
        size = float(values.get(compartment, math.nan))
        scale = max(size, largest.get(compartment, 0.0))
        if name in states and isinstance(states[name], Mapping) and size > 0 and scale < 1:
            states[name] = {"scale": scale, **states[name]}


def _values_at_start(
    model: Mapping[str, Any],
    states: Mapping[str, Any],
    system: "System",
    source: ModelSource,
    read: set[str],
) -> dict[str, Any]:
    """Values at t0; NaN where there is none and none is needed."""
    from odeflow.importers.expressions.evaluation import evaluate
    from odeflow.importers.expressions.expression import TIME

    values: dict[str, Any] = {TIME: _number(model.get("t0"), 0.0)}
    for name, value in system.values.items():
        given = _given(model, name)
        if given is not None:
            values[name] = _number(given, math.nan)
        elif name not in system.initial:
            values[name] = math.nan if value is None else value
            if value is None and name in read:
                group = "states" if name in states else "parameters"
                key = "initial" if name in states else "value"
                raise ConfigError(
                    f"{source.place(word=name)}: nothing gives {name!r} a value; "
                    f"set model.{group}.{name}.{key}"
                )
    wanted = [*system.initial, *system.amounts.values()]
    start = [(name, x) for name, x in system.start(wanted) if name not in values]
    return evaluate(start, values, np)


def _number(value: Any, otherwise: float) -> float:
    """A number that the user gave; what is not a number is for the schema to refuse."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else otherwise
