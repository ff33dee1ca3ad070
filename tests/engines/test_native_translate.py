"""Translated programs against JAX's own evaluation of the same functions."""

import itertools
import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from odeflow.engines.native.frontend.derivatives import Jacobian, translate_jacobian
from odeflow.engines.native.frontend.translate import UntranslatableError, translate
from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.operations import OPERATIONS
from odeflow.engines.native.program.program import Program
from odeflow.engines.native.program.refusal import Refused
from odeflow.engines.native.program.table import ConstantTable
from odeflow.engines.native.program.value import inlined
from odeflow.engines.native.targets.lane_code import lane_function
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.engines.native.targets.runtime import LANE_CODE
from tests.support.compiled_loops import compiled_loop

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")

NAMES = ["x", "y", "z"]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -3.5, 0.49999999999999994, 1e-200, 30.0]
SPECIAL += [1e300, -1e300, math.inf, -math.inf, math.nan, 2.0**52 + 1, 3.7, -0.3]

#: Some become products and roots, some do not.
POWERS = [0.25, 0.75, 1.25, 1.5, 2.5, 4.0, 7.75, 8.0, 9.5, 0.3, 1 / 3, 2 / 3, 4 / 3, 8 / 3]
POWERS += [-0.25, -0.5, -1.0, -1.5, -2.5, -3.0, -6.75, -1 / 3, -2 / 3, -5 / 3]

_SAME = ["exp", "exp2", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh"]
_ARC = ["sin", "cos", "tan", "sinh", "cosh", "tanh"]
MEANING = {name: operation.numpy for name, operation in OPERATIONS.items()}
# NumPy takes the square root where the exponent is 1/2.
MEANING["pow"] = lambda x, y: np.float64(math.inf) if (x, y) == (-math.inf, 0.5) else np.power(x, y)


def compiled(program: Program, dtype: Any = np.float64) -> Callable[..., tuple[Any, ...]]:
    """The program as a Python function of NumPy scalars."""

    def typed(value: Any) -> Any:
        return value if isinstance(value, (bool, np.bool_, ConstantTable)) else dtype(value)

    functions = {
        name: lambda *values, numpy=numpy: numpy(*map(typed, values))
        for name, numpy in MEANING.items()
        if numpy is not None
    }

    def run(*values: Any) -> tuple[Any, ...]:
        with np.errstate(all="ignore"):
            inputs = dict(zip(program.inputs, map(dtype, values)))
            return tuple(program.evaluate(inputs, functions))

    return run


def expected(function: Callable[..., Any], *values: Any, dtype: Any = np.float64) -> np.ndarray:
    """What JAX computes, operation by operation."""
    leaves = jax.tree.leaves(function(*(jnp.asarray(v, dtype) for v in values)))
    return np.concatenate([np.ravel(leaf) for leaf in leaves]).astype(float)


def quick_jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled without optimisation: most of the time of these tests is XLA's."""
    options = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    return jax.jit(function, compiler_options=options)


def points(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(4, count)) * np.array([1.0, 3.0, 0.1, 1.0])[:, None]


def check(
    function: Callable[..., Any],
    count: int = 3,
    rtol: float = 1e-13,
    at: Sequence[Sequence[float]] | None = None,
) -> Program:
    """Translates a function of scalars and compares it with JAX at a few points."""
    program = translate(function, NAMES[:count])
    run, jitted = compiled(program), quick_jit(function)
    for point in points(count) if at is None else at:
        got, want = np.array(run(*point), float), expected(jitted, *point)
        np.testing.assert_allclose(got, want, rtol=rtol, atol=1e-15)
    return program


UNARY_EXACT = {
    "neg": lambda x: -x,
    "abs": jnp.abs,
    "floor": jnp.floor,
    "ceil": jnp.ceil,
    "sign": jnp.sign,
    "trunc": jnp.trunc,
    "round": jnp.round,
    "round_away": lambda x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO),
    "sqrt": jnp.sqrt,
    "square": jnp.square,
    "cube": lambda x: lax.integer_pow(x, 3),
    "sixth": lambda x: lax.integer_pow(x, 6),
    "inverse_square": lambda x: lax.integer_pow(x, -2),
    "is_finite": jnp.isfinite,
    "isnan": jnp.isnan,
    "relu": jax.nn.relu,
    "clip": lambda x: jnp.clip(x, -1.0, 2.0),
    "clamp": lambda x: lax.clamp(-1.0, x, 2.0),
    "max_0": lambda x: 1.0 / jnp.maximum(x, 0.0),
    "min_0": lambda x: 1.0 / jnp.minimum(x, 0.0),
    "max_nan": lambda x: jnp.maximum(x, jnp.nan),
    "truth": lambda x: jnp.where(x, 2.0, 3.0),
    "to_int": lambda x: x.astype(jnp.int32).astype(float),
    "to_uint": lambda x: x.astype(jnp.uint32).astype(float),
    "half": lambda x: x / 2.0,
    "nan_to_num": jnp.nan_to_num,
    "stop_gradient": lax.stop_gradient,
    "mod": lambda x: jnp.mod(x, 1.5),
    "floor_divide": lambda x: x // 1.5,
}
UNARY = {name: getattr(jnp, name) for name in [*_SAME, "tanh", "cbrt"] if name != "sqrt"} | {
    **{f"arc{name}": getattr(jnp, f"arc{name}") for name in _ARC},
    "rsqrt": lax.rsqrt,
    "logistic": jax.nn.sigmoid,
    "erf": lax.erf,
    "erfc": lax.erfc,
    "lgamma": lax.lgamma,
    "softplus": jax.nn.softplus,
    "sinc": jnp.sinc,
    **{f"power_{c}": partial(lambda c, x: x**c, c) for c in POWERS},
    "log10": jnp.log10,
    "gelu": jax.nn.gelu,
    # XLA multiplies by 1/3.
    "third": lambda x: x / 3.0,
}


