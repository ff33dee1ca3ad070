"""Small experiments with models that ship: every method, step control, doses, stops, metrics."""

from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from odeflow.config.validate import validate
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import Lanes, Problem
from tests.corpus.case import Case, built
from tests.corpus.shipped import model_group
from tests.models.test_reference_problems import DETEST_A
from tests.support.problems import make_model, make_problem
from tests.support.snakes import PROJECT

_LOTKA_VOLTERRA: dict[str, Any] = {
    "model": ("lotka_volterra", {"t1": 20.0}),
    "axes": {"alpha": {"uniform": [0.8, 1.4]}, "prey": {"uniform": [5, 15]}},
    "saveat": {"ts": {"linspace": [0, 20, 21]}},
}
_PHARMACOKINETICS: dict[str, Any] = {
    "model": ("pk_one_compartment", {}),
    "axes": {"ka": {"lognormal": {"median": 1.0, "sigma": 0.4}}, "cl": {"uniform": [3, 8]},
             "dose": {"uniform": [60, 140]}, "late": {"uniform": [5, 9]}},
    "saveat": {"ts": {"linspace": [0, 48, 25]}},
    "doses": [
        {"state": "gut", "amount": "dose", "times": [0, "late"], "every": 12, "count": 3},
        {"state": "central", "amount": 50, "duration": 2.5, "time": 13},
        {"parameter": "cl", "value": 4.5, "time": "late"},
    ],
}  # fmt: skip
_STIFF = {"model": ("robertson", {}), "axes": {"k1": {"loguniform": [0.02, 0.07]}}}
_MICHAELIS_MENTEN = {"model": ("michaelis_menten", {}), "axes": {"vmax": {"uniform": [8, 12]}}}
_SIR = {"model": ("sir", {}), "axes": {"beta": {"uniform": [0.15, 0.5]}}}
_METRICS = ["final", "min", "max", "mean", "integral", "time_of_min", "time_of_max", "amplitude"]

