"""The loop's compiler: what its code does is what Python does with the same text."""

from typing import Any

import numpy as np
import pytest

from tests.support.compiled_loops import compiled_loop

PYTHON = {
    "REAL": float,
    "ceil": np.ceil,
    "nextafter": np.nextafter,
    "lowest_bit": lambda word: int(word & -word).bit_length() - 1,
    "integers": lambda length, value: [value] * length,
}
SEARCH = """
def nearest(numbers, x):
    best = 0
    for i in range(1, len(numbers)):
        if abs(numbers[i] - x) < abs(numbers[best] - x):
            best = i
    return best

def solve(numbers: real[:], wanted: real[:], found: int64[:]):
    for i in range(len(wanted)):
        found[i] = nearest(numbers, wanted[i])
"""
COLLATZ = """
def solve(start: int64[:], steps: int64[:]):
    for i in range(len(start)):
        n = start[i]
        steps[i] = 0
        while n != 1:
            n = n >> 1 if n % 2 == 0 else 3 * n + 1
            steps[i] += 1
            if steps[i] >= LIMIT:
                break
"""
BITS = """
def solve(words: int64[:], sums: int64[:]):
    for row in range(len(words)):
        left = words[row]
        seen = integers(8, 0)
        while left != 0:
            bit = left & -left
            lane = lowest_bit(left)
            left ^= bit
            if lane >= 8:
                continue
            seen[lane] = 1
            seen[lane] |= bit
        for lane in range(8):
            sums[row] += seen[lane] << 1
"""
GUARDED = """
def solve(places: int64[:], numbers: real[:], out: int8[:]):
    for i in range(len(places)):
        at = places[i]
        is_there = at >= 0 and at < len(numbers) and numbers[at] > 0.0
        if is_there and not numbers[at] in (2.0, 3.0):
            out[i] = 1
        elif at < 0 or at >= len(numbers):
            out[i] = -1
        else:
            out[i] = 0
"""
MATRIX = """
def scaled(row, matrix, factor, arrays):
    for j in range(matrix.shape[1]):
        arrays[0][row, j] = matrix[row, j] * factor / arrays[1][j]
        arrays[2][row, j] = min(matrix[row, j], factor) - 1

def solve(matrix: real[:, :], factors: real[:], arrays: (real[:, :], real[:], real[:, :])):
    factor = factors[0]
    arrays[1][:] = 4.0
    for row in range(0, matrix.shape[0], 2):
        scaled(row, matrix, factor, arrays)
    if WRITES:
        matrix[0, 0] = nextafter(factor, REAL(INFINITY)) + ceil(factor) + int(factor)
    else:
        matrix[0, 0] = "no code of what is never done"
"""
random = np.random.default_rng(3)
CASES = {
    "search": (SEARCH, (random.normal(size=9), np.linspace(-2, 2, 7), np.zeros(7, np.int64))),
    "collatz": (COLLATZ, (np.arange(1, 60), np.zeros(59, np.int64))),
    "bits": (BITS, (random.integers(0, 2**40, 20), np.zeros(20, np.int64))),
    "guarded": (
        GUARDED,
        (np.arange(-3, 8), np.array([1.0, -1.0, 2.0, 3.0, np.nan]), np.zeros(11, np.int8)),
    ),
    "matrix": (
        MATRIX,
        (
            random.normal(size=(5, 3)),
            np.full(1, 2.6),
            (np.zeros((5, 3)), np.zeros(3), np.zeros((5, 3))),
        ),
    ),
}
CONSTANTS = {"LIMIT": 30, "WRITES": True, "INFINITY": np.inf}


def copies(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        copies(x) if isinstance(x, tuple) else x.copy() if isinstance(x, np.ndarray) else x
        for x in arguments
    )


def compare(found: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    for mine, other in zip(found, expected, strict=True):
        if isinstance(mine, tuple):
            compare(mine, other)
        else:
            np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("name", CASES)
def test_code_does_what_python_does(name: str):
    source, arguments = CASES[name]
    found, expected = copies(arguments), copies(arguments)
    compiled_loop(source, "float64", **CONSTANTS)(*found)
    space: dict[str, Any] = PYTHON | CONSTANTS
    exec(f"from __future__ import annotations\n{source}", space)
    space["solve"](*expected)
    compare(found, expected)


@pytest.mark.parametrize("real", ["float64", "float32"])
def test_literals_take_the_precision_of_numbers(real: str):
    source = "def solve(x: real[:]):\n    x[0] = x[1] * 0.1 + 1 / x[2]"
    x = np.array([0, 3, 7], real)
    compiled_loop(source, real)(x)
    kind = np.dtype(real).type
    assert x[0] == kind(3) * kind(0.1) + kind(1) / kind(7)


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("x[0] = [1, 2]", r"no code: \[1, 2\]"),
        ("x[0] += x[0] if x else sum(x)", "sum"),
        ("for word in x: pass", "no loop over x"),
        ("x.flags = 1", "nothing is put into x.flags"),
    ],
)
def test_what_has_no_code_is_named(statement: str, line: str):
    with pytest.raises(TypeError, match=line):
        compiled_loop(f"def solve(x: real[:]):\n    {statement}", "float64")


def test_an_array_of_another_order_is_refused():
    run = compiled_loop("def solve(x: real[:, :]):\n    x[0, 1] = 1.0", "float64")
    with pytest.raises(ValueError, match="row after row"):
        run(np.zeros((3, 2)).T)
