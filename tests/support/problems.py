"""Small models for tests, built without files."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from odeflow.config.model import ModelConfig
from odeflow.config.solver import SolverConfig
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes, Problem
from odeflow.problem.solver import Solver


def make_model(function: Any, states: dict[str, Any], t1: float, **parameters: float) -> Model:
    """A model of scalar (or array) states and parameters, by their values."""
    config = ModelConfig.model_validate(
        {
            "name": "test_model",
            "vector_field": "tests:none",
            "t1": t1,
            "states": {
                name: value if isinstance(value, dict) else {"initial": value}
                for name, value in states.items()
            },
            "parameters": {name: {"value": value} for name, value in parameters.items()},
        }
    )
    return Model(config.declaration(), function)


def model_group(model: Model) -> dict[str, Any]:
    """The `model` group of a config that declares what a model without a file does."""
    declared = model.declared
    described = lambda one: {"units": one.units, "long_name": one.long_name}
    group: dict[str, Any] = {
        "name": declared.name,
        "vector_field": "tests:none",
        "t0": declared.t0,
        "t1": declared.t1,
        "states": {
            name: {"initial": one.initial.tolist(), "dims": list(one.dims), **described(one)}
            for name, one in declared.states.items()
        },
        "parameters": {
            name: {"value": one.value, **described(one)}
            for name, one in declared.parameters.items()
        },
    }
    return group | ({"observables": "tests:none"} if model.observables_function else {})


def make_solver(states: Iterable[str], **solver: Any) -> Solver:
    """A solver for these states, with what is given and the defaults."""
    return SolverConfig.model_validate(solver).solver(states)


def make_problem(model: Model, ts: Any = None, dtype: str = "float64", **solver: Any) -> Problem:
    """A problem that keeps all states."""
    return Problem(
        model=model,
        solver=make_solver(model.declared.states, **solver),
        ts=None if ts is None else np.asarray(ts, float),
        variables=tuple(model.declared.states),
        dtype=np.dtype(dtype),
    )


def decay(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Y' = -k y: y(t) = y(0) exp(-k t)."""
    del t
    return {"y": -args.k * y.y}


def michaelis_menten(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """The project's origin."""
    del t
    rate = y.enzyme * args.vmax * y.substrate / (args.km + y.substrate)
    return {"substrate": -rate, "enzyme": 0.09 * rate}


def decay_problem() -> tuple[Problem, Lanes]:
    """Y' = -y from 1, saved at t = 1: one lane, and one value of exp(-1)."""
    model = make_model(decay, {"y": 1.0}, 1.0, k=1.0)
    return make_problem(model, [0.0, 1.0]), Lanes(np.ones((1, 1)), np.ones((1, 1)))
