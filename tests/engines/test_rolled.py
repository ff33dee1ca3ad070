"""Long programs as loops: what they compute is what they compute when written out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from odeflow.engines.native.program.lane_program import LaneBuilder, LaneProgram
from odeflow.engines.native.program.rolled import SCRATCH, CallPiece, Repeats, rolled
from odeflow.engines.native.program.value import Value, any_of, exp, select, total
from odeflow.engines.native.targets.lane_code import lane_function
from odeflow.engines.native.targets.layout import BufferLayout
from odeflow.engines.native.targets.runtime import LANE_CODE
from tests.support.compiled_loops import compiled_loop

SIZE = 21
ROWS = [*(f"y{i}" for i in range(SIZE)), *(f"z{i}" for i in range(SIZE)), "sum", "found"]


def diffusion(b: LaneBuilder, y: list[Value]) -> None:
    """Boundaries of their own, and rows that are stored where they are read."""
    padded = [Value(b, 0.0), *y, 2.0 * y[-1]]
    changes = [padded[i] - 2.0 * y[i] + padded[i + 2] for i in range(SIZE)]
    b.store_rows(ROWS[SIZE : 2 * SIZE], y)
    b.store_rows(ROWS[:SIZE], [x + 0.1 * change for x, change in zip(y, changes)])


def exchange(b: LaneBuilder, y: list[Value]) -> None:
    """Rows that get one another's numbers."""
    b.store_rows(ROWS[:SIZE], y[::-1])
    b.store_rows(ROWS[SIZE : 2 * SIZE], [y[(7 * i) % SIZE] for i in range(SIZE)])


def sums(b: LaneBuilder, y: list[Value]) -> None:
    """A full matrix, sums from left to right and as a tree, and truths."""
    matrix = np.random.default_rng(0).normal(size=(SIZE, SIZE))
    products = [sum((float(w) * x for w, x in zip(row, y)), Value(b, 0.0)) for row in matrix]
    largest = any_of([abs(x) > 2.0 for x in y])
    b.store_rows(ROWS[SIZE : 2 * SIZE], [exp(-x * x) for x in products])
    b.store("sum", total([x * x for x in products]))
    b.store("found", select(largest & (y[0] > 0.0), 1.0, -1.0))


def network(b: LaneBuilder, y: list[Value]) -> None:
    """Sums of different lengths, which are cut where they are too many."""
    rng = np.random.default_rng(1)
    rates = [float(rng.normal()) * y[i] * y[(3 * i + 1) % SIZE] for i in range(SIZE)]
    for i in range(SIZE):
        chosen = rng.integers(0, SIZE, 1 + i % 7)
        value = y[i]
        for sign, k in zip(rng.integers(0, 2, len(chosen)), chosen):
            value = value + rates[k] if sign else value - rates[k] * y[k]
        b.store(ROWS[SIZE + i], value)


def solved(b: LaneBuilder, y: list[Value]) -> None:
    """Calls, after which rows have other numbers and what was read before has not."""
    for i in range(16):
        b.store("MATRIX", 4.0 + y[i] if i % 5 == 0 else 0.1 * y[i], i)
    b.call("lu_factor", 4)
    for turn in range(2):
        for i in range(4):
            b.store("RIGHT", y[i + turn] if turn == 0 else b.row("RIGHT", i) * y[i], i)
        b.call("lu_solve", 4)
    b.store_rows(ROWS[SIZE : SIZE + 4], [b.row("RIGHT", i) + y[i] for i in range(4)])


def run(program: Any, dtype: Any, seed: int) -> np.ndarray:
    real = np.dtype(dtype).name
    slots = 0 if isinstance(program, LaneProgram) else program.slots
    groups = {"MATRIX": 16, "RIGHT": 4, SCRATCH: max(slots, 1)}
    layout = BufferLayout(real, 8, 1, tuple(ROWS), ("none",), groups)  # type: ignore[arg-type]
    code = lane_function(program, layout, LANE_CODE)
    source = "def solve(rows: real[:], settings: real[:]):\n    code(rows, settings, 0)"
    rows = np.zeros(layout.size, dtype)
    given = np.random.default_rng(seed).normal(size=SIZE * layout.lanes)
    rows[: len(given)] = given
    compiled_loop(source, real, code=code)(rows, np.zeros(1, dtype))
    return rows[: len(ROWS) * layout.lanes].reshape(len(ROWS), -1)


@pytest.mark.parametrize("function", [diffusion, exchange, sums, network, solved])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_loops_compute_what_is_written_out(
    function: Callable[..., None], dtype: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("odeflow.engines.native.program.rolled._MOST_FEW", 30)
    builder = LaneBuilder(dtype)
    function(builder, builder.rows(ROWS[:SIZE]))
    program = builder.finished("run", "all", "")
    loops = rolled(program)
    assert loops.cost < program.cost / 1.5 or function in (exchange, solved)
    tolerance = 1e-13 if dtype == np.float64 else 2e-5
    np.testing.assert_allclose(
        run(loops, dtype, 2), run(program, dtype, 2), rtol=tolerance, atol=tolerance
    )


def test_code_does_not_grow_with_what_repeats():
    costs = []
    for size in (40, 400):
        b = LaneBuilder()
        y = [b.row("y", i) for i in range(size)]
        for i, x in enumerate(y):
            b.store("z", exp(x - y[i - 1]) * float(i), i)
        costs.append(rolled(b.finished("run", "all", "")).cost)
    assert costs[0] == costs[1]


def test_calls_stand_where_they_stood():
    b = LaneBuilder()
    solved(b, b.rows(ROWS[:SIZE]))
    pieces = rolled(b.finished("run", "all", "")).pieces
    calls = [piece.name for piece in pieces if isinstance(piece, CallPiece)]
    assert calls == ["lu_factor", "lu_solve", "lu_solve"]
    assert isinstance(pieces[0], Repeats)