#: Groups of a config by the name of the case; what is not given is the default.
_EXPERIMENTS: dict[str, dict[str, Any]] = {
    # step control
    "control: PID": _LOTKA_VOLTERRA | {
        "solver": {"pcoeff": 0.3, "icoeff": 0.3, "dcoeff": 0.05, "rtol": 1e-7}},
    "control: factors and safety": _LOTKA_VOLTERRA | {
        "solver": {"factormin": 0.5, "factormax": 2.0, "safety": 0.8}},
    "control: largest step": _LOTKA_VOLTERRA | {"solver": {"dtmax": 0.05, "dt0": 0.001}},
    "control: smallest step": _LOTKA_VOLTERRA | {"solver": {"dtmin": 0.07, "rtol": 1e-8}},
    "control: an atol for each state": _LOTKA_VOLTERRA | {
        "solver": {"atol": {"prey": 1e-5, "predator": 1e-9}}},
    "control: few steps": _LOTKA_VOLTERRA | {"solver": {"max_steps": 70}},
    "control: constant steps": _LOTKA_VOLTERRA | {
        "solver": {"stepsize_controller": "constant", "dt0": 0.033}},
    "control: constant steps, rodas5p": _LOTKA_VOLTERRA | {
        "solver": {"method": "rodas5p", "stepsize_controller": "constant", "dt0": 0.07}},
    "control: no drift": _LOTKA_VOLTERRA | {
        "solver": {"reject_drift": True, "rtol": 1e-5}, "verify": {"max_drift": 1e-7}},
    "control: nonnegative": _MICHAELIS_MENTEN | {
        "model": ("michaelis_menten", {"nonnegative": ["substrate"]}),
        "solver": {"rtol": 1e-3, "atol": 1e-5}},
    # float32
    "float32: constant steps": _LOTKA_VOLTERRA | {
        "solver": {"stepsize_controller": "constant", "dt0": 0.05, "rtol": 1e-3, "atol": 1e-3},
        "runtime": {"precision": "float32"}},
    "float32: constant steps, rodas5p": _PHARMACOKINETICS | {
        "solver": {"method": "rodas5p", "stepsize_controller": "constant", "dt0": 0.05,
                   "rtol": 1e-3, "atol": 1e-3},
        "runtime": {"precision": "float32"}},
    "float32: doses": _PHARMACOKINETICS | {
        "solver": {"rtol": 1e-2, "atol": 1e-1}, "runtime": {"precision": "float32"}},
    "float32: doses, rodas3p": _PHARMACOKINETICS | {
        "solver": {"method": "rodas3p", "rtol": 1e-3, "atol": 1e-2},
        "runtime": {"precision": "float32"}},
    # ends
    "ends: of their own": _SIR | {
        "axes": _SIR["axes"] | {"t1": {"uniform": [40, 160]}},
        "summary": {"metrics": _METRICS}},
    "ends: of their own, saved times, doses": _PHARMACOKINETICS | {
        "axes": _PHARMACOKINETICS["axes"] | {"t1": {"uniform": [20, 48]}}},
    # doses
    "doses: tsit5": _PHARMACOKINETICS,
    "doses: rodas5p": _PHARMACOKINETICS | {"solver": {"method": "rodas5p"}},
    "doses: metrics": _PHARMACOKINETICS | {
        "saveat": {"ts": None},
        "summary": {"metrics": _METRICS, "first_time_above": {"concentration": 1.5}}},
    "doses: into an array": {
        "model": ("heat_equation", {}), "axes": {"diffusivity": {"uniform": [5e-5, 2e-4]}},
        "doses": [{"state": "u", "index": [3], "amount": 50, "time": 600}],
        "solver": {"method": "rodas5p"}, "summary": {"metrics": ["max", "time_of_max"]}},
    # stops
    "stops: above and below": _SIR | {
        "stop": {"above": {"infected": 300}, "below": {"susceptible": 600}},
        "saveat": {"ts": {"linspace": [0, 160, 33]}}},
    "stops: steady state": _MICHAELIS_MENTEN | {
        "stop": {"steady_state": {"atol": 1e-4, "rtol": 1e-4}}},
    "stops: doses and metrics": _PHARMACOKINETICS | {
        "stop": {"above": {"concentration": 2.0}}, "summary": {"metrics": _METRICS}},
    # metrics
    "metrics: tsit5": _SIR | {"summary": {"metrics": _METRICS, "first_time_above": {
        "infected": 100}, "first_time_below": {"effective_reproduction_number": 1.0}}},
    "metrics: dopri8": _SIR | {
        "solver": {"method": "dopri8"},
        "summary": {"metrics": ["final", "max", "mean", "amplitude"],
                    "first_time_above": {"infected": 100}}},
    "metrics: rodas5p": _STIFF | {
        "solver": {"method": "rodas5p"}, "summary": {"metrics": _METRICS}},
    # sensitivities
    "sensitivities: tsit5": _LOTKA_VOLTERRA | {
        "saveat": _LOTKA_VOLTERRA["saveat"] | {"sensitivities": ["alpha", "beta", "prey"]}},
    "sensitivities: rodas5p": _STIFF | {
        "solver": {"method": "rodas5p"},
        "saveat": {"ts": {"geomspace": [1e-3, 1e5, 9]}, "sensitivities": ["k1", "k2"]}},
    "sensitivities: doses": _PHARMACOKINETICS | {
        "saveat": _PHARMACOKINETICS["saveat"] | {"sensitivities": ["ka", "v", "gut"]}},
}  # fmt: skip
#: Estimates of errors that are little more than rounding: in float32, and of a high order.
_AT_EDGE = {"float32: doses": (5,), "metrics: dopri8": (0, 6, 7)}