@pytest.mark.parametrize("name", [*UNARY_EXACT, *UNARY])
def test_unary(name: str):
    function = (UNARY_EXACT | UNARY)[name]
    # The sine of 1e300 differs between libraries.
    periodic = name in ("sin", "cos", "tan", "sinc")
    x = [x for x in [*SPECIAL, *points(3).ravel()] if not (periodic and abs(x) > 1e17)]
    compare(translate(function, ["x"]), function, [x], exact=name in UNARY_EXACT)


def compare(program: Program, function: Any, columns: list[list[float]], exact: bool) -> None:
    """Compares at many points; whole arrays go through the same primitives, and JAX is quick."""
    run = compiled(program)
    got = np.array([run(*point)[0] for point in zip(*columns)], float)
    want = np.asarray(quick_jit(function)(*map(np.asarray, columns))).astype(float)
    if exact:
        np.testing.assert_array_equal(got, want)
    else:
        np.testing.assert_allclose(got, want, rtol=4e-15, atol=1e-15)


BINARY_EXACT = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "rem": lax.rem,
    "mod": jnp.mod,
    "max": jnp.maximum,
    "min": jnp.minimum,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "and": lambda x, y: (x > 0) & (y > 0),
    "or": lambda x, y: (x > 0) | (y > 0),
    "xor": lambda x, y: (x > 0) ^ (y > 0),
    "not": lambda x, y: ~(x > y),
    "same_truth": lambda x, y: (x > 0) == (y > 0),
    "truth_le": lambda x, y: (x > 0) <= (y > 0),
    "count": lambda x, y: (x > 0).astype(int) + (y > 0),
    "where": lambda x, y: jnp.where(x > 0, y, x),
    "heaviside": jnp.heaviside,
}
BINARY = {
    "atan2": jnp.arctan2,
    "pow": jnp.power,
    "hypot": jnp.hypot,
    "logaddexp": jnp.logaddexp,
}


@pytest.mark.parametrize("name", [*BINARY_EXACT, *BINARY])
def test_binary(name: str):
    function = (BINARY_EXACT | BINARY)[name]
    x, y = (a.ravel().tolist() for a in np.meshgrid(SPECIAL, SPECIAL))
    compare(translate(function, ["x", "y"]), function, [x, y], exact=name in BINARY_EXACT)


CONSTANTS = st.sampled_from([1.0, -1.0, 2.0, 0.5, 3.7, -2.25, 1e-3])
EXACT_UNARY = ["neg", "abs", "floor", "ceil", "sign", "round", "sqrt", "square", "cube", "half"]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 5) -> Callable[..., Any]:
    """A function of three scalars whose operations IEEE 754 makes exact."""
    kind = draw(st.integers(0, 7)) if depth else 0
    if kind == 0:
        index = draw(st.integers(0, 2))
        return lambda *v: v[index]
    one = draw(expressions(depth=depth - 1))
    if kind == 1:
        operation = UNARY_EXACT[draw(st.sampled_from(EXACT_UNARY))]
        return lambda *v: operation(one(*v))
    if kind == 2:
        constant, name = draw(CONSTANTS), draw(st.sampled_from(["add", "sub", "mul", "max", "min"]))
        return lambda *v: BINARY_EXACT[name](one(*v), constant)
    if kind == 3:
        constant, name = draw(CONSTANTS), draw(st.sampled_from(["add", "sub", "mul", "mod"]))
        return lambda *v: BINARY_EXACT[name](constant, one(*v))
    other = draw(expressions(depth=depth - 1))
    if kind == 4:
        return lambda *v: one(*v) / (1.0 + jnp.abs(other(*v)))
    if kind == 5:
        third = draw(expressions(depth=depth - 1))
        return lambda *v: jnp.where(one(*v) < other(*v), third(*v), one(*v))
    name = draw(st.sampled_from(["add", "sub", "mul", "max", "min"]))
    return lambda *v: BINARY_EXACT[name](one(*v), other(*v))


@settings(max_examples=40, deadline=None)
@given(expressions(), st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 3), min_size=2, max_size=2))
def test_expressions_are_exact(function: Callable[..., Any], at: list[tuple[float, ...]]):
    run = compiled(translate(function, NAMES))
    for point in [*at, (math.nan, 1.0, -2.0), (math.inf, -1.0, 3.0)]:
        point = [0.0 if abs(v) < 1e-30 else v for v in point]
        np.testing.assert_array_equal(np.array(run(*point), float), expected(function, *point))


