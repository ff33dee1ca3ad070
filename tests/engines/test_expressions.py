"""Random expressions as observables of the native engine, against jitted JAX and NumPy."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.engines.native import engine as native_engine
from odeflow.problem.problem import Lanes
from tests.support.problems import make_model, make_problem
from tests.support.random_expressions import (
    JAX,
    Expression,
    arguments,
    by_jax,
    by_numpy,
    explanation,
    expression,
)

POINTS = 256
#: Expressions in one program.
BLOCK = 50


def by_native(expressions: list[Expression], values: np.ndarray, tmp_path: Path) -> np.ndarray:
    """What the native engine saves at t0 of observables of three parameters."""
    names = [f"o{i}" for i in range(len(expressions))]
    model = make_model(lambda t, y, args: {"y": 0.0}, {"y": 1.0}, 1.0, a=0.0, b=0.0, c=0.0)
    observed = lambda t, y, args: {
        name: jnp.asarray(e.function(JAX, *args), float) for name, e in zip(names, expressions)
    }
    problem = make_problem(replace(model, observables_function=observed), [0.0])
    lanes = Lanes(np.ones((1, values.shape[1])), values)
    solution = native_engine.solve(
        replace(problem, variables=tuple(names)), lanes, threads=1, cache_dir=tmp_path
    )
    return np.stack([solution.values[name][:, 0] for name in names])


def close(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= 1e-12 * np.abs(b)
    return near | (a == b) | (np.isnan(a) & np.isnan(b))


def differences(seed: int, tmp_path: Path) -> Iterator[tuple[str | None, str]]:
    """What is neither JAX's value nor NumPy's, of a block: why, and which it is."""
    rng = np.random.default_rng(seed)
    expressions = [expression(rng) for _ in range(BLOCK)]
    values = arguments(rng, POINTS)
    ours = by_native(expressions, values, tmp_path)
    jax, numpy = by_jax(expressions, values), by_numpy(expressions, values)
    for i, k in np.argwhere(~(close(ours, jax) | close(ours, numpy))):
        one, point = expressions[i], values[:, k]
        yield (
            explanation(one, point, ours[i, k], numpy[i, k]),
            f"{one.text} at {point}: {ours[i, k]!r}, JAX {jax[i, k]!r}, NumPy {numpy[i, k]!r}",
        )


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 40))]
)
def test_random_expressions(seed: int, tmp_path: Path) -> None:
    """Each value is JAX's or NumPy's, or it is known why it is another."""
    wrong = [text for why, text in differences(seed, tmp_path) if why is None]
    assert not wrong, "\n".join(wrong[:20]) + f"\n{len(wrong)} in all"


def test_what_is_wrong_is_not_explained():
    """A wrong sign, another function, a value off by 1e-9."""
    point = np.array([1.3, 0.7, -2.0])
    one = Expression(lambda m, a, b, c: m.multiply(m.sin(a), m.exp(b)), "sin(a) exp(b)")
    right = float(np.sin(1.3) * np.exp(0.7))
    assert explanation(one, point, right * (1 + 1e-15), right) is not None
    for value in (-right, right * (1 + 1e-9), np.cos(1.3) * np.exp(0.7), np.inf, np.nan, 0.0):
        assert explanation(one, point, float(value), right) is None
