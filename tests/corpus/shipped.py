"""Everything that ships: the experiments, the problems with published ends, the other models."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

import odeflow
from odeflow.config.validate import validate
from odeflow.problem.problem import Lanes, Problem
from tests.corpus.case import Case, built
from tests.support.snakes import PROJECT

_PUBLISHED = json.loads((PROJECT / "tests/support/reference_problems.json").read_text("utf-8"))
#: Method, rtol and atol; their ends are compared with the published ones in tests/models.
_SOLVERS = {
    "hires": ("rodas5p", 1e-8, 1e-12),
    "robertson": ("rodas5p", 1e-6, 1e-14),
    "van_der_pol": ("rodas5p", 1e-8, 1e-12),
    "pollution": ("rodas5p", 1e-6, 1e-10),
    "arenstorf": ("dopri8", 1e-6, 1e-6),
    "detest_d2": ("rodas3p", 1e-6, 1e-10),
}
#: Models that no experiment has: an axis, and what is saved.
_MODELS: dict[str, dict[str, Any]] = {
    "brusselator": {"axes": {"b": {"linspace": [1.5, 4, 8]}}},
    "fitzhugh_nagumo": {"axes": {"i_ext": {"linspace": [0, 1, 8]}}},
    "heat_equation": {
        "axes": {"diffusivity": {"values": [5e-5, 1e-4, 2e-4]}},
        "solver": {"method": "rodas5p"},
    },
    "hodgkin_huxley": {"axes": {"i_ext": {"linspace": [0, 20, 8]}}},
    "michaelis_menten": {"axes": {"km": {"linspace": [4, 6, 8]}}},
}
#: Lanes of stiff problems that an explicit method ends amid thousands of steps.
_AT_EDGE = {"van_der_pol": (2, 13, 18, 22)}


def cases() -> list[Case]:
    """The experiments by their names; `van_der_pol`, which fails by design, by its retry too."""
    examples = [(PROJECT / "config/experiment", PROJECT)]
    examples += [
        (study / "config/experiment", study)
        for study in (PROJECT / "examples/paper", PROJECT / "examples/petab")
    ]
    experiments = [
        Case(
            f"experiment {file.stem}",
            partial(_experiment, file.stem, study),
            fast=file.stem in ("quickstart", "robertson"),
            at_edge=_AT_EDGE.get(file.stem, ()),
        )
        for folder, study in examples
        for file in sorted(folder.glob("*.yaml"))
    ]
    retry = Case(
        "experiment van_der_pol, rodas5p",
        partial(_experiment, "van_der_pol", PROJECT, "solver=rodas5p"),
    )
    published = [Case(f"published {name}", partial(_problem, name)) for name in _SOLVERS]
    models = [Case(f"model {name}", partial(_model, name)) for name in _MODELS]
    return [*experiments, retry, *published, *models]


def model_group(name: str, **changes: Any) -> dict[str, Any]:
    """The `model` group of a model that ships, changed."""
    data = OmegaConf.to_container(OmegaConf.load(PROJECT / f"config/model/{name}.yaml"))
    assert isinstance(data, dict)
    return {str(key): value for key, value in data.items()} | changes


def _experiment(name: str, study: Path, *overrides: str) -> tuple[Problem, Lanes]:
    return built(odeflow.compose(f"experiment={name}", *overrides, study=study))


def _problem(name: str) -> tuple[Problem, Lanes]:
    problem, (method, rtol, atol) = _PUBLISHED[name], _SOLVERS[name]
    model = model_group("robertson" if name == "detest_d2" else name, t1=problem["t1"])
    for parameter, value in problem["parameters"].items():
        model["parameters"][parameter]["value"] = value
    for state in model["states"]:
        if name != "detest_d2":  # whose states are the model's in other units
            model["states"][state]["initial"] = problem["initial"].get(state, 0.0)
    return _built(model, {}, {"method": method, "rtol": rtol, "atol": atol})


def _model(name: str) -> tuple[Problem, Lanes]:
    given = _MODELS[name]
    return _built(model_group(name), given["axes"], given.get("solver", {}))


def _built(model: dict[str, Any], axes: Any, solver: Any) -> tuple[Problem, Lanes]:
    config = {
        "name": "shipped",
        "model": model,
        "design": {"kind": "grid", "axes": axes},
        "solver": solver,
        "saveat": {"ts": {"linspace": [0, model["t1"], 9]}},
    }
    return built(validate(config).in_study(PROJECT))