@settings(max_examples=25, deadline=None)
@given(expressions(depth=3), st.tuples(*[st.floats(-100, 100, width=32)] * 3))
def test_single_precision_is_exact(function: Callable[..., Any], point: tuple[float, ...]):
    run = compiled(translate(function, NAMES, np.float32), np.float32)
    at = [0.0 if abs(v) < 1e-15 else v for v in point]
    got = run(*at)
    assert got[0].dtype == np.float32
    np.testing.assert_array_equal(got, expected(function, *at, dtype=np.float32))


STRUCTURES: dict[str, Callable[..., Any]] = {
    "stack": lambda x, y, z: jnp.stack([x, y, z])[::-1],
    "roll": lambda x, y, z: jnp.roll(jnp.stack([x, y, z]), 1),
    "reshape": lambda x, y, z: jnp.array([[x, y, z], [z, y, x]]).reshape(3, 2).T,
    "concatenate": lambda x, y, z: jnp.concatenate([jnp.array([x, y]), jnp.array([z])]) * 2.0,
    "split": lambda x, y, z: jnp.split(jnp.array([x, y, z]), [1]),
    "unstack": lambda x, y, z: jnp.unstack(jnp.array([[x, y], [z, x]]), axis=1),
    "unpacked": lambda x, y, z: sum(jnp.stack([x, y, z])),
    "pad": lambda x, y, z: jnp.pad(jnp.array([x, y, z]), (1, 2), constant_values=4.0),
    "pad_edge": lambda x, y, z: jnp.pad(jnp.array([x, y, z]), 2, mode="wrap"),
    "pad_interior": lambda x, y, z: lax.pad(jnp.array([x, y, z]), x, [(1, -1, 2)]),
    "pad_negative": lambda x, y, z: lax.pad(jnp.array([x, y, z]), x, [(-1, 1, 1)]),
    "slice": lambda x, y, z: jnp.array([x, y, z, x * y])[1::2],
    "expand_dims": lambda x, y, z: jnp.array([x, y, z])[:, None] * jnp.array([x, y])[None, :],
    "broadcast": lambda x, y, z: jnp.broadcast_to(jnp.array([[x], [y]]), (2, 2)),
    "flip": lambda x, y, z: jnp.flip(jnp.array([[x, y], [z, 1.0]]), axis=1),
    "tile": lambda x, y, z: jnp.tile(jnp.array([x, y]), 2),
    "repeat": lambda x, y, z: jnp.repeat(jnp.array([x, y, z]), 2),
    "iota": lambda x, y, z: jnp.arange(3) * x + jnp.eye(3)[1] * y,
    "diag": lambda x, y, z: jnp.diag(jnp.array([x, y, z])) @ jnp.ones(3),
    "diff": lambda x, y, z: jnp.diff(jnp.array([x, y, z])),
    "at_set": lambda x, y, z: jnp.zeros(3).at[1].set(x).at[-1].add(y).at[0].multiply(z),
    "at_many": lambda x, y, z: (
        jnp.array([x, y, z]).at[jnp.array([0, 0, 2])].add(jnp.array([y, z, x]))
    ),
    "at_slice": lambda x, y, z: jnp.zeros((2, 3)).at[:, 1].set(jnp.array([x, y])).at[1, :].min(z),
    "at_dropped": lambda x, y, z: jnp.array([x, y]).at[5].set(z),
    "at_rows": lambda x, y, z: jnp.zeros((3, 2)).at[jnp.array([2, 0])].max(x),
    "fancy": lambda x, y, z: jnp.array([x, y, z])[jnp.array([[2, 0], [-1, 1]])],
    "fancy_2d": lambda x, y, z: jnp.array([[x, y], [z, 1.0]])[jnp.array([0, 1]), jnp.array([1, 0])],
    "take_rows": lambda x, y, z: jnp.array([[x, y], [z, 1.0], [y, y]])[jnp.array([2, 0])],
    "take_filled": lambda x, y, z: (
        jnp.array([x, y]).at[jnp.array([1, 7])].get(mode="fill", fill_value=3.0)
    ),
    "take_nan": lambda x, y, z: jnp.take(jnp.array([x, y]), jnp.array([1, 7])),
    "take_along": lambda x, y, z: jnp.take_along_axis(
        jnp.array([[x, y], [z, 1.0]]), jnp.array([[1], [0]]), axis=1
    ),
    "vmap": lambda x, y, z: jax.vmap(lambda i: jnp.array([x, y, z])[i] * i)(jnp.arange(3)),
    "vmap_2": lambda x, y, z: jax.vmap(lambda a, b: a[b])(
        jnp.array([[x, y], [y, z]]), jnp.array([1, 0])
    ),
    "vmap_at": lambda x, y, z: jax.vmap(lambda a, i: a.at[i].set(x))(
        jnp.array([[x, y], [y, z]]), jnp.array([1, 0])
    ),
    "dynamic_update": lambda x, y, z: lax.dynamic_update_slice(
        jnp.zeros(4), jnp.array([x, y]), (3,)
    ),
    "sum": lambda x, y, z: jnp.array([[x, y], [z, x]]).sum(0),
    "mean": lambda x, y, z: jnp.array([x, y, z]).mean(),
    "std": lambda x, y, z: jnp.std(jnp.array([x, y, z])),
    "norm": lambda x, y, z: jnp.linalg.norm(jnp.array([x, y, z])),
    "prod": lambda x, y, z: jnp.prod(jnp.array([[x, y], [z, x]]), axis=1),
    "max": lambda x, y, z: jnp.array([x, y, z]).max() - jnp.array([x, y, z]).min(),
    "any": lambda x, y, z: (jnp.array([x, y, z]) > 0).any() + 2 * (jnp.array([x, y]) > 0).all(),
    "sum_of_truths": lambda x, y, z: (jnp.array([x, y, z]) > 0).sum() / 2,
    "argmax": lambda x, y, z: (
        jnp.argmax(jnp.array([x, y, z])) + 10.0 * jnp.argmin(jnp.array([x, y, z]))
    ),
    "max_of_others": lambda x, y, z: jnp.array([z, x, y])[jnp.argmax(jnp.array([x, y, z]))],
    "cumsum": lambda x, y, z: jnp.cumsum(jnp.array([x, y, z])),
    "cumprod": lambda x, y, z: jnp.cumprod(jnp.array([[x, y], [z, x]]), axis=1),
    "cummax": lambda x, y, z: lax.cummax(jnp.array([x, y, z]), reverse=True),
    "cummin": lambda x, y, z: lax.cummin(jnp.array([x, y, z])),
    "sort": lambda x, y, z: jnp.sort(jnp.array([[x, y, z], [z, 0.0, y]])),
    "argsort": lambda x, y, z: jnp.argsort(jnp.array([x, y, z])) * 1.0,
    "sort_by_two": lambda x, y, z: lax.sort(
        (jnp.floor(jnp.array([x, y, z])), jnp.array([y, z, x])), num_keys=2
    ),
    "median": lambda x, y, z: jnp.median(jnp.array([x, y, z])),
    "matmul": lambda x, y, z: jnp.array([[x, y], [0.0, z]]) @ jnp.array([[1.0, 0.0], [z, 2.0]]),
    "matvec": lambda x, y, z: jnp.arange(6.0).reshape(2, 3) @ jnp.array([x, y, z]),
    "dot": lambda x, y, z: jnp.dot(jnp.array([x, y]), jnp.array([y, z])),
    "outer": lambda x, y, z: jnp.outer(jnp.array([x, y]), jnp.array([y, z])),
    "einsum": lambda x, y, z: jnp.einsum(
        "bij,bjk->bik", jnp.arange(8.0).reshape(2, 2, 2) * x, jnp.ones((2, 2, 1)) * y
    ),
    "tensordot": lambda x, y, z: jnp.tensordot(
        jnp.arange(8.0).reshape(2, 2, 2), jnp.array([[x, y], [z, 1.0]]), axes=2
    ),
    "cross": lambda x, y, z: jnp.cross(jnp.array([x, y, z]), jnp.array([1.0, 2.0, x])),
    "det": lambda x, y, z: jnp.linalg.det(jnp.array([[x, y], [z, 1.0]])),
    "solve": lambda x, y, z: jnp.linalg.solve(
        jnp.array([[x, y, 0.0], [1.0, z, x], [y, 2.0, x * y]]), jnp.array([x, 1.0, z])
    ),
    "inverse": lambda x, y, z: jnp.linalg.inv(jnp.array([[[x, y], [z, 3.0]], [[1.0, y], [z, x]]])),
    "log_det": lambda x, y, z: jnp.linalg.slogdet(jnp.array([[x, y], [z, 1.0]])),
    "cholesky": lambda x, y, z: jnp.linalg.cholesky(jnp.array([[9 + x, y], [y, 9 + z]])),
    "matrix_exponential": lambda x, y, z: jax.scipy.linalg.expm(
        0.1 * jnp.array([[x, y], [z, 1.0]])
    ),
    "convolve": lambda x, y, z: jnp.convolve(jnp.array([x, y, z, 1.0]), jnp.array([1.0, -2.0, y])),
    "convolution": lambda x, y, z: lax.conv_general_dilated(
        jnp.arange(24.0).reshape(1, 2, 3, 4) * x,
        jnp.arange(16.0).reshape(4, 1, 2, 2) * y,
        window_strides=(1, 2),
        padding=((1, 0), (2, -1)),
        lhs_dilation=(1, 2),
        rhs_dilation=(2, 1),
        feature_group_count=2,
    ),
    "grad": lambda x, y, z: jax.grad(lambda v: (v**3 * jnp.sin(v)).sum())(jnp.array([x, y, z])),
    "jit": lambda x, y, z: jax.jit(lambda a: a * z)(x + y),
    "checkpoint": lambda x, y, z: jax.checkpoint(lambda a: jnp.sin(a) * z)(x),
    "cond": lambda x, y, z: lax.cond(x > y, lambda v: v * 2.0, lambda v: v - 1.0, z),
    "switch": lambda x, y, z: lax.switch(
        jnp.int32(x), [lambda v: v * 2.0, lambda v: v - 1.0, lambda v: 7.0 + 0 * v], z
    ),
    "select": lambda x, y, z: jnp.select([x > 0, y > 0], [x, y], z),
    "select_n": lambda x, y, z: lax.select_n(jnp.int32(jnp.clip(x, 0, 2)), x, y, z),
    "piecewise": lambda x, y, z: jnp.piecewise(x, [x < -1, x > 0], [lambda v: v * 3.0, y, 1.0]),
    "digitize": lambda x, y, z: jnp.digitize(x, jnp.array([-1.0, 0.0, 0.5])) * 1.0,
    "polyval": lambda x, y, z: jnp.polyval(jnp.array([1.0, x, 2.0]), y),
    "tuple": lambda x, y, z: {"b": x, "a": (y, jnp.array([z, 1.0])), "c": 3},
    "fori": lambda x, y, z: lax.fori_loop(0, 4, lambda i, c: c * x + i, y),
    "scan": lambda x, y, z: lax.scan(lambda c, v: (c * v, c + v), x, jnp.array([y, z, 2.0])),
    "scan_reverse": lambda x, y, z: lax.scan(
        lambda c, v: (c - v, {"a": c}), x, jnp.array([y, z, 2.0]), reverse=True
    ),
    "scan_empty": lambda x, y, z: lax.scan(lambda c, _: (c, c), x, None, length=0),
    "while": lambda x, y, z: lax.while_loop(
        lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * y), (0, x)
    )[1],
    "constants": lambda x, y, z: x * jnp.linalg.inv(jnp.array([[2.0, 1.0], [1.0, 3.0]])).sum(),
    "integers": lambda x, y, z: (
        jnp.where(x > 0, 7, -7) // 2 + jnp.where(y > 0, 7, -7) % 3 + (jnp.where(z > 0, 5, 6) << 2)
    ),
    "wrapping": lambda x, y, z: jnp.where(x > 0, jnp.uint8(3), jnp.uint8(9)) - jnp.uint8(5),
    "odd_hour": lambda x, y, z: (jnp.floor(x).astype(int) % 2 == 1) * y + jnp.int32(y) // 2,
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_structure(name: str):
    check(STRUCTURES[name], at=[*points(3), (0.0, 1.0, 1.0), (2.0, 2.0, -1.0)])