def cases() -> list[Case]:
    """Every method on one problem, those that the native engine does not have too; the others."""
    methods = [
        Case(f"method {name}", partial(_method, name), fast=name == "kvaerno5") for name in METHODS
    ]
    experiments = [
        Case(name, partial(_made, name), at_edge=_AT_EDGE.get(name, ())) for name in _EXPERIMENTS
    ]
    others = [
        Case("published detest_a", _detest_class_a),
        Case("not finite at the start", _not_finite, fast=True),
        Case("a system that is solved in each step", _linear_system),
        Case("a refused primitive", _refused),
    ]
    return [*methods, *experiments, *others]


def _method(name: str) -> tuple[Problem, Lanes]:
    steps = {} if METHODS[name].adaptive else {"stepsize_controller": "constant", "dt0": 0.02}
    return _built(_LOTKA_VOLTERRA | {"solver": {"method": name} | steps})


def _made(name: str) -> tuple[Problem, Lanes]:
    return _built(_EXPERIMENTS[name])


def _built(groups: dict[str, Any]) -> tuple[Problem, Lanes]:
    name, changes = groups["model"]
    config = {
        "name": "small",
        **{key: value for key, value in groups.items() if key not in ("model", "axes")},
        "model": model_group(name, **changes),
        "design": {"kind": "random", "size": 11, "seed": 3, "axes": groups["axes"]},
    }
    return built(validate(config).in_study(PROJECT))


def _detest_class_a() -> tuple[Problem, Lanes]:
    """Class A of the nonstiff test set, one problem in each lane."""

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        values = [problem(t, y.y) for problem in DETEST_A]
        numbers = [args.number < i + 0.5 for i in range(len(DETEST_A))]
        return {"y": jnp.select(numbers, values)}

    model = make_model(field, {"y": 1.0}, 20.0, number=0.0)
    problem = make_problem(model, [5.0, 10.0, 15.0, 20.0], rtol=1e-8, atol=1e-12)
    return problem, Lanes(np.array([[1.0, 1.0, 1.0, 1.0, 4.0]]), np.arange(5.0)[None])


def _not_finite() -> tuple[Problem, Lanes]:
    model = make_model(lambda t, y, args: {"y": jnp.sqrt(y.y) / y.y}, {"y": 1.0}, 1.0)
    starts = np.array([[0.0, -1.0, np.inf, np.nan, 1.0]])
    return make_problem(model, [0.0, 0.5, 1.0]), Lanes(starts, np.zeros((0, 5)))


def _linear_system() -> tuple[Problem, Lanes]:
    """M x' = K x + table(t), with a mass matrix that depends on a parameter."""

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        mass = jnp.array([[2.0, 0.3, 0.0], [0.3, 1.0, 0.1], [0.0, 0.1, 1.5]]) + args.m * jnp.eye(3)
        forced = jnp.interp(t, jnp.array([0.0, 1.0, 2.5, 5.0]), jnp.array([0.0, 1.0, -0.5, 0.2]))
        pulled = jnp.stack([-y.x[0] + forced, y.x[0] - 2 * y.x[1], jnp.sin(y.x[1]) - y.x[2]])
        return {"x": jnp.linalg.solve(mass, pulled)}

    model = make_model(field, {"x": {"initial": [1.0, 0.0, -1.0], "dims": ["part"]}}, 5.0, m=0.5)
    masses = np.linspace(0.1, 2.0, 9)
    y0 = np.repeat([[1.0], [0.0], [-1.0]], 9, axis=1)
    return make_problem(model, [0.5, 1.0, 2.5, 5.0], method="dopri5"), Lanes(y0, masses[None])


def _refused() -> tuple[Problem, Lanes]:
    field = lambda t, y, args: {"y": jnp.fft.ifft(jnp.fft.fft(y.y)).real}
    states = {"y": {"initial": [1.0, 2.0], "dims": ["part"]}}
    return make_problem(make_model(field, states, 1.0)), Lanes(np.ones((2, 1)), np.zeros((0, 1)))
