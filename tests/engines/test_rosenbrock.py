"""Rosenbrock methods: order conditions, observed orders, stiff problems, failures."""

from collections.abc import Iterator
from itertools import combinations_with_replacement, product
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.engines.diffrax.rosenbrock import Rodas3P, Rodas5P
from odeflow.problem.methods.rosenbrock import RODAS3P, RODAS5P
from odeflow.problem.methods.rosenbrock_tableau import RosenbrockTableau

TABLEAUS = pytest.mark.parametrize("tableau", [RODAS5P, RODAS3P], ids=["rodas5p", "rodas3p"])
SOLVERS = pytest.mark.parametrize("solver", [Rodas5P(), Rodas3P()], ids=["rodas5p", "rodas3p"])

#: A rooted tree is the sorted tuple of the trees at its root.
Tree = tuple[Any, ...]


def trees(order: int, largest: int | None = None) -> Iterator[Tree]:
    """Every rooted tree with `order` vertices."""

    def forests(vertices: int, largest: int) -> Iterator[Tree]:
        if vertices == 0:
            yield ()
        for size in range(min(vertices, largest), 0, -1):
            for count in range(1, vertices // size + 1):
                roots = combinations_with_replacement(list(trees(size)), count)
                for some, rest in product(
                    list(roots), list(forests(vertices - size * count, size - 1))
                ):
                    yield some + rest

    return forests(order - 1, order - 1)


def vertices(tree: Tree) -> int:
    return 1 + sum(map(vertices, tree))


def density(tree: Tree) -> int:
    result = vertices(tree)
    for child in tree:
        result *= density(child)
    return result


class Weights:
    """The coefficients alpha_ij and beta_ij = alpha_ij + gamma_ij of the untransformed method."""

    def __init__(self, tableau: RosenbrockTableau):
        s = tableau.stages
        a, c = np.zeros((s, s)), np.zeros((s, s))
        for i in range(s):
            a[i, : len(tableau.a[i])] = tableau.a[i]
            c[i, : len(tableau.c[i])] = tableau.c[i]
        self.tableau = tableau
        self.gamma = np.linalg.inv(np.eye(s) / tableau.gamma - c)
        self.alpha = a @ self.gamma
        self.beta = self.alpha + self.gamma

    def stage_weights(self, tree: Tree) -> np.ndarray:
        """Elementary weight of a tree at every stage: beta at vertices with one child."""
        matrix = self.beta if len(tree) == 1 else self.alpha
        result = np.ones(self.tableau.stages)
        for child in tree:
            result = result * (matrix @ self.stage_weights(child))
        return result

    def defect(self, m: np.ndarray, order: int, theta: float = 1.0) -> float:
        """Largest error in the conditions of one order, for the weights m of the stages k."""
        return max(
            abs(m @ self.gamma @ self.stage_weights(tree) - theta**order / density(tree))
            for tree in trees(order)
        )

    def dense(self, theta: float) -> np.ndarray:
        q = sum(theta**r * np.array(row) for r, row in enumerate(self.tableau.dense))
        return theta * (np.array(self.tableau.m) + (1 - theta) * q)


def test_the_rooted_trees_are_all_there():
    assert [len(list(trees(n))) for n in range(1, 7)] == [1, 1, 2, 4, 9, 20]


@TABLEAUS
def test_order_conditions(tableau: RosenbrockTableau):
    weights = Weights(tableau)
    m, error = np.array(tableau.m), np.array(tableau.error)
    for order in range(1, 6):
        assert (weights.defect(m, order) < 1e-13) == (order <= tableau.order)
        assert (weights.defect(m - error, order) < 1e-13) == (order <= tableau.embedded_order)
        dense = max(weights.defect(weights.dense(x), order, x) for x in (0.2, 0.5, 0.9))
        assert (dense < 1e-13) == (order <= tableau.dense_order)
    assert weights.defect(m, tableau.order + 1) > 1e-3


@TABLEAUS
def test_row_sums(tableau: RosenbrockTableau):
    weights = Weights(tableau)
    np.testing.assert_allclose(weights.alpha.sum(1), tableau.alpha, atol=1e-13)
    np.testing.assert_allclose(weights.gamma.sum(1), tableau.gammas, atol=1e-13)
    assert tableau.gammas[0] == tableau.gamma


@TABLEAUS
def test_stability_function(tableau: RosenbrockTableau):
    weights = Weights(tableau)
    one, s = np.ones(tableau.stages), tableau.stages

    def growth(z: complex, m: np.ndarray) -> float:
        return abs(1 + z * m @ weights.gamma @ np.linalg.solve(np.eye(s) - z * weights.beta, one))

    m, error = np.array(tableau.m), np.array(tableau.error)
    assert growth(-1e9, m) < 1e-6
    assert growth(-1e9, m - error) < 1e-6
    assert max(growth(1j * x, m) for x in np.logspace(-3, 5, 400)) <= 1 + 1e-12


@TABLEAUS
def test_increments_rebuild_the_rows(tableau: RosenbrockTableau):
    rows = []
    for base, terms in tableau.increments:
        row = np.zeros(tableau.stages) if base is None else rows[base].copy()
        for j, x in terms.items():
            row[j] += x
        rows.append(row)
    for row, expected in zip(rows, (*tableau.a, tableau.m), strict=True):
        np.testing.assert_array_equal(row[: len(expected)], expected)
        assert not row[len(expected) :].any()


def constant_steps(field: Any, solver: Any, t1: float, ts: Any) -> Any:
    """Compiled once: `solve(y0, dt, args)` gives the solution at ts with steps of length dt."""

    @jax.jit
    def solve(y0: Any, dt: Any, args: Any = None) -> Any:
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(field),
            solver,
            0.0,
            t1,
            dt,
            y0,
            args,
            saveat=diffrax.SaveAt(ts=jnp.asarray(ts)),
            max_steps=None,
            adjoint=diffrax.ForwardMode(),
        )
        return solution.ys

    return solve