def test_arrays_leave_nothing_behind():
    program = translate(
        lambda x, y, z: jnp.roll(jnp.array([x, y, z]).reshape(3, 1), 1)[:, 0], NAMES
    )
    assert program.statements == ()
    assert program.outputs == ("z", "x", "y")


@pytest.mark.parametrize("sides", list(itertools.product([True, False], repeat=4)))
def test_triangular_solve(sides: tuple[bool, ...]):
    options: Any = dict(zip(["left_side", "lower", "transpose_a", "unit_diagonal"], sides))

    def solved(x: Any, y: Any, z: Any) -> Any:
        a = jnp.array([[[2.0, x, y], [z, 3.0, x], [y, z, 1.5]]] * 2)
        right = jnp.array([[[x, y, 1.0], [z, 2.0, x], [y, y, x]]] * 2)
        return lax.linalg.triangular_solve(
            a, right * jnp.array([1.0, 2.0])[:, None, None], **options
        )

    check(solved, at=points(3)[:2])


XP, FP = np.array([0.0, 1.0, 2.5, 3.0, 7.0]), np.array([0.0, 1.0, -4.0, 9.0, 2.0])


@pytest.mark.parametrize("size", [2, 5])
def test_interp(size: int):
    xp, fp = XP[:size], FP[:size]
    at = [[x] for x in (-1.0, 0.0, -0.0, 0.3, 1.0, 2.0, 2.5, 2.7, 3.0, 5.0, 7.0, 8.0, math.nan)]
    program = check(lambda x: jnp.interp(x, xp, fp), count=1, at=at)
    assert len(program.statements) < 50
    check(lambda x: jnp.interp(x, xp, fp, left=2.0, right=jnp.nan), count=1, at=at)
    check(lambda x: jnp.searchsorted(xp, x, side="right") * 1.0, count=1, at=at)


