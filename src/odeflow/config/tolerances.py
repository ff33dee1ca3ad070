"""One `solver.atol` for all states, and states of different sizes."""

from collections.abc import Mapping
from typing import Any

from odeflow.config.solver import SolverConfig


def scaled_tolerances(data: Mapping[str, Any]) -> dict[str, Any]:
    """The config with an absolute tolerance for each state, where states have a `scale`.

    A single `solver.atol` is then that of a state whose scale is 1; so is that of an attempt of
    `runtime.retry`. A tolerance for each state, and what the schema will refuse, stay as they are.
    """
    scales = _scales(data.get("model"))
    if all(scale == 1 for scale in scales.values()):
        return dict(data)
    default = {"atol": SolverConfig.model_fields["atol"].default}
    result = {**data, "solver": _scaled({**default, **_record(data.get("solver"))}, scales)}
    runtime = _record(data.get("runtime"))
    if isinstance(runtime.get("retry"), list):
        retry = [_scaled(x, scales) if isinstance(x, Mapping) else x for x in runtime["retry"]]
        result["runtime"] = {**runtime, "retry": retry}
    return result


def _record(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _scales(model: Any) -> dict[str, float]:
    """The scale of each state; 1 where it is not a valid one, which the schema refuses."""
    states = _record(_record(model).get("states"))
    given = {name: _record(state).get("scale", 1.0) for name, state in states.items()}
    return {name: x if _is_positive(x) else 1.0 for name, x in given.items()}


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _scaled(solver: Mapping[str, Any], scales: Mapping[str, float]) -> dict[str, Any]:
    atol = solver.get("atol")
    if atol is None or not _is_positive(atol):
        return dict(solver)
    return {**solver, "atol": {name: atol * scale for name, scale in scales.items()}}