def driven(t: Any, y: Any, args: Any) -> Any:
    """Nonlinear, and the time derivative does not vanish."""
    del args
    return {
        "prey": -y["prey"] * y["hunter"] + jnp.cos(t),
        "hunter": y["prey"] ** 2 * jnp.sin(t) - 0.5 * y["hunter"],
    }


@SOLVERS
def test_observed_order(solver: Any):
    y0 = {"prey": jnp.array(1.0), "hunter": jnp.array(0.5)}
    # saved times lie inside steps of every length, so that the dense output is measured too
    ts = np.append(np.linspace(0.05, 1.9, 23), 2.0)
    reference = diffrax.diffeqsolve(
        diffrax.ODETerm(driven),
        diffrax.Dopri8(),
        0.0,
        2.0,
        0.001,
        y0,
        saveat=diffrax.SaveAt(ts=jnp.asarray(ts)),
    ).ys
    solve = constant_steps(driven, solver, 2.0, ts)
    errors = []
    for steps in (12, 24, 48):
        ys = solve(y0, 2.0 / steps)
        difference = np.abs([ys[name] - reference[name] for name in y0]).max(0)
        errors.append((difference[-1], difference.max()))
    end, dense = -np.diff(np.log2(errors), axis=0)[-1]
    assert abs(end - solver.tableau.order) < 0.3
    assert dense > solver.tableau.dense_order - 0.3


@SOLVERS
def test_error_estimate_falls_with_its_order(solver: Any):
    y0 = {"prey": jnp.array(1.0), "hunter": jnp.array(0.5)}
    term = diffrax.ODETerm(driven)

    @jax.jit
    def estimate(h: Any) -> Any:
        return solver.step(term, 0.3, 0.3 + h, y0, None, None, False)[1]

    errors = [max(map(abs, map(float, estimate(h).values()))) for h in (0.1, 0.05, 0.025)]
    slope = -np.diff(np.log2(errors))[-1]
    assert abs(slope - solver.error_order(term)) < 0.3


def prothero_robinson(t: Any, y: Any, stiffness: Any) -> Any:
    """The solution is sin(t + 1), whatever the stiffness."""
    return stiffness * (jnp.sin(t + 1) - y) + jnp.cos(t + 1)


@SOLVERS
def test_prothero_robinson_does_not_lose_accuracy(solver: Any):
    ts = np.linspace(0.03, 2.0, 20)
    solve = constant_steps(prothero_robinson, solver, 2.0, ts)
    for stiffness in (1e2, 1e4, 1e6):
        few, many = (
            np.abs(solve(jnp.sin(jnp.array([1.0])), 2.0 / steps, stiffness)[:, 0] - np.sin(ts + 1))
            for steps in (20, 40)
        )
        assert few.max() < (1e-6 if solver.tableau.order == 5 else 1e-4)
        assert many.max() < few.max() / 4