def test_interp_of_traced_values():
    check(lambda x, y, z: jnp.interp(x, jnp.array([-1.0, 0.5, 2.0]), jnp.array([y, z, 1.0])))


def test_table_by_rounding():
    def step(x: Any) -> Any:
        return jnp.asarray(FP)[jnp.floor(x * 2.0).astype(int)]

    check(step, count=1, at=[[x] for x in (-9.0, -2.0, -0.7, 0.0, 0.4, 0.5, 1.9, 2.4, 99.0)])


def test_writing_at_a_traced_place():
    def write(x: Any, y: Any, z: Any) -> Any:
        place = jnp.floor(x).astype(int)
        a = jnp.array([x, y, z])
        return a.at[place].set(7.0), a.at[place % 3].add(y), a.at[jnp.argmax(a)].multiply(2.0)

    check(write, at=[(0.0, 1.0, 2.0), (1.5, 3.0, 2.0), (-1.0, 3.0, 2.0), (2.0, 1.0, 1.0)])
    check(
        lambda x, y, z: lax.dynamic_update_slice(jnp.ones(4), jnp.array([y, z]), (jnp.int32(x),)),
        at=[(0.0, 1.0, 2.0), (1.5, 3.0, 2.0), (9.0, 3.0, 2.0)],
    )


