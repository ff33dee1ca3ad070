"""Constants that are read at places known when a model runs, against JAX and Diffrax."""

import math
from collections.abc import Callable
from typing import Any

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import odeflow
from odeflow.engines.native.frontend.derivatives import translate_jacobian
from odeflow.engines.native.frontend.translate import translate
from tests.engines.test_native_translate import check, compiled, expected
from tests.support.marks import fast

RNG = np.random.default_rng(4)
XP = np.cumsum(RNG.exponential(1.0, 300))
FP = RNG.normal(size=300)
GRID = RNG.normal(size=(40, 30))
WHOLE = RNG.integers(-5, 5, 50)
AT = [*RNG.uniform(-9, XP[-1] + 9, 20), *XP[[0, 1, 7, 298, 299]], -1e300, 1e300, math.inf, math.nan]


def place(x: Any) -> Any:
    return jnp.floor(x).astype(int)


READS: dict[str, Callable[[Any], Any]] = {
    "interp": lambda x: jnp.interp(x, jnp.asarray(XP), jnp.asarray(FP)),
    "interp, ends": lambda x: jnp.interp(x, jnp.asarray(XP), jnp.asarray(FP), 3.0, jnp.nan),
    "interp, period": lambda x: jnp.interp(x, jnp.asarray(XP), jnp.asarray(FP), period=400.0),
    "search": lambda x: jnp.searchsorted(jnp.asarray(XP), x) * 1.0,
    "search, right": lambda x: jnp.searchsorted(jnp.asarray(XP), x, side="right") * 1.0,
    "search, unrolled": lambda x: (
        jnp.searchsorted(jnp.asarray(XP), x, method="scan_unrolled") * 1.0
    ),
    "previous": lambda x: jnp.asarray(FP)[jnp.searchsorted(jnp.asarray(XP), x, side="right") - 1],
    "digitize": lambda x: jnp.asarray(FP)[jnp.digitize(x, jnp.asarray(XP)) - 1],
    "index": lambda x: jnp.asarray(FP)[place(x)],
    "filled": lambda x: jnp.asarray(FP).at[place(x)].get(mode="fill", fill_value=7.0),
    "take": lambda x: jnp.take(jnp.asarray(FP), place(x)),
    "take, wrapped": lambda x: jnp.take(jnp.asarray(FP), place(x), mode="wrap"),
    "two": lambda x: jnp.asarray(GRID)[place(x), place(x / 2) + 1],
    "row": lambda x: jnp.asarray(GRID)[place(x)],
    "column": lambda x: jnp.asarray(GRID)[:, place(x)],
    "several": lambda x: jnp.asarray(FP)[jnp.stack([place(x), 3 * place(x), place(x) % 7])],
    "slice": lambda x: lax.dynamic_slice(jnp.asarray(GRID), (place(x), 2), (3, 2)),
    "whole numbers": lambda x: jnp.asarray(WHOLE)[place(x)] * 2 + 1.0,
    "truths": lambda x: jnp.where(jnp.asarray(WHOLE > 0)[place(x)], x, 1.0),
    "of a place": lambda x: jnp.asarray(FP)[jnp.asarray(WHOLE)[place(x)] + 8],
}  # fmt: skip


#: Reads that compute with places: whole numbers are exact to 2^53 here.
COMPUTED = {"take, wrapped", "two", "several"}


@pytest.mark.parametrize("name", READS)
def test_reads_are_jax_s(name: str):
    at = [[x] for x in AT if name not in COMPUTED or abs(x) < 1e6]
    program = check(READS[name], count=1, at=at, rtol=2e-13)
    assert len(program.statements) < 900


def test_single_precision_is_exact():
    xp, fp = XP.astype("float32"), FP.astype("float32")
    read = lambda x: jnp.asarray(fp)[jnp.searchsorted(jnp.asarray(xp), x) - 1]
    run = compiled(translate(read, ["x"], np.float32), np.float32)
    for x in [x for x in AT if abs(x) != 1e300]:
        np.testing.assert_array_equal(run(x), expected(read, x, dtype=np.float32))


def test_the_order_of_many_numbers():
    """More places than a tree of decisions is kept for."""
    names = [f"x{i}" for i in range(12)]
    rank = lambda *v: jnp.argsort(jnp.stack(v)) * 1.0
    run = compiled(translate(rank, names))
    for _ in range(5):
        point = RNG.normal(size=12)
        np.testing.assert_array_equal(run(*point), np.argsort(point))


def test_derivatives_through_interpolation():
    field = lambda t, y, k: k * y * jnp.interp(t, jnp.asarray(XP), jnp.asarray(FP))
    program = translate_jacobian(field, 1, ["t", "y", "k"]).program
    place = 100
    t = 0.3 * XP[place] + 0.7 * XP[place + 1]
    slope = (FP[place + 1] - FP[place]) / (XP[place + 1] - XP[place])
    value = FP[place] + slope * (t - XP[place])
    np.testing.assert_allclose(compiled(program)(t, 2.0, 0.5), [0.5 * value, slope], rtol=1e-12)


def filling(t: Any, y: Any, args: Any) -> Any:
    return args * jnp.interp(t, jnp.asarray(XP), jnp.asarray(FP)) + 0.0 * y


def held(t: Any, y: Any, args: Any) -> Any:
    return args * jnp.asarray(FP)[jnp.searchsorted(jnp.asarray(XP), t, side="right") - 1] + 0.0 * y


@pytest.mark.parametrize("field", fast({held}, [filling, held]))
def test_lanes_are_diffrax_s(field: Any):
    term, y0, end = diffrax.ODETerm(field), np.array([0.0]), XP[-1] - 0.1
    known = {
        "saveat": diffrax.SaveAt(ts=np.linspace(XP[0], end, 50)), "max_steps": 10_000,
        "stepsize_controller": diffrax.ConstantStepSize(),
    }  # fmt: skip
    args = np.array([1.0, -2.0])
    found = odeflow.ensemble_solve(
        term, diffrax.Tsit5(), XP[0], end, 0.1, y0, args, in_axes=(None, 0), **known
    )
    assert found.engine == "native"
    for k, ys in zip(args, found.ys, strict=True):
        alone = diffrax.diffeqsolve(term, diffrax.Tsit5(), XP[0], end, 0.1, y0, k, **known)
        np.testing.assert_allclose(ys, np.asarray(alone.ys), rtol=1e-10, atol=1e-10)


def test_many_knots_compile_as_few():
    """A hundred thousand knots: the steps of the search grow by their logarithm."""

    def size(knots: int) -> int:
        x = np.linspace(0, 1, knots)
        read = lambda t: jnp.interp(t, jnp.asarray(x), jnp.asarray(x**2))
        return len(translate(read, ["t"]).statements)

    assert size(100_000) < 2.5 * size(500)
