"""Whether a training set can be made of an experiment, and the priors that its estimation has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from odeflow.config.axis import Axis
from odeflow.config.design import PLANNED
from odeflow.config.estimate import EstimatedConfig
from odeflow.config.root import Config
from odeflow.config.simulate_for_inference import NoiseConfig
from odeflow.config.validate import nearest
from odeflow.design import axis_names
from odeflow.design.laws import check_law
from odeflow.files.errors import ConfigError

KEY = "analyse.simulate_for_inference"
#: Laws whose values are all above 0, and what of the others tells the lowest one.
_POSITIVE = ("loguniform", "lognormal", "trunclognormal", "truncloglaplace")
_LOWEST = {
    "uniform": 0,
    "truncnormal": 2,
    "trunclaplace": 2,
    "trunccauchy": 2,
    "truncgamma": 2,
    "truncrayleigh": 1,
}


def check_training_set(config: Config, study: Path) -> None:
    """Raises ConfigError, one line, for the first mistake of `analyse.simulate_for_inference`."""
    asked, design = config.analyse.simulate_for_inference, config.design
    if asked is None:
        return
    if not (design.is_sampler or design.kind == "table") or design.kind in PLANNED:
        raise ConfigError(
            f"{KEY}: rows of a {design.kind} design are no draws from a prior; choose one whose "
            "rows are, such as design=sobol or design=random, and give axes distributions"
        )
    axes = axis_names(design, study)
    for name, axis in asked.parameters.items():
        key = f"{KEY}.parameters.{name}"
        if name in {*axes, *config.model.parameters, *config.model.states}:
            raise ConfigError(
                f"{key}: the model has it, and noise alone may read what is here; make it an axis "
                f"of the design: design.axes.{name}"
            )
        check_law(axis, key)
    known = [*asked.parameters, *axes]
    for output, law in asked.noise.items():
        if isinstance(law.level, str):
            _check_level(f"{KEY}.noise.{output}", law, known, asked.parameters)
    unread = asked.parameters.keys() - {law.level for law in asked.noise.values()}
    if unread:
        name = min(unread)
        raise ConfigError(f"{KEY}.parameters.{name}: no noise reads it; name it there or remove it")


def _check_level(key: str, law: NoiseConfig, known: list[str], own: Mapping[str, Axis]) -> None:
    if law.level not in known:
        raise ConfigError(
            f"{key}: {law.level!r} is neither an axis of the design nor one of {KEY}.parameters"
            f"{nearest(str(law.level), known)}"
        )
    axis = own.get(str(law.level))
    if axis is None or axis.law in _POSITIVE:
        return
    place = _LOWEST.get(axis.law)
    if place is None or getattr(axis, axis.law)[place] < 0:
        raise ConfigError(
            f"{KEY}.parameters.{law.level}: {axis.law} may be below 0, and noise is not; take a "
            "law of positive values, such as loguniform"
        )


def with_priors(data: dict[str, Any]) -> dict[str, Any]:
    """The config's groups with what `analyse.estimate` says of the same problem.

    Where an experiment has both, parameters that are estimated and no axis of the design yet are
    axes with their priors as laws, those that noise alone reads are drawn beside it, and
    `analyse.estimate.noise` is the noise of outputs that none is named for. What is not as it
    should be is left to the validation that follows.
    """
    design, analyse, model = (_record(data, key) for key in ("design", "analyse", "model"))
    training, estimate = _record(analyse, "simulate_for_inference"), _record(analyse, "estimate")
    if not training or not estimate or design.get("kind") == "table":
        return data
    laws = {name: _law_of(one) for name, one in _record(estimate, "parameters").items()}
    laws = {name: law for name, law in laws.items() if law is not None}
    in_model = {*_record(model, "parameters"), *_record(model, "states")}
    noise = {**_record(estimate, "noise"), **_record(training, "noise")}
    read = {one for law in noise.values() for one in _levels(law)}
    own = {name: law for name, law in laws.items() if name not in in_model and name in read}
    axes = {name: law for name, law in laws.items() if name in in_model}
    training = training | {
        "noise": noise,
        "parameters": {**own, **_record(training, "parameters")},
    }
    return data | {
        "design": design | {"axes": {**axes, **_record(design, "axes")}},
        "analyse": analyse | {"simulate_for_inference": training},
    }


def _record(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return dict(found) if isinstance(found, Mapping) else {}


def _levels(law: Any) -> list[str]:
    given = law.values() if isinstance(law, Mapping) else [law]
    return [value for value in given if isinstance(value, str)]


def _law_of(one: Any) -> dict[str, Any] | None:
    """The prior within its bounds, as a law of an axis; None where it is not valid."""
    try:
        return EstimatedConfig.model_validate(one).law
    except ValidationError:
        return None