def test_random_numbers_from_a_fixed_key_are_constants():
    check(lambda x: x * jax.random.normal(jax.random.PRNGKey(3), (2,)), count=1)


def test_sharing_and_folding():
    program = translate(
        lambda x, y: ((x * y) * (y * x), x * 0.0 + y, -jnp.negative(x), 2.0**0.5 * 1.0), "xy"
    )
    assert [s.operation for s in program.statements] == ["mul", "mul"]
    assert program.outputs[1:] == ("y", "x", math.sqrt(2.0))


def test_nothing_dead_is_kept():
    program = translate(lambda x, y: (jnp.exp(x), x + y)[1], ["x", "y"])
    assert [s.operation for s in program.statements] == ["add"]


def test_zeros_of_a_stoichiometry_cost_nothing():
    stoichiometry = np.array([[-1.0, 0.0, 1.0], [1.0, -1.0, 0.0], [0.0, 0.0, 2.0]])
    program = check(lambda x, y, z: stoichiometry @ jnp.stack([x * y, y, z * z]))
    assert len(program.statements) == 5


@pytest.mark.parametrize(("short", "long"), [("exp", ("exp2",)), ("atan", ("atan2", "x"))])
def test_no_two_statements_have_one_name(short: str, long: Sequence[str]):
    """As exp2 at place 30 and exp at place 230 might."""
    b = Builder(["x"])
    sums = [b.apply("add", "x", float(i + 1)) for i in range(30)]
    names = [*sums, *(b.apply(long[0], y, *long[1:]) for y in sums)]
    more = [b.apply("add", "x", float(i + 100)) for i in range(130)]
    names += [*more, *(b.apply(short, y) for y in more)]
    assert len(set(names)) == 320


def test_builder_tells_constants_apart():
    b = Builder(["x"])
    c = b.apply("lt", "x", 0.0)
    names = {b.apply("select", c, "x", v) for v in (0.0, -0.0, 1.0, 0, 1, math.nan, -math.inf)}
    assert len(names) == 7
    assert b.apply("select", c, "x", math.nan) in names


def test_a_program_as_text():
    program = translate(lambda x, y: (x * y + math.inf, x), ["x", "y"])
    assert program.text() == ["mul_0 = mul(x, y)", "add_1 = add(mul_0, inf)", "return add_1, x"]


def test_names_do_not_clash_with_inputs():
    program = translate(lambda x, y: jnp.exp(x * y), ["mul_0", "y"])
    assert len({*program.inputs, *(s.name for s in program.statements)}) == 4
    with pytest.raises(ValueError, match="identifier"):
        Builder(["y[0]"])
    with pytest.raises(ValueError, match="same name"):
        Builder(["x", "x"])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_lanes_compute_what_jax_does(dtype: Any):
    def function(x: Any, y: Any, z: Any) -> Any:
        table = jnp.interp(x, jnp.asarray(XP, dtype), jnp.asarray(FP, dtype))
        rounded = jnp.round(x) + jnp.floor(y) + jnp.ceil(z) + jnp.trunc(x) + jnp.sign(y)
        angles = jnp.arctan2(x, y) + jnp.arcsinh(z) + jnp.sinh(x / 9) + jnp.cbrt(y)
        logic = jnp.where((x > y) & ~(y > z) | (x > 5), x % 2.0, jnp.minimum(y, z))
        special_functions = lax.erf(x) + lax.erfc(y) + lax.lgamma(z * z + 1.0) + jnp.exp2(x / 8)
        return table, rounded, angles, logic, special_functions, z * z**2.5, jnp.log(y)

    builder = LaneBuilder(dtype)
    program = translate(function, NAMES, dtype)
    outputs = [f"out{i}" for i in range(len(program.outputs))]
    for row, value in zip(outputs, inlined(builder, program, {n: builder.row(n) for n in NAMES})):
        builder.store(row, value)
    real = np.dtype(dtype).name
    layout = BufferLayout(real, 8, 1, (*NAMES, *outputs), ("none",))  # type: ignore[arg-type]
    code = lane_function(builder.finished("run", "one", ""), layout, LANE_CODE)
    source = "def solve(rows: real[:], settings: real[:]):\n    code(rows, settings, 0)"
    run = compiled_loop(source, real, code=code)
    tolerance = 1e-13 if dtype == np.float64 else 2e-5
    for point in [*points(3), (1e300, -1.0, math.nan), (math.inf, 0.0, 0.0), (30.0, 1.0, -1.0)]:
        typed = [dtype(v) if abs(v) < 1e30 or not np.isfinite(v) else dtype(1e30) for v in point]
        rows = np.zeros((len(layout.rows), 8), dtype)
        rows[:3, 0] = typed
        run(rows.ravel(), np.zeros(1, dtype))
        got = rows[3:, 0].astype(float)
        np.testing.assert_allclose(got, expected(function, *typed, dtype=dtype), rtol=tolerance)


