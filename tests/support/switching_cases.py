"""Small models that switch, with their doses, events and stops, and how tests solve them."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as field_of
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from odeflow.config.root import Config
from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.engines.shared.watch import counted_before
from odeflow.ensemble.build import augmented, make_lanes, make_problem, scheduled
from odeflow.problem.model import Event, Model
from odeflow.problem.problem import Lanes, Problem, Solution
from odeflow.problem.status import has_failed
from odeflow.problem.transforms.sensitivity import at_start
from odeflow.problem.transforms.switching import with_switching
from tests.support.problems import make_model, model_group

TIGHT = {"rtol": 1e-12, "atol": 1e-13}


@dataclass(frozen=True, eq=False)
class Case:
    """A model that switches, its nominal parameters and initial values, and when it is looked at.

    `exact` gives states by name from a point of parameters and times, where there is a closed form.
    Where a trajectory may be stopped, the last of `ts` is its end unless it is.
    """

    field: Callable[..., Any]
    states: Mapping[str, Any]
    parameters: Mapping[str, float]
    ts: tuple[float, ...]
    doses: tuple[Mapping[str, Any], ...] = ()
    events: tuple[Event, ...] = ()
    stop: Mapping[str, Any] | None = None
    observables: Callable[..., Any] | None = None
    axes: tuple[str, ...] = ()
    exact: Callable[..., Mapping[str, Any]] | None = None
    steps: Mapping[str, float] = field_of(default_factory=dict)

    @property
    def model(self) -> Model:
        """The model, its events included."""
        made = make_model(self.field, dict(self.states), self.ts[-1], **self.parameters)
        return replace(made, events=self.events, observables_function=self.observables)

    def solve(
        self,
        engine: str,
        axes: list[str],
        at: Mapping[str, np.ndarray],
        folder: Path,
        ends: bool = False,
        summary: Mapping[str, Any] | None = None,
        **solver: Any,
    ) -> Solution:
        """Solutions at these points, with sensitivities along axes; of their `ends` alone.

        Compiled programs are kept in `folder`.
        """
        problem, lanes = self.problem(axes, at, ends, summary, **TIGHT | solver)
        if engine == "native":
            assert native_engine.refusal(problem) is None
            return native_engine.solve(problem, lanes, threads=1, cache_dir=folder)
        return diffrax_engine.solve(problem, lanes)

    def problem(
        self,
        axes: list[str],
        at: Mapping[str, np.ndarray],
        ends: bool = False,
        summary: Mapping[str, Any] | None = None,
        **solver: Any,
    ) -> tuple[Problem, Lanes]:
        """What `solve` solves."""
        model = self.model
        data = {
            "name": "test",
            "model": model_group(model),
            "design": {"kind": "grid", "axes": {}},
            "saveat": {"ts": None if ends else list(self.ts), "sensitivities": axes or None},
            "solver": {"max_steps": 100_000} | solver,
            "doses": list(self.doses),
            "stop": self.stop,
            "summary": {"metrics": []} | dict(summary or {}),
        }
        config = Config.model_validate(data)
        model = augmented(config, model)
        switching = with_switching(make_problem(config, model))
        before = at_start(model, make_lanes(config, model, at))
        lanes = switching.scheduled(at_start(model, scheduled(config, model, at, before)))
        if switching.problem.counted:
            args = np.concatenate([before.args, lanes.args[len(before.args) :]])
            counted = counted_before(switching.problem, before.y0, args)
            lanes = replace(lanes, counted=counted)
        return switching.problem, lanes

    def nominal(self, axis: str) -> np.ndarray:
        """The value of a parameter, or of an initial value."""
        initial = self.states.get(axis, self.parameters.get(axis, 0.0))
        return np.asarray(initial["initial"] if isinstance(initial, dict) else initial, float)

    def label(self, axis: str) -> str:
        """What the dataset calls it."""
        return f"initial_{axis}" if axis in self.states else axis


@cache
def differences(
    case: Case, axis: str, folder: Path, ends: bool = False
) -> tuple[dict[str, np.ndarray], float]:
    """Derivatives by central differences of fourth order, from solutions without sensitivities.

    Beside them that of the time reached, where `ends` are what is looked at.
    """
    value, step = case.nominal(axis), case.steps.get(axis, 2e-4)
    shifts = np.array([-2, -1, 1, 2]) * step
    at = {axis: value[..., None] + shifts} if value.ndim else {axis: value + shifts}
    solution = case.solve("native", [], at, folder, ends, method="dopri8")
    assert not has_failed(solution.status).any()
    weights = np.array([1, -8, 8, -1]) / (12 * step)
    found = {name: np.tensordot(weights, x, 1) for name, x in solution.values.items()}
    return found, float(weights @ solution.time_reached)


METHODS = ("tsit5", "dopri8", "rodas5p")


def by_each_engine(cases: Iterable[str], often: Collection[tuple[str, str, str]]) -> list[Any]:
    """Parameters `(case, engine, method)`: natively each case by each method.

    By the Diffrax engine each case is solved by one of the methods in turn: what switches is the
    same for all of them, and tracing and compiling one takes up to a minute. All that is not
    `often` is slow.
    """
    native = [(case, "native", method) for case in cases for method in METHODS]
    diffrax = [
        (case, "diffrax", METHODS[number % len(METHODS)]) for number, case in enumerate(cases)
    ]
    return [
        pytest.param(*key, marks=[] if key in often else [pytest.mark.slow])
        for key in native + diffrax
    ]
