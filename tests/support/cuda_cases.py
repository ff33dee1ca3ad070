"""Problems for the GPU target; as a script, solves them on Numba's simulator of CUDA.

    NUMBA_ENABLE_CUDASIM=1 python -m tests.support.cuda_cases FILE CACHE NAME ...

writes the solutions of these cases by name as a pickle.
"""

import pickle
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.config.model import ModelConfig
from odeflow.engines.native import engine
from odeflow.importers.supplied import Courses
from odeflow.models.kinetics import robertson
from odeflow.problem.model import Model
from odeflow.problem.pieces import pieces
from odeflow.problem.problem import Lanes, Problem
from odeflow.problem.reductions import Reduction
from tests.support.problems import make_model, make_problem, michaelis_menten


def pendulum(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """An array state; not defined where `damping` is negative."""
    angle, speed = y.y
    slowed = jnp.sqrt(args.damping) * speed + jnp.cos(t)
    return {"y": jnp.stack([speed, -args.pull * jnp.sin(angle) - slowed])}


def observed(t: Any, y: Any, args: Any) -> dict[str, Any]:
    return {"energy": 0.5 * y.y[1] ** 2 - args.pull * jnp.cos(y.y[0]) + jnp.exp(-t)}


def inflow(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Read from memory, at a place that the time gives."""
    return {"x": jnp.interp(t, jnp.linspace(-1.0, 5.0, 40), jnp.arange(40.0) % 7) - args.k * y.x}


def fed() -> Model:
    """With an input over time, whose knots steps end at."""
    times = np.linspace(0.0, 4.0, 41)
    courses = Courses({"feed": pieces(times, np.sin(3 * times)[None], "linear")})
    field = lambda t, y, args: {"x": courses.value("feed", t, 0) - args.k * y.x}
    return replace(make_model(field, {"x": 1.0}, 4.0, k=0.5), knots=courses.knots)


def driven_pendulum() -> Model:
    config = {
        "name": "pendulum",
        "vector_field": "tests:none",
        "observables": "tests:none",
        "t1": 4.0,
        "states": {"y": {"initial": [0.5, 0.0], "dims": ["part"]}},
        "parameters": {"damping": {"value": 0.1}, "pull": {"value": 2.0}},
    }
    return Model(ModelConfig.model_validate(config).declaration(), pendulum, observed)


def cases() -> dict[str, tuple[Problem, Lanes]]:
    """By what is special about them; steps are rejected in all, and lanes fail in most."""
    draw = np.random.default_rng(0).random((4, 13))
    seed = make_model(
        michaelis_menten, {"substrate": 10.0, "enzyme": 0.2}, 120.0, vmax=10.0, km=5.0
    )
    spread = Lanes(
        np.stack([6 + 6 * draw[0], 0.1 + 0.6 * draw[1]]),
        np.stack([8 + 40 * draw[2] ** 4, 4 + 2 * draw[3]]),
    )
    ends = make_problem(seed, max_steps=400, rtol=1e-6, atol=1e-8)
    stiff = make_problem(
        make_model(robertson, {"a": 1.0, "b": 0.0, "c": 0.0}, 1e5, k1=0.04, k2=3e7, k3=1e4),
        np.geomspace(1e-4, 1e5, 7),
        method="rodas5p",
        rtol=1e-6,
        atol=1e-10,
    )
    rates = np.array([[0.04], [3e7], [1e4]]) * (1 + draw[:3])
    swing = make_problem(
        driven_pendulum(), np.linspace(0, 4, 9), rtol=1e-7, atol=1e-7, pcoeff=0.3, icoeff=0.4
    )
    swings = Lanes(
        np.stack([draw[0], draw[1] - 0.5]), np.stack([np.append(draw[2, 1:], -1.0), 2 + draw[3]])
    )
    y0 = np.repeat([[1.0], [0.0], [0.0]], 13, axis=1)
    metrics = tuple(
        Reduction(variable, metric)
        for variable in ("y", "energy")
        for metric in ("mean", "max", "time_of_min")
    )
    table = make_problem(
        make_model(inflow, {"x": 1.0}, 4.0, k=0.5),
        np.linspace(0, 4, 9),
        stepsize_controller="constant",
        dt0=0.02,
    )
    return {
        "an input": (make_problem(fed(), np.linspace(0, 4, 9)), Lanes(draw[:1], draw[1:2])),
        "a table": (table, Lanes(draw[:1], draw[1:2])),
        "end values": (ends, spread),
        "float32": (replace(ends, dtype=np.dtype(np.float32)), spread),
        "stiff, saved times": (stiff, Lanes(y0, rates)),
        "observables, saved times": (replace(swing, variables=("y", "energy")), swings),
        "metrics": (replace(swing, ts=None, reductions=metrics), swings),
    }


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    file, cache, *names = sys.argv[1:]
    solved = {
        name: engine.solve(*cases()[name], threads=1, cache_dir=Path(cache), device="gpu")
        for name in names
    }
    Path(file).write_bytes(pickle.dumps(solved))