@pytest.mark.slow
def test_long_loops():
    program = translate(lambda x: lax.fori_loop(0, 1000, lambda i, c: 0.5 * c + x, 0.0), ["x"])
    assert len(program.statements) == 1998
    with pytest.raises(UntranslatableError, match=r"'scan'.*1,001 iterations; up to 1,000"):
        translate(lambda x: lax.fori_loop(0, 1001, lambda i, c: 0.5 * c + x, 0.0), ["x"])
    with pytest.raises(UntranslatableError, match="more than 200,000 statements"):
        translate(
            lambda x: lax.fori_loop(
                0, 1000, lambda i, c: jnp.sin(c * jnp.arange(1.0, 201.0)), jnp.full(200, x)
            ),
            ["x"],
        )
    with pytest.raises(UntranslatableError, match=r"'while'.*more than 1,000 iterations"):
        translate(lambda x: lax.while_loop(lambda c: True, lambda c: c + x, x), ["x"])


def test_refusals_name_primitive_and_line():
    def until_small(x: Any) -> Any:
        return lax.while_loop(lambda c: c > 1.0, lambda c: c / 2.0, x)

    with pytest.raises(UntranslatableError, match="how often the loop runs depends") as caught:
        translate(until_small, ["x"])
    assert caught.value.primitive == "while"
    line = until_small.__code__.co_firstlineno + 1
    assert caught.value.where == f"test_native_translate.py:{line} in until_small"
    assert "diffrax engine can run it" in str(caught.value)


@pytest.mark.parametrize(
    ("primitive", "function"),
    [
        ("erf_inv", lambda x: lax.erf_inv(x)),
        ("digamma", lambda x: lax.digamma(x)),
        ("nextafter", lambda x: jnp.nextafter(x, 1.0)),
        ("top_k", lambda x: lax.top_k(jnp.array([x, 1.0]), 1)),
        ("fft", lambda x: jnp.abs(jnp.fft.fft(jnp.stack([x, x])))),
        ("while", lambda x: lax.fori_loop(0, x.astype(int), lambda i, c: c * x, 1.0)),
        ("convert_element_type", lambda x: x.astype(jnp.float32) * 2),
        ("tanh", lambda x: jnp.abs(jnp.tanh(x + 1j * x))),
        ("shift_left", lambda x: x.astype(int) << 2),
        ("div", lambda x: 5 // jnp.clip(x.astype(int), 1, 9)),
        ("bitcast_convert_type", lambda x: lax.bitcast_convert_type(x, jnp.int64) * 1.0),
        ("debug_callback", lambda x: (jax.debug.callback(lambda v: None, x), x)[1]),
    ],
)
def test_refused(primitive: str, function: Callable[..., Any]):
    with pytest.raises(UntranslatableError) as caught:
        translate(function, ["x"])
    assert caught.value.primitive == primitive
    assert caught.value.where.startswith("test_native_translate.py:")


def robertson(t: Any, a: Any, b: Any, c: Any, k1: Any, k2: Any, k3: Any) -> tuple[Any, ...]:
    r1, r2, r3 = k1 * a, k2 * b * b, k3 * b * c
    return -r1 + r3, r1 - r2 - r3, r2


def repressilator(t: Any, *point: Any) -> list[Any]:
    m, p = jnp.stack(point[:3]), jnp.stack(point[3:6])
    alpha, n, alpha0, beta = point[6:]
    repressor = jnp.maximum(jnp.roll(p, 1), 0.0)
    return [*(alpha / (1.0 + repressor**n) + alpha0 - m), *(-beta * (p - m))]


@jax.custom_jvp
def guarded_log(x: Any) -> Any:
    return jnp.log(x)


@guarded_log.defjvp
def _(primals: Any, tangents: Any) -> Any:
    return guarded_log(primals[0]), tangents[0] / jnp.maximum(primals[0], 0.1)


def everything(t: Any, x: Any, y: Any, k: Any) -> tuple[Any, ...]:
    v = jnp.stack([x, y])
    first = jnp.where(x > y, x * jnp.exp(-t), jnp.abs(y)) + guarded_log(x * x) + v.max()
    table = jnp.interp(t + x, jnp.asarray(XP), jnp.asarray(FP)) * jnp.argmax(v)
    looped = lax.fori_loop(0, 3, lambda i, c: jnp.sin(c) + i * k, y)
    solved = jnp.linalg.solve(jnp.array([[x, 1.0], [y, 0.3]]), v)
    branch = solved[0] + lax.cond(y > 0, lambda a: a**3, lambda a: jnp.linalg.norm(v) * t, x)
    return first + looped, table + branch + jnp.sort(v)[0] + jnp.hypot(x, y) + v[0] ** k


def check_jacobian(function: Callable[..., Any], n: int, names: Sequence[str], at: Any) -> Jacobian:
    found = translate_jacobian(function, n, names, with_value=True)
    run = compiled(found.program)
    rows, columns = np.array(found.entries).reshape(-1, 2).T

    def flat(point: Any) -> Any:
        return jnp.stack([jnp.asarray(x, float) for x in function(*point)])

    derivative = quick_jit(lambda point: (jax.jacfwd(flat)(point), flat(point)))
    for point in at:
        jacobian, value = map(np.asarray, derivative(np.asarray(point)))
        got, want = np.zeros((n, n + 2)), np.column_stack([jacobian, value])
        numbers = np.array(run(*point), float)
        got[rows, columns + 1] = numbers[: len(rows)]
        got[found.slopes, 0] = numbers[len(rows) : -n]
        got[:, -1] = numbers[-n:]
        want = np.delete(want, np.s_[n + 1 : -1], axis=1)
        # Where JAX multiplies NaN by a tangent that is zero, the program knows the zero.
        want = np.where(np.isnan(want), got, want)
        np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-14)
    return found


