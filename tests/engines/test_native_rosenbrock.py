"""The generated Rosenbrock step: the same numbers as the Diffrax class."""

import json
from pathlib import Path
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.diffrax.rosenbrock import Rodas3P, Rodas5P
from odeflow.engines.native import engine as native_engine
from odeflow.engines.native.methods import rosenbrock as generator
from odeflow.engines.native.methods.differentiated_field import (
    Derivatives,
    DifferentiatedField,
    Point,
)
from odeflow.engines.native.methods.rosenbrock import rosenbrock, rosenbrock_stepper
from odeflow.engines.native.methods.sparse_lu import plan
from odeflow.engines.native.methods.stepper import Inside, Start, interpolated
from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.operations import OPERATIONS
from odeflow.engines.native.program.proportions import Proportions
from odeflow.engines.native.program.refusal import UntranslatableError
from odeflow.engines.native.program.value import Value, apply
from odeflow.models import kinetics
from odeflow.problem.methods import find_method
from odeflow.problem.methods.rosenbrock import RODAS3P
from odeflow.problem.problem import Lanes, Problem
from odeflow.problem.status import Status
from tests.support.problems import make_model, make_problem
from tests.support.snakes import PROJECT

SOLVERS = pytest.mark.parametrize("solver", [Rodas5P(), Rodas3P()], ids=["rodas5p", "rodas3p"])
NAMES = ("a", "b", "c")
RATES = {"slow": 0.04, "fast": 3e7, "cross": 1e4}


