"""Code written by computing with lane values: NumPy's results, in every lane."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from odeflow.engines.native.targets.lane_code import LaneFunction, vectors_of
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.engines.native.targets.primitives import (
    bits,
    fma,
    from_bits,
    isfinite,
    mask,
    maximum,
    select,
)
from odeflow.engines.native.targets.vector_math import exp
from tests.support.compiled_loops import compiled_loop

LANES = pytest.mark.parametrize("number", ["all", "vector", "one"])
SOURCE = """
def solve(rows: real[:], settings: real[:], lane: int64, returned: int64[:]):
    returned[0] = code(rows, settings, lane)
"""
PRECISIONS = pytest.mark.parametrize("real", ["float64", "float32"])


def run(function: Callable[..., Any], real: Any, number: str, **rows: Any) -> tuple[Any, int]:
    """Row `out` after the function ran on rows of 16 lanes, and what it returned."""
    layout = BufferLayout(real, 8, 2, (*rows, "out"), ("half",))
    code = LaneFunction(function, layout, *vectors_of(layout, number))
    solve = compiled_loop(SOURCE, str(np.dtype(real)), code=code)
    buffer = np.zeros((len(layout.rows), 16), real)
    for i, values in enumerate(rows.values()):
        buffer[i] = values
    flat = buffer.ravel()
    lanes = {"all": [0], "vector": [0, 8], "one": range(16)}[number]
    returned = np.zeros(1, np.int64)
    for lane in lanes:
        solve(flat, np.array([0.5], real), lane, returned)
    return flat.reshape(buffer.shape)[-1], int(returned[0])


@LANES
@PRECISIONS
def test_arithmetic_selections_and_settings(real: Any, number: str):
    def function(rows: Any, settings: Any) -> None:
        """Mixes rows, a setting and literals."""
        big = (rows.x > 1.0) & ~(rows.y == 3.0)
        rows.out = select(big, 2.0 - rows.x / rows.y, -abs(rows.x) * settings.half)

    x, y = np.linspace(-3, 3, 16).astype(real), np.tile([1.0, 3.0], 8).astype(real)
    found, returned = run(function, real, number, x=x, y=y)
    np.testing.assert_allclose(
        found, np.where((x > 1) & (y != 3), 2 - x / y, -abs(x) * 0.5), rtol=1e-6
    )
    assert found.dtype == np.dtype(real)
    assert returned == 0


@PRECISIONS
def test_comparisons_with_nan(real: Any):
    def function(rows: Any, settings: Any) -> None:
        """Counts which comparisons hold."""
        del settings
        x = rows.x
        ordered = select((x < 0.0) | (x >= 0.0) | (x == x), 1.0, 0.0)
        rows.out = ordered + select(x != x, 2.0, 0.0) + select(isfinite(x), 4.0, 0.0)

    x = np.array([np.nan, np.inf, -np.inf, 0.0] * 4)
    found, _ = run(function, real, "all", x=x)
    np.testing.assert_array_equal(found, [2.0, 1.0, 1.0, 5.0] * 4)


@PRECISIONS
def test_the_greater_of_two(real: Any):
    def function(rows: Any, settings: Any) -> None:
        """Leaves the second where one is NaN."""
        del settings
        rows.out = maximum(rows.x, 1.0)

    found, _ = run(function, real, "all", x=np.array([np.nan, 0.0, 2.0, np.inf] * 4))
    np.testing.assert_array_equal(found, [1.0, 1.0, 2.0, np.inf] * 4)


def test_the_mask_has_a_bit_a_lane():
    def function(rows: Any, settings: Any) -> Any:
        """Of the lanes that are positive."""
        del settings
        return mask(rows.x > 0.0)

    x = np.full(16, -1.0)
    x[[1, 8, 15]] = 1.0
    assert run(function, "float64", "all", x=x)[1] == 1 << 1 | 1 << 8 | 1 << 15


def test_a_fused_product_is_rounded_once():
    def function(rows: Any, settings: Any) -> None:
        """Leaves what rounding took from x squared."""
        del settings
        rows.out = fma(rows.x, rows.x, -(rows.x * rows.x))

    x = 1.0 + np.arange(16) * 2.0**-30
    exact = [float((int(v * 2**30) ** 2 - int(v * v * 2**52) * 2**8) / 2**60) for v in x]
    found, _ = run(function, "float64", "all", x=x)
    np.testing.assert_array_equal(found, exact)


def test_words_are_the_bits_of_numbers():
    def function(rows: Any, settings: Any) -> None:
        """Flips the sign bit."""
        del settings
        rows.out = from_bits(bits(rows.x) ^ np.uint64(1 << 63))

    found, _ = run(function, "float64", "all", x=np.arange(16.0))
    np.testing.assert_array_equal(np.signbit(found), True)
    np.testing.assert_array_equal(-found, np.arange(16.0))


def test_elementary_functions_of_float32_compute_in_float64():
    def function(rows: Any, settings: Any) -> None:
        """Rounds once, at the end."""
        del settings
        rows.out = exp(rows.x)

    x = np.linspace(-5, 5, 16).astype("float32")
    found, _ = run(function, "float32", "all", x=x)
    np.testing.assert_array_equal(found, [np.float32(math.exp(float(v))) for v in x])


def test_python_cannot_branch_on_lanes():
    def function(rows: Any, settings: Any) -> None:
        """Tries to."""
        del settings
        rows.out = 1.0 if rows.x > 0.0 else 0.0

    with pytest.raises(Exception, match=r"use select\(condition, a, b\)"):
        run(function, "float64", "all", x=np.zeros(16))