def test_jacobian_of_robertson():
    names = ["t", "a", "b", "c", "k1", "k2", "k3"]
    found = check_jacobian(robertson, 3, names, np.abs(points(7)))
    assert found.program.inputs == tuple(names)
    assert len(found.entries) == 7
    assert found.slopes == []


def test_jacobian_of_the_repressilator():
    names = ["t", *(f"y{i}" for i in range(6)), "alpha", "n", "alpha0", "beta"]
    found = check_jacobian(repressilator, 6, names, np.abs(points(11)))
    assert len(found.entries) == 12


def test_jacobian_through_branches_tables_and_loops():
    at = [(0.3, 1.2, 0.7, 2.0), (1.0, 0.2, 1.7, 1.5), (0.1, 2.0, -1.0, 3.0), (5.0, 1.5, -0.2, 2.0)]
    check_jacobian(everything, 2, ["t", "x", "y", "k"], at)


@settings(max_examples=8, deadline=None)
@given(st.lists(expressions(depth=3), min_size=2, max_size=2))
def test_jacobian_of_expressions(functions: list[Callable[..., Any]]):
    def field(t: Any, x: Any, y: Any) -> tuple[Any, ...]:
        return tuple(f(jnp.sin(t), x, y) + x for f in functions)

    check_jacobian(field, 2, ["t", "x", "y"], [(0.3, 1.25, -0.75), (2.1, 130.5, 7.3)])


def test_jacobian_of_a_pendulum_with_a_mass_matrix():
    """A cart and a pendulum: accelerations from a linear system."""

    def cart(t: Any, x: Any, angle: Any, v: Any, turn: Any, mass: Any) -> list[Any]:
        matrix = jnp.array([[mass + 1.0, jnp.cos(angle)], [jnp.cos(angle), 1.0]])
        forces = jnp.stack([jnp.sin(angle) * turn**2 - 0.1 * v, -9.81 * jnp.sin(angle)])
        return [v, turn, *jnp.linalg.solve(matrix, forces)]

    names = ["t", "x", "angle", "v", "turn", "mass"]
    found = check_jacobian(cart, 4, names, np.abs(points(6)))
    assert len(found.entries) == 8
    assert len(found.program.statements) < 150


def test_jacobian_of_a_dense_field():
    def swarm(t: Any, *y: Any) -> Any:
        angle = jnp.stack(y)
        return jnp.sin(angle[None, :] - angle[:, None]).sum(1) * t

    names = ["t", *(f"y{i}" for i in range(8))]
    found = check_jacobian(swarm, 8, names, [np.linspace(0.1, 2.0, 9)])
    assert len(found.entries) == 64


def test_jacobian_of_a_long_ring_takes_little_time():
    def ring(t: Any, *y: Any) -> Any:
        u = jnp.stack(y)
        return jnp.roll(u, 1) - 2.0 * u + jnp.roll(u, -1) + jnp.sin(u) * t

    names = ["t", *(f"y{i}" for i in range(300))]
    start = time.perf_counter()
    found = translate_jacobian(ring, 300, names)
    assert time.perf_counter() - start < 10.0
    assert len(found.entries) == 900
    assert len(found.program.statements) < 2000


def test_reverse_mode_only_rule_is_refused():
    square = jax.custom_vjp(lambda x: x * x)
    square.defvjp(lambda x: (x * x, x), lambda x, g: (2 * x * g,))
    assert compiled(translate(square, ["x"]))(3.0) == (9.0,)
    with pytest.raises(UntranslatableError, match=r"jax\.custom_jvp"):
        translate_jacobian(lambda t, x: (square(x),), 1, ["t", "x"])


def test_nonlinear_rule_is_refused():
    odd = jax.custom_jvp(lambda x: x)
    odd.defjvp(lambda primals, tangents: (primals[0], tangents[0] ** 2))
    with pytest.raises(UntranslatableError, match="not linear"):
        translate_jacobian(lambda t, x: (odd(x),), 1, ["t", "x"])


def test_limits_are_the_builders():
    with pytest.raises(Refused, match="more than 1 statements"):
        b = Builder(["x"], limit=1)
        b.apply("exp", b.apply("log", "x"))