def adaptive(field: Any, solver: Any, y0: Any, t1: float, args: Any = None, **options: Any) -> Any:
    controller = diffrax.PIDController(rtol=1e-6, atol=1e-10, force_dtmin=False)
    settings = {"saveat": diffrax.SaveAt(t1=True), "max_steps": 10_000, "throw": False} | options
    return diffrax.diffeqsolve(
        diffrax.ODETerm(field),
        solver,
        0.0,
        t1,
        1e-4,
        y0,
        args,
        stepsize_controller=controller,
        adjoint=diffrax.ForwardMode(),
        **settings,
    )


def robertson(t: Any, y: Any, args: Any) -> Any:
    del t
    a, b, c = y
    slow, fast, cross = args
    return (-slow * a + cross * b * c, slow * a - cross * b * c - fast * b * b, fast * b * b)


@pytest.mark.slow
def test_robertson_keeps_its_invariant_under_vmap_and_jit():
    y0 = tuple(map(jnp.array, (1.0, 0.0, 0.0)))
    factor = jnp.linspace(0.8, 1.2, 8)
    rates = (0.04 * factor, 3e7 * factor, 1e4 * factor)
    solve = jax.jit(jax.vmap(lambda args: adaptive(robertson, Rodas5P(), y0, 1e5, args)))
    solution = solve(rates)
    np.testing.assert_allclose(sum(y[:, 0] for y in solution.ys), 1.0, atol=1e-12)
    assert (solution.stats["num_steps"] < 120).all()
    # Up to rounding: XLA may compile the lanes at the ends of a batch differently. The engines
    # see to it that the bits do not depend on the neighbours, see their own tests.
    swapped = solve(tuple(rate[::-1] for rate in rates))
    for one, other in zip(solution.ys, swapped.ys):
        np.testing.assert_allclose(one, other[::-1], rtol=1e-12)


@pytest.mark.slow
@SOLVERS
def test_backwards_in_time(solver: Any):
    def field(t: Any, y: Any, args: Any) -> Any:
        del args
        return -y + t

    exact = lambda t: t - 1 + 2 * jnp.exp(-t)
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(field),
        solver,
        1.0,
        0.0,
        -0.01,
        exact(jnp.array(1.0)),
        saveat=diffrax.SaveAt(ts=jnp.array([0.777, 0.5, 0.0])),
    )
    np.testing.assert_allclose(solution.ys, exact(jnp.array([0.777, 0.5, 0.0])), rtol=1e-6)


@pytest.mark.slow
@SOLVERS
def test_a_singular_system_rejects_the_step(solver: Any):
    gamma = solver.tableau.gamma
    term = diffrax.ODETerm(lambda t, y, args: y / gamma)
    y1, error, _, _, _ = solver.step(term, 0.0, 1.0, jnp.array([2.0, 3.0]), None, None, False)
    np.testing.assert_array_equal(y1, [2.0, 3.0])
    assert np.isinf(error).all()
    # and the integration goes on with a smaller one
    solution = adaptive(lambda t, y, args: y / gamma, solver, jnp.array([1.0]), 1.0)
    assert solution.result == diffrax.RESULTS.successful
    np.testing.assert_allclose(solution.ys[0, 0], np.exp(1 / gamma), rtol=1e-4)


@SOLVERS
def test_a_field_that_is_not_finite_ends_the_lane_only(solver: Any):
    def field(t: Any, y: Any, pole: Any) -> Any:
        return jnp.where(t > pole, jnp.nan, -y)

    solution = jax.vmap(lambda pole: adaptive(field, solver, jnp.array([1.0]), 1.0, pole))(
        jnp.array([0.5, 2.0])
    )
    failed, good = solution.result._value  # type: ignore[attr-defined]
    assert failed != diffrax.RESULTS.successful._value
    assert good == diffrax.RESULTS.successful._value
    np.testing.assert_allclose(solution.ys[1, 0, 0], np.exp(-1.0), rtol=1e-4)


def test_dense_solution_has_a_derivative():
    solution = adaptive(
        prothero_robinson,
        Rodas5P(),
        jnp.sin(jnp.array([1.0])),
        2.0,
        1e3,
        saveat=diffrax.SaveAt(dense=True),
    )
    np.testing.assert_allclose(solution.evaluate(1.234), np.sin([2.234]), rtol=1e-5)
    np.testing.assert_allclose(
        solution.evaluate(0.5, 1.5), np.sin([2.5]) - np.sin([1.5]), atol=1e-6
    )
    np.testing.assert_allclose(solution.derivative(1.234), np.cos([2.234]), rtol=1e-4)
