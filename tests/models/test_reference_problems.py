"""Published end values of the stiff and nonstiff test sets, reached by the shipped models.

`reference_problems.json` holds the problems with their sources. Unless a test says otherwise the
relative tolerance is 1e-8 and every component is within 1e-6 of the published value.
"""

import functools
import json
from collections.abc import Callable, Sequence
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from omegaconf import OmegaConf

from odeflow.config.model import ModelConfig
from odeflow.importers.loading import load_model
from odeflow.problem.model import Model
from tests.support.snakes import PROJECT

PROBLEMS = json.loads((PROJECT / "tests/support/reference_problems.json").read_text("utf-8"))
FOLDER = PROJECT / "config" / "model"


@functools.cache
def shipped(name: str) -> Model:
    data = OmegaConf.to_container(OmegaConf.load(FOLDER / f"{name}.yaml"), resolve=True)
    return load_model(ModelConfig.model_validate(data))


def end_state(
    vector_field: Callable[..., Any],
    t1: Any,
    y0: Any,
    args: Any,
    solver: diffrax.AbstractSolver,
    rtol: Any,
    atol: Any,
) -> Any:
    """The state at t1, from t = 0; raises where the solve fails."""
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(vector_field),
        solver,
        0.0,
        t1,
        None,
        y0,
        args,
        saveat=diffrax.SaveAt(t1=True),
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
        max_steps=100_000,
    )
    return jax.tree.map(lambda leaf: leaf[0], solution.ys)


@functools.cache
def stiff_solver(name: str) -> Callable[..., Any]:
    """Kvaerno5 for a shipped model: t1, y0 and args as records, and atol to the end state."""
    model = shipped(name)
    _, example, _ = model.example()
    # An implicit method compiles several times faster on one array than on twenty scalars.
    _, unravel = ravel_pytree(example)

    def vector_field(t: Any, y: Any, args: Any) -> Any:
        return ravel_pytree(model.vector_field(t, unravel(y), args))[0]

    @eqx.filter_jit
    def solve(t1: Any, y0: Any, args: Any, atol: Any) -> Any:
        y0, _ = ravel_pytree(y0)
        return unravel(end_state(vector_field, t1, y0, args, diffrax.Kvaerno5(), 1e-8, atol))

    # All as float64 arrays, so that another problem of the model is not compiled again.
    return lambda *values: solve(*jax.tree.map(lambda leaf: jnp.asarray(leaf, float), values))


def published(problem: dict[str, Any], names: Sequence[str]) -> np.ndarray:
    return np.array([problem["end"][name] for name in names])


@pytest.mark.parametrize("name", ["hires", "robertson", "pollution", "arenstorf"])
def test_defaults_are_the_published_problem(name: str) -> None:
    declared, problem = shipped(name).declared, PROBLEMS[name]
    assert {n: p.value for n, p in declared.parameters.items()} == problem["parameters"]
    initial = {n: float(state.initial) for n, state in declared.states.items()}
    assert initial == dict.fromkeys(initial, 0.0) | problem["initial"]
    assert declared.t0 == problem["t0"]
    # Robertson's published value is at 1e11; a sweep ends earlier.
    assert declared.t1 == (1e5 if name == "robertson" else problem["t1"])


@pytest.mark.parametrize(
    "name, atol",
    [
        pytest.param("hires", 1e-12, marks=pytest.mark.slow),
        # The middle species ends at 8e-14: only an absolute tolerance far below that resolves it.
        ("robertson", 1e-17),
        ("van_der_pol", 1e-12),
        # Excited oxygen ends at 4e-18 but follows ozone, which is resolved.
        pytest.param("pollution", 1e-12, marks=pytest.mark.slow),
    ],
)
def test_stiff(name: str, atol: float) -> None:
    model, problem = shipped(name), PROBLEMS[name]
    names = list(model.declared.states)
    y0 = model.State(*(problem["initial"].get(state, 0.0) for state in names))
    args = model.Args(**problem["parameters"])
    end = stiff_solver(name)(problem["t1"], y0, args, atol)
    np.testing.assert_allclose(end, published(problem, names), rtol=1e-6, atol=0)
    if name == "robertson":
        assert float(sum(end)) == pytest.approx(1.0, rel=1e-13)


def test_detest_d2() -> None:
    """Robertson's problem at t = 40, in the units y1 = a, y2 = 10,000 b and y3 = 100 c."""
    model, problem = shipped("robertson"), PROBLEMS["detest_d2"]
    _, y0, args = model.example()
    y = stiff_solver("robertson")(problem["t1"], y0, args, 1e-14)
    end = [y.a, 1e4 * y.b, 100.0 * y.c]
    np.testing.assert_allclose(end, published(problem, ["y1", "y2", "y3"]), rtol=1e-6, atol=0)


def test_arenstorf_orbit_closes() -> None:
    """Errors grow two million times around the orbit: rtol 1e-8 would close it to 3e-5 only."""
    model, problem = shipped("arenstorf"), PROBLEMS["arenstorf"]
    _, y0, args = model.example()
    solver = diffrax.Dopri8()
    end = end_state(model.vector_field, problem["t1"], y0, args, solver, 1e-13, 1e-13)
    np.testing.assert_allclose(end, published(problem, y0._fields), rtol=0, atol=1e-6)
    jacobi = [model.observables(0.0, y, args)["jacobi_integral"] for y in (y0, end)]
    assert float(jacobi[1]) == pytest.approx(float(jacobi[0]), rel=1e-10)


#: Class A of the nonstiff test set of Hull, Enright, Fellen and Sedgwick (1972), in order.
DETEST_A = (
    lambda t, y: -y,
    lambda t, y: -0.5 * y**3,
    lambda t, y: y * jnp.cos(t),
    lambda t, y: y / 4.0 * (1.0 - y / 20.0),
    lambda t, y: (y - t) / (y + t),
)


@pytest.mark.parametrize("solver", [diffrax.Dopri8(), diffrax.Tsit5()], ids=["dopri8", "tsit5"])
def test_detest_class_a(solver: diffrax.AbstractSolver) -> None:
    """All five in one compilation: the problem's number is an argument."""
    problems = [PROBLEMS[f"detest_a{number}"] for number in range(1, 6)]

    def vector_field(t: Any, y: Any, number: Any) -> Any:
        return jax.lax.switch(number, DETEST_A, t, y)

    @eqx.filter_jit
    def solve(y0: Any, number: Any) -> Any:
        # An absolute tolerance far below A1's end of 2e-9
        return end_state(vector_field, 20.0, y0, number, solver, 1e-8, 1e-16)

    for number, problem in enumerate(problems):
        assert problem["t1"] == 20.0
        end = solve(jnp.asarray(problem["initial"]["y"]), jnp.asarray(number))
        assert float(end) == pytest.approx(problem["end"]["y"], rel=1e-6), f"A{number + 1}"
