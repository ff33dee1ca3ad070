"""The generated factorisation against numpy.linalg, on random patterns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odeflow.engines.native.methods.sparse_lu import SparseLU, plan
from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.operations import OPERATIONS
from odeflow.engines.native.program.value import Value


def solution(lu: SparseLU, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """What the program of factoring and solving gives, computed by NumPy."""
    diagonal = {(i, i) for i in range(len(matrix))}
    names = {entry: "a{}_{}".format(*entry) for entry in sorted(places(matrix) | diagonal)}
    builder = Builder([*names.values(), *(f"b{i}" for i in range(len(right)))])
    factors = lu.factor({entry: Value(builder, name) for entry, name in names.items()})
    solved = lu.solve(factors, [Value(builder, f"b{i}") for i in range(len(right))])
    program = builder.program([value.operand for value in solved])
    given = {name: matrix[entry] for entry, name in names.items()}
    given |= {f"b{i}": value for i, value in enumerate(right)}
    functions = {name: x.numpy for name, x in OPERATIONS.items() if x.numpy is not None}
    with np.errstate(all="ignore"):
        return np.array(program.evaluate(given, functions))


@st.composite
def dominant_systems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Sparse, diagonally dominant by rows, with a right-hand side."""
    size = draw(st.integers(1, 12))
    density = draw(st.floats(0, 1))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    matrix = rng.normal(size=(size, size)) * (rng.random((size, size)) < density)
    np.fill_diagonal(matrix, 0)
    sign = rng.choice([-1.0, 1.0], size)
    matrix += np.diag(sign * (np.abs(matrix).sum(1) + rng.uniform(0.1, 1, size)))
    return matrix, rng.normal(size=size)


def places(matrix: np.ndarray) -> set[tuple[int, int]]:
    return {(int(i), int(j)) for i, j in np.argwhere(matrix)}


@settings(max_examples=150, deadline=None)
@given(dominant_systems())
def test_solves_as_numpy_does(system: tuple[np.ndarray, np.ndarray]):
    matrix, right = system
    lu = plan(len(matrix), places(matrix))
    np.testing.assert_allclose(
        solution(lu, matrix, right), np.linalg.solve(matrix, right), rtol=1e-9, atol=1e-12
    )


@settings(max_examples=100, deadline=None)
@given(dominant_systems())
def test_entries_are_where_elimination_puts_nonzeros(system: tuple[np.ndarray, np.ndarray]):
    matrix, _ = system
    lu = plan(len(matrix), places(matrix))
    assert sorted(lu.order) == list(range(len(matrix)))
    assert places(matrix) <= lu.entries
    permuted = matrix[np.ix_(lu.order, lu.order)]
    for k in range(len(permuted)):
        permuted[k + 1 :, k] /= permuted[k, k]
        permuted[k + 1 :, k + 1 :] -= np.outer(permuted[k + 1 :, k], permuted[k, k + 1 :])
    found = {(lu.order[i], lu.order[j]) for i, j in places(permuted)}
    # the numbers are random, so nothing cancels by accident
    assert found == lu.entries


@settings(max_examples=50, deadline=None)
@given(dominant_systems())
def test_operation_counts_are_those_of_the_program(system: tuple[np.ndarray, np.ndarray]):
    matrix, right = system
    lu = plan(len(matrix), places(matrix))
    names = {entry: "a{}_{}".format(*entry) for entry in sorted(places(matrix))}
    builder = Builder([*names.values(), *(f"b{i}" for i in range(len(right)))])
    factors = lu.factor({entry: Value(builder, name) for entry, name in names.items()})
    assert set(factors) == lu.entries

    statements = builder.program([value.operand for value in factors.values()]).statements
    # a fill-in starts with a product, which is negated and not subtracted
    assert sum(s.operation != "neg" for s in statements) <= lu.factor_operations
    known = {str(value.operand) for value in factors.values()}
    fresh = Builder([*sorted(known), *(f"b{i}" for i in range(len(right)))])
    again = {entry: Value(fresh, str(value.operand)) for entry, value in factors.items()}
    solved = lu.solve(again, [Value(fresh, f"b{i}") for i in range(len(right))])
    statements = fresh.program([value.operand for value in solved]).statements
    assert len(statements) == lu.solve_operations


def test_an_arrow_is_eliminated_without_fill_in():
    size = 9
    arrow = {(i, 0) for i in range(size)} | {(0, i) for i in range(size)}
    lu = plan(size, arrow)
    assert len(lu.entries) == 3 * size - 2
    # the tip is last, or last but one: then it and the last are a full 2 x 2 block
    assert 0 in lu.order[-2:]


def test_a_chain_costs_no_more_than_a_tridiagonal_solver():
    size = 20
    chain = {(i, j) for i in range(size) for j in (i - 1, i + 1) if 0 <= j < size}
    lu = plan(size, chain)
    assert len(lu.entries) == 3 * size - 2
    assert lu.solve_operations == 5 * size - 4
    assert lu.factor_operations == 3 * (size - 1) + size


@pytest.mark.parametrize(
    "matrix",
    [
        np.array([[0.0]]),
        np.array([[1.0, 2.0], [2.0, 4.0]]),
        np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]),
        np.array([[2.0, 1.0], [np.inf, 1.0]]),
        np.array([[np.nan, 0.0], [0.0, 1.0]]),
    ],
)
def test_a_vanishing_pivot_shows_in_the_solution(matrix: np.ndarray):
    pattern = {(i, j) for i in range(len(matrix)) for j in range(len(matrix))}
    lu = plan(len(matrix), pattern)
    assert not np.isfinite(solution(lu, matrix, np.ones(len(matrix)))).all()


def test_the_same_pattern_gives_the_same_order():
    pattern = [(0, 3), (3, 1), (1, 2), (2, 0), (1, 0)]
    assert plan(4, pattern) == plan(4, reversed(pattern))
