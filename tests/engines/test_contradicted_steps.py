"""Implicit methods on fields whose Jacobian is huge at the start and holds next to nowhere.

Close to the root's 0 a state would be held where it is. Every method that needs a Jacobian, from
several tiny initial values, against a closed form or an explicit solution 1e4 times as tight.
"""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import Lanes
from odeflow.problem.status import Status
from tests.support.problems import make_model, make_problem

TIMES = [0.01, 0.1, 1.0, 10.0]
STARTS = np.array([0.0, 5e-324, 1e-300, 1e-100, 1e-30, 1e-16, 1e-8])
STIFF = [name for name, method in METHODS.items() if method.implicit]
CASES = [(m, e) for m in STIFF for e in ("native", "diffrax") if e == "diffrax" or "rodas" in m]


def fields(np: Any) -> dict[str, Any]:
    """By name: the derivative as a function of time and states, which start all alike."""
    return {
        "root": lambda t, x: (1 - np.sqrt(x),),
        "fifth_root": lambda t, x: (1 - x**0.2,),
        "slow_root": lambda t, x: (0.01 * (1 - x**0.5),),
        "logarithm": lambda t, x: (-np.log(x),),
        "hill": lambda t, x: (1 - 2 * x**0.5 / (0.1**0.5 + x**0.5),),
        "tanks": lambda t, x, y, z: (
            1 - np.sqrt(x),
            np.sqrt(x) - np.sqrt(y),
            np.sqrt(y) - z,
        ),
        "difference": lambda t, x, y: (1 - np.sqrt(x - 0.5 * y), -0.1 * y),
        "driven": lambda t, x, y: (np.cos(t) ** 2 * (1 - x**0.3), x**0.5 - y),
        "by_time": lambda t, x: (t - np.sqrt(x),),
    }


def reference(name: str, start: float, size: int) -> np.ndarray:
    """The states at `TIMES`, by an explicit method; a state that starts at 0 has left it soon."""
    field = fields(np)[name]
    y0 = np.full(size, start)
    if name == "logarithm" and start == 0.0:
        return np.full((size, len(TIMES)), np.nan)  # no solution starts there
    at = lambda t, y: field(t, *np.maximum(y, 0))
    with np.errstate(all="ignore"):  # of stages that overshoot
        solution = solve_ivp(at, (0, 10), y0, method="DOP853", rtol=1e-10, atol=1e-13, t_eval=TIMES)
    return solution.y


def solve(name: str, method: str, engine: str, y0: np.ndarray, tmp_path: Path) -> Any:
    field, states = fields(jnp)[name], "xyz"[: len(y0)]
    model = make_model(
        lambda t, y, args: dict(zip(states, field(t, *y))), dict.fromkeys(states, 0.0), 10.0
    )
    loose = {"rtol": 1e-4, "atol": 1e-6} if method == "implicit_euler" else {}
    problem = make_problem(model, TIMES, method=method, **loose)
    lanes = Lanes(y0, np.zeros((0, y0.shape[1])))
    if engine == "diffrax":
        return diffrax_engine.solve(problem, lanes)
    return native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)


QUICK = {("root", "rodas3p", "native"), ("tanks", "rodas3p", "native")}


@pytest.mark.parametrize(
    "name, method, engine",
    [
        pytest.param(n, m, e, marks=[] if (n, m, e) in QUICK else [pytest.mark.slow])
        for n in fields(np)
        for m, e in CASES
    ],
)
def test_a_state_leaves_zero_as_its_field_says(name: str, method: str, engine: str, tmp_path: Path):
    size = fields(np)[name].__code__.co_argcount - 1
    expected = np.array([reference(name, start, size) for start in STARTS])
    found = solve(name, method, engine, np.tile(STARTS, (size, 1)), tmp_path)
    values = np.stack(list(found.values.values()), axis=1)
    ended_well = found.status == Status.success
    # what cannot be solved says so: a logarithm at 0 has no start, a root find may not converge
    fewest = {"logarithm": len(STARTS) - 2}.get(name, len(STARTS))
    if method == "implicit_euler":
        fewest -= 2
    assert ended_well.sum() >= fewest
    error = np.abs(values - expected) / (1e-3 + np.abs(expected))
    assert error[ended_well].max() < (0.02 if method == "implicit_euler" else 1e-4)


@pytest.mark.parametrize("engine", ("native", pytest.param("diffrax", marks=pytest.mark.slow)))
@pytest.mark.parametrize("power", [1, 3])
@pytest.mark.parametrize(
    "method", [pytest.param("rodas5p"), pytest.param("rodas3p", marks=pytest.mark.slow)]
)
def test_no_step_leaps_over_a_pole(method: str, power: int, engine: str, tmp_path: Path):
    """Closed form of x' = (K/x)**n: x**(n + 1) = x0**(n + 1) + (n + 1) K**n t."""
    starts = np.array([1e-30, 1e-16, 1e-8])
    model = make_model(
        lambda t, y, args: {"x": (args.K / y.x) ** args.n}, {"x": 0.0}, 10.0, K=0.1, n=1.0
    )
    problem = make_problem(model, TIMES, method=method)
    lanes = Lanes(starts[None], np.repeat([[0.1], [float(power)]], 3, 1))
    if engine == "diffrax":
        found = diffrax_engine.solve(problem, lanes)
    else:
        found = native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)
    assert (found.status == Status.success).all()
    rise = (power + 1) * 0.1**power * np.array(TIMES)
    expected = (starts[:, None] ** (power + 1) + rise) ** (1 / (power + 1))
    np.testing.assert_allclose(found.values["x"], expected, rtol=2e-5)
