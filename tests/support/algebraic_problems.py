"""Differential-algebraic equations with published or closed solutions, without files.

Published values: Mazzia and Magherini, Test Set for Initial Value Problem Solvers, release 2.4
(2008), of which the problems are "Problem TRANSAMP", "CHEMAKZO" and "ROBER".
"""

from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from odeflow.problem.declaration import Declaration, State
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes, Problem
from odeflow.problem.transforms.algebraic import started, with_algebraic
from tests.support.problems import make_problem, make_solver


@dataclass(frozen=True)
class Published:
    """A problem, its state at the end, and the tolerances to solve it with."""

    model: Model
    end: tuple[float, ...]
    rtol: float
    atol: Any


def algebraic_model(function: Any, states: dict[str, Any], t1: float, **said: Any) -> Model:
    """A model as a config would declare it: `algebraic`, `mass_matrix`, `free`."""
    known = {name: State(initial=np.asarray(value, float)) for name, value in states.items()}
    return Model(Declaration("test_model", 0.0, t1, known, **said), function)


def prepared(model: Model, ts: Any = None, **solver: Any) -> tuple[Problem, Lanes]:
    """The problem as engines have it, and a lane with consistent initial values."""
    tolerances = make_solver(model.declared.states, **solver).tolerances
    model = with_algebraic(model, tolerances)
    y0 = np.concatenate([np.ravel(s.initial) for s in model.declared.states.values()])
    args = np.array([[p.value] for p in model.declared.parameters.values()]).reshape(-1, 1)
    return make_problem(model, ts, **solver), started(model, Lanes(y0[:, None], args))


def robertson(t: Any, y: Any, args: Any) -> dict[str, Any]:
    slow, fast, pair = 0.04 * y.a, 1e4 * y.b * y.c, 3e7 * y.b**2
    return {"a": -slow + fast, "b": slow - fast - pair, "c": y.a + y.b + y.c - 1}


def chemical_akzo_nobel(t: Any, y: Any, args: Any) -> tuple[Any, ...]:
    y1, y2, y3, y4, y5, y6 = y
    r1, r2, r3 = 18.7 * y1**4 * jnp.sqrt(y2), 0.58 * y3 * y4, 0.58 / 34.4 * y1 * y5
    r4, r5 = 0.09 * y1 * y4**2, 0.42 * y6**2 * jnp.sqrt(y2)
    inflow = 3.3 * (0.9 / 737 - y2)
    return (
        -2 * r1 + r2 - r3 - r4,
        -0.5 * r1 - r4 - 0.5 * r5 + inflow,
        r1 - r2 + r3,
        -r2 + r3 - 2 * r4,
        r2 - r3 + r5,
        115.83 * y1 * y4 - y6,
    )


def transistor_amplifier(t: Any, y: Any, args: Any) -> tuple[Any, ...]:
    u1, u2, u3, u4, u5, u6, u7, u8 = y
    supply, alpha, resistance = 6.0, 0.99, 9000.0
    current = lambda u: 1e-6 * (jnp.exp(u / 0.026) - 1)
    first, second = current(u2 - u3), current(u5 - u6)
    source = 0.1 * jnp.sin(200 * jnp.pi * t)
    return (
        (u1 - source) / 1000.0,
        (2 * u2 - supply) / resistance + (1 - alpha) * first,
        u3 / resistance - first,
        (u4 - supply) / resistance + alpha * first,
        (2 * u5 - supply) / resistance + (1 - alpha) * second,
        u6 / resistance - second,
        (u7 - supply) / resistance + alpha * second,
        u8 / resistance,
    )


def _capacities() -> np.ndarray:
    matrix = np.zeros((8, 8))
    for i, j, k in ((0, 1, 1), (3, 4, 3), (6, 7, 5)):
        matrix[np.ix_([i, j], [i, j])] = k * 1e-6 * np.array([[-1, 1], [1, -1]])
    matrix[2, 2], matrix[5, 5] = -2e-6, -4e-6
    return matrix


def numbered(values: list[float]) -> dict[str, float]:
    return {f"y{number}": value for number, value in enumerate(values, start=1)}


ROBERTSON = Published(
    algebraic_model(robertson, {"a": 1, "b": 0, "c": 0}, 1e11, algebraic=("c",)),
    (0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050),
    1e-8,
    {"a": 1e-14, "b": 1e-19, "c": 1e-10},
)
AKZO_NOBEL = Published(
    algebraic_model(
        chemical_akzo_nobel,
        numbered([0.444, 0.00123, 0, 0.007, 0, 0]),
        180.0,
        algebraic=("y6",),
    ),
    (
        0.1150794920661702, 0.1203831471567715e-2, 0.1611562887407974,
        0.3656156421249283e-3, 0.1708010885264404e-1, 0.4873531310307455e-2,
    ),
    1e-9,
    1e-12,
)  # fmt: skip
TRANSISTOR_AMPLIFIER = Published(
    algebraic_model(
        transistor_amplifier,
        numbered([0, 3, 3, 6, 3, 3, 6, 0]),
        0.2,
        mass_matrix=_capacities(),
    ),
    (
        -0.5562145012262709e-2, 0.3006522471903042e1, 0.2849958788608128e1, 0.2926422536206241e1,
        0.2704617865010554e1, 0.2761837778393145e1, 0.4770927631616772e1, 0.1236995868091548e1,
    ),
    1e-9,
    1e-9,
)  # fmt: skip
PUBLISHED = {"robertson": ROBERTSON, "akzo": AKZO_NOBEL, "transistor": TRANSISTOR_AMPLIFIER}


def circle(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Y' = z on the circle: y = sin t, z = cos t for z > 0."""
    return {"y": y.z, "z": y.y**2 + y.z**2 - 1}


CIRCLE = algebraic_model(circle, {"y": 0.0, "z": 0.5}, 1.0, algebraic=("z",))
#: The same as the derivative of another state, with an equation that moves with time.
MOVING = algebraic_model(
    lambda t, y, args: {"x": -y.x * y.z, "z": y.z**3 + y.z - (1 + jnp.cos(t) / 2) ** 3
                        - (1 + jnp.cos(t) / 2)},
    {"x": 1.0, "z": 1.0}, 2.0, algebraic=("z",),
)  # fmt: skip


def changed(model: Model, **said: Any) -> Model:
    """The model with another declaration."""
    return replace(model, declared=replace(model.declared, **said))
