"""Derivatives across doses, events, stops and switches, and problems that other tests solve too."""

from functools import partial
from typing import Any

import numpy as np

from odeflow.problem.problem import Lanes, Problem
from tests.corpus.case import Case
from tests.engines import test_jumps as jumps
from tests.engines import test_wild_steps as wild_steps
from tests.problem.test_sensitivity_switches import CASES as SAVED
from tests.problem.test_stop_sensitivities import CASES as STOPPED
from tests.support import cuda_cases

_SOLVER: dict[str, Any] = {"rtol": 1e-7, "atol": 1e-8}
#: Around the nominal value of the axis that varies.
_FACTORS = np.array([0.9, 0.97, 1.0, 1.04, 1.1])
#: By the name of a case of those tests: the method that takes it.
_SAVED = {
    "periodic pulses": "tsit5",
    "time and state at once": "rodas5p",
    "an array": "tsit5",
    "doses at given times": "tsit5",
    "infusions": "dopri8",
    "a parameter that is set": "rodas5p",
    "a dose across a level": "tsit5",
    "a bounce": "tsit5",
    "harvests": "tsit5",
    "an event and a dose": "rodas5p",
}
_STOPPED = {
    "growth": "tsit5",
    "an observable": "tsit5",
    "the earliest of three": "tsit5",
    "after a switch": "tsit5",
    "a dose": "tsit5",
    "an event": "rodas5p",
    "an array": "tsit5",
    "none in time": "tsit5",
}
_PLAIN = ("end values", "stiff, saved times", "observables, saved times", "metrics")
#: With the lanes that are left out: a rounding decides how far their last step comes.
_JUMPS: dict[str, tuple[int, ...]] = {"few": (6,), "memory": (), "constant": ()}


def cases() -> list[Case]:
    """Those of `test_sensitivity_switches`, of `test_stop_sensitivities`, and of other tests."""
    saved = [Case(f"sensitivities: {name}", partial(_saved, name)) for name in _SAVED]
    stopped = [Case(f"stops: {name}", partial(_stopped, name)) for name in _STOPPED]
    others = [Case(f"plain: {name}", partial(_plain, name)) for name in _PLAIN]
    controls = [
        Case(f"jumps: {name}", partial(_jumps, name), at_edge=_JUMPS[name]) for name in _JUMPS
    ]
    wild = [
        Case(f"loose: {method}", partial(_wild, method), fast=method == "tsit5")
        for method in ("tsit5", "dopri8", "rodas5p")
    ]
    return [*saved, *stopped, *others, *controls, *wild]


def _saved(name: str) -> tuple[Problem, Lanes]:
    case = SAVED[name]
    axes = list(case.axes or case.parameters)
    at = {axes[0]: case.parameters[axes[0]] * _FACTORS}
    return case.problem(axes, at, method=_SAVED[name], **_SOLVER)


def _stopped(name: str) -> tuple[Problem, Lanes]:
    case = STOPPED[name]
    axes = list(case.axes or case.parameters)
    at = {axes[0]: case.parameters[axes[0]] * _FACTORS}
    return case.problem(axes, at, ends=True, method=_STOPPED[name], **_SOLVER)


def _plain(name: str) -> tuple[Problem, Lanes]:
    return cuda_cases.cases()[name]


def _jumps(name: str) -> tuple[Problem, Lanes]:
    return jumps.problem_of(jumps.TS, **jumps.CONTROLS[name]), jumps.subjects(12)


def _wild(method: str) -> tuple[Problem, Lanes]:
    problem, lanes = wild_steps.enzyme(1e-2, method=method)
    return problem, lanes.take(np.arange(120))