def driven_robertson(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Robertson's kinetics with a source, so that the time derivative does not vanish."""
    del args
    first = RATES["slow"] * y["a"]
    second = RATES["fast"] * y["b"] * y["b"]
    third = RATES["cross"] * y["b"] * y["c"]
    return {"a": third - first + jnp.sin(t), "b": first - second - third, "c": second}


def evaluate(point: Point) -> list[Value]:
    a, b, c = point.y
    first, second, third = RATES["slow"] * a, RATES["fast"] * b * b, RATES["cross"] * b * c
    return [third - first + apply("sin", point.t), first - second - third, second]


def differentiate(point: Point) -> Derivatives:
    _, b, c = point.y
    slow, fast, cross = RATES.values()
    constant = Value(b.builder, slow)
    jacobian = {
        (0, 0): -constant,
        (0, 1): cross * c,
        (0, 2): cross * b,
        (1, 0): constant,
        (1, 1): -2.0 * fast * b - cross * c,
        (1, 2): -(cross * b),
        (2, 1): 2.0 * fast * b,
    }
    return Derivatives(evaluate(point), jacobian, {0: apply("cos", point.t)})


DRIVEN_ROBERTSON = DifferentiatedField(
    evaluate=evaluate,
    differentiate=differentiate,
    entries=frozenset({(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 1)}),
    uses_time=True,
    related=Proportions(3),
)


class Step:
    """Runs a step of a solver's method on arrays of lanes, by NumPy."""

    def __init__(
        self,
        solver: Any,
        field: DifferentiatedField,
        t: Any,
        h: Any,
        y: dict[str, Any],
        theta: float = 0.5,
    ):
        stepper = rosenbrock_stepper(solver.tableau, field, plan(len(y), field.entries))
        builder = Builder(["t", "t_next", "h", "theta", *(f"y_{name}" for name in y)])
        start, end, length, place, *state = (Value(builder, name) for name in builder.inputs)
        stepped = stepper.step(Start(start, end, length, state, lambda t: [], {}))
        assert stepped.error is not None
        inside = Inside(length, state, stepped.candidate, stepped.dense)
        between = [interpolated(terms, place) for terms in stepper.polynomial(inside)]
        found = [*stepped.candidate, *stepped.error, *between]
        program = builder.program([value.operand for value in found])
        functions = {name: x.numpy for name, x in OPERATIONS.items() if x.numpy is not None}
        given = dict(zip(builder.inputs, [t, t + h, h, theta, *y.values()]))
        with np.errstate(all="ignore"):
            results = program.evaluate(given, functions)
        size = len(y)
        self.y1, self.error = results[:size], results[size : 2 * size]
        self.inside = results[2 * size :]


@SOLVERS
def test_equals_the_diffrax_class(solver: Any):
    rng = np.random.default_rng(0)
    y = {"a": rng.uniform(0.1, 1, 32), "b": rng.uniform(1e-5, 1e-4, 32)}
    y["c"] = rng.uniform(0.1, 1, 32)
    h, theta, t = rng.uniform(0.1, 10, 32), 0.37, 0.3
    step = Step(solver, DRIVEN_ROBERTSON, t, h, y, theta)
    solver = type(solver)(unbounded=())

    @jax.jit
    @jax.vmap
    def reference(y: Any, h: Any) -> Any:
        term = diffrax.ODETerm(driven_robertson)
        y1, error, dense, _, _ = solver.step(term, t, t + h, y, None, None, False)
        inside = solver.interpolation_cls(t0=t, t1=t + h, **dense).evaluate(t + theta * h)
        return y1, error, inside

    for mine, expected in zip((step.y1, step.error, step.inside), reference(y, h)):
        for i, name in enumerate(NAMES):
            scale = np.abs(expected[name]).max()
            np.testing.assert_allclose(mine[i], expected[name], rtol=0, atol=1e-13 * scale)


def growth(rate: float) -> DifferentiatedField:
    """Two states: y0' = rate y0, y1' = y0 - y1."""

    def evaluate(point: Point) -> list[Value]:
        return [rate * point.y[0], point.y[0] - point.y[1]]

    def differentiate(point: Point) -> Derivatives:
        one = Value(point.t.builder, 1.0)
        jacobian = {(0, 0): rate * one, (1, 0): one, (1, 1): -one}
        return Derivatives(evaluate(point), jacobian, {})

    entries = frozenset({(0, 0), (1, 0), (1, 1)})
    return DifferentiatedField(evaluate, differentiate, entries, False, Proportions(2))


@SOLVERS
def test_a_vanishing_pivot_rejects_the_step(solver: Any):
    rate = 2.0 / solver.tableau.gamma
    # the first lane's 1 / (gamma h) is the rate
    y = {"a": np.ones(2), "b": np.ones(2)}
    step = Step(solver, growth(rate), 0.0, np.array([0.5, 0.25]), y)
    assert not np.isfinite([error[0] for error in step.error]).all()
    assert [y[0] for y in step.y1] == [1.0, 1.0]
    assert np.isfinite([error[1] for error in step.error]).all()
    assert np.isfinite([y[1] for y in step.y1]).all()


@SOLVERS
@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_field_that_is_not_finite_shows_in_the_candidate(solver: Any, poison: float):
    y = {"a": np.array([poison, 1.0]), "b": np.ones(2)}
    step = Step(solver, growth(-1.0), 0.0, np.full(2, 0.1), y)
    assert not np.isfinite([error[0] for error in step.error]).all()
    assert not np.isfinite([y[0] for y in step.y1]).all()
    assert np.isfinite([y[1] for y in step.y1]).all()


def coupled(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Every state acts on every other."""
    return {"x": args.rate * (jnp.sin(t) - y.x * jnp.sum(y.x))}


def coupled_problem(size: int, field: Any = coupled, **settings: Any) -> tuple[Problem, Lanes]:
    initial = np.linspace(0.5, 1.5, size)
    states = {"x": {"initial": initial.tolist(), "dims": ["cell"]}}
    problem = make_problem(make_model(field, states, 1.0, rate=1.0), **settings)
    return problem, Lanes(np.repeat(initial[:, None], 40, axis=1), np.geomspace(1, 1e4, 40)[None])


def star(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Every state acts on its neighbour and on the first, which acts on all: sparse factors."""
    drive = jnp.sin(t) - y.x * (3.0 + jnp.roll(y.x, 1) + y.x[0])
    return {"x": args.rate * drive.at[0].add(jnp.mean(y.x**2))}


@pytest.mark.parametrize(
    ("size", "field", "call"),
    [
        (8, star, "call(sparse_factor, "),
        (10, coupled, "call(lu_factor, 12)"),
        (12, coupled, "call(lu_factor, 12)"),
    ],
)
def test_factors_are_computed_by_loops_as_they_are_written_out(
    size: int, field: Any, call: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    solutions = []
    for most in (10**6, 0):
        monkeypatch.setattr(generator, "_MOST_WRITTEN", most)
        settings = {"method": "rodas5p", "rtol": 1e-8, "atol": 1e-10, "dt0": 1e-3}
        problem, lanes = coupled_problem(size, field, **settings)
        solutions.append(native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path))
        assert (call in native_engine.generated(problem).code.text) == (most == 0)
    written, looped = solutions
    assert (looped.status == Status.success).all()
    np.testing.assert_array_equal(looped.num_steps, written.num_steps)
    np.testing.assert_allclose(looped.values["x"], written.values["x"], rtol=1e-9)


def test_a_jacobian_that_is_too_full_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(generator, "_MOST_WRITTEN", 0)
    monkeypatch.setattr(generator, "_LARGEST_DENSE", 8)
    problem, _ = coupled_problem(9)
    with pytest.raises(UntranslatableError, match=r"9 x 9 Jacobian have 81 entries"):
        rosenbrock(problem.model, find_method("rodas5p"))


def reference_case(name: str, **settings: Any) -> tuple[Problem, Lanes, dict[str, float]]:
    """A published problem, its rates varied over 64 lanes, the first with the published rates."""
    case = json.loads((PROJECT / "tests/support/reference_problems.json").read_text())[name]
    model = make_model(getattr(kinetics, name), case["initial"], case["t1"], **case["parameters"])
    rates = np.array(list(case["parameters"].values()))[:, None]
    spread = np.random.default_rng(0).uniform(-0.2, 0.2, (len(rates), 64))
    spread[:, 0] = 0.0
    y0 = np.repeat(np.array(list(case["initial"].values()))[:, None], 64, axis=1)
    problem = make_problem(model, rtol=1e-6, atol=1e-10, dt0=1e-6, **settings)
    return problem, Lanes(y0, rates * np.exp(spread)), case["end"]


@pytest.mark.parametrize(
    ("name", "method"),
    [("robertson", "rodas5p"), pytest.param("hires", "rodas5p", marks=pytest.mark.slow)],
)
def test_takes_the_steps_of_the_diffrax_engine(name: str, method: str, tmp_path: Path):
    problem, lanes, end = reference_case(name, method=method)
    native = native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)
    reference = diffrax_engine.solve(problem, lanes)
    assert (native.status == Status.success).all()
    same = native.num_steps == reference.num_steps
    assert same.mean() >= 0.99
    np.testing.assert_array_equal(
        native.num_accepted_steps[same], reference.num_accepted_steps[same]
    )
    for variable, published in end.items():
        expected = reference.values[variable]
        tolerance = 1e-10 + 1e-6 * np.abs(expected)
        off = np.abs(native.values[variable] - expected) / tolerance
        assert off[same].max() < 1e-3
        assert abs(native.values[variable][0, -1] - published) < 2 * tolerance[0, -1]


@pytest.mark.slow
def test_saves_inside_of_steps_with_time_in_the_field(tmp_path: Path):
    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        return {"y": args.stiffness * (jnp.sin(t + 1) - y.y) + jnp.cos(t + 1)}

    model = make_model(field, {"y": float(np.sin(1.0))}, 2.0, stiffness=1.0)
    ts = np.linspace(0.0, 2.0, 41)
    lanes = Lanes(np.full((1, 16), np.sin(1.0)), np.logspace(0, 5, 16)[None])
    problem = make_problem(model, ts, method="rodas5p", rtol=1e-8, atol=1e-10)
    native = native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)
    reference = diffrax_engine.solve(problem, lanes)
    exact = np.broadcast_to(np.sin(ts + 1), (16, 41))
    # only the ends of steps are under error control
    np.testing.assert_allclose(native.values["y"], exact, atol=1e-5)
    np.testing.assert_allclose(native.values["y"][:, -1], exact[:, -1], atol=1e-7)
    np.testing.assert_array_equal(native.num_steps, reference.num_steps)
    np.testing.assert_allclose(native.values["y"], reference.values["y"], atol=1e-9)


def test_a_lane_with_a_vanishing_pivot_goes_on_with_a_smaller_step(tmp_path: Path):
    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        return {"a": args.rate * y.a, "b": y.a - y.b}

    model = make_model(field, {"a": 1.0, "b": 1.0}, 1.0, rate=1.0)
    rate = 1.0 / (RODAS3P.gamma * 0.5)
    lanes = Lanes(np.ones((2, 3)), np.array([[1.0, rate, 2.0]]))
    problem = make_problem(model, method="rodas3p", dt0=0.5, rtol=1e-8, atol=1e-8)
    solution = native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)
    reference = diffrax_engine.solve(problem, lanes)
    np.testing.assert_array_equal(solution.num_steps, reference.num_steps)
    assert (solution.status == Status.success).all()
    np.testing.assert_allclose(solution.values["a"][:, -1], np.exp([1.0, rate, 2.0]), rtol=1e-5)
