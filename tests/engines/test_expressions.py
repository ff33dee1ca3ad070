"""Random expressions as observables of the native engine, against jitted JAX and NumPy."""

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.config.model import Observables
from odeflow.engines.native import engine as native_engine
from odeflow.problem.problem import Lanes
from tests.support.problems import make_model, make_problem
from tests.support.random_expressions import (
    JAX,
    ZEROS,
    Expression,
    arguments,
    by_jax,
    by_numpy,
    expression,
)

POINTS = 256
#: Expressions in one program.
BLOCK = 50


def by_native(expressions: list[Expression], values: np.ndarray, tmp_path: Path) -> np.ndarray:
    """What the native engine saves at t0 of observables of three parameters."""
    names = [f"o{i}" for i in range(len(expressions))]
    model = make_model(lambda t, y, args: {"y": 0.0}, {"y": 1.0}, 1.0, a=0.0, b=0.0, c=0.0)
    config = model.config.model_copy(update={"observables": Observables(function="tests:none")})
    observed = lambda t, y, args: {
        name: jnp.asarray(e.function(JAX, *args), float) for name, e in zip(names, expressions)
    }
    problem = make_problem(replace(model, config=config, observables_function=observed), [0.0])
    lanes = Lanes(np.ones((1, values.shape[1])), values)
    solution = native_engine.solve(
        replace(problem, variables=tuple(names)), lanes, threads=1, cache_dir=tmp_path
    )
    return np.stack([solution.values[name][:, 0] for name in names])


def close(a: np.ndarray, b: np.ndarray, slack: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= 1e-12 * np.abs(b) + slack
    return near | (a == b) | (np.isnan(a) & np.isnan(b))


def conditioning(expressions: list[Expression], values: np.ndarray) -> np.ndarray:
    """How far a value moves where each number is another by some units in the last place."""
    here, slack = by_numpy(expressions, values), 0.0
    for relative in (8e-16, -8e-16, 3e-15):
        for which in range(3):
            moved = values.copy()
            moved[which] *= 1 + relative
            with np.errstate(invalid="ignore"):
                change = np.abs(by_numpy(expressions, moved) - here)
            slack = np.maximum(slack, np.where(np.isfinite(change), change, 0.0))
    return 30 * np.asarray(slack)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 40))]
)
def test_random_expressions(seed: int, tmp_path: Path) -> None:
    """Each value is JAX's, or NumPy's where XLA takes subnormals for zero or rewrites the whole.

    One difference is our own: a constant zero times infinity or NaN, or over zero, is zero, which
    keeps the zeros of a Jacobian.
    """
    rng = np.random.default_rng(seed)
    expressions = [expression(rng) for _ in range(BLOCK)]
    values = arguments(rng, POINTS)
    ours = by_native(expressions, values, tmp_path)
    jax, numpy = by_jax(expressions, values), by_numpy(expressions, values)
    slack = conditioning(expressions, values)
    with np.errstate(invalid="ignore"):
        between = np.abs(jax - numpy)
    slack = slack + 30 * np.where(between < 1e-9, between, 0.0)
    zeros = by_numpy(expressions, values, ZEROS)
    right = np.any([close(ours, other, slack) for other in (jax, numpy, zeros)], axis=0)
    wrong = [
        f"{expressions[i].text} at {values[:, k]}: {ours[i, k]!r}, JAX {jax[i, k]!r}, NumPy "
        f"{numpy[i, k]!r}"
        for i, k in np.argwhere(~right)
    ]
    assert not wrong, "\n".join(wrong[:20]) + f"\n{len(wrong)} in all"
