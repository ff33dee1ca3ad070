"""Fields so long that compiling them would take minutes: counted before they are compiled."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from odeflow.engines.choice import choose_engine
from odeflow.engines.native import engine as native_engine
from odeflow.engines.native.frontend.program_size import MOST_OPERATIONS
from odeflow.engines.native.program import lane_program
from odeflow.engines.native.program.lane_program import LaneBuilder
from odeflow.engines.native.program.value import exp, log
from odeflow.files.errors import ConfigError
from odeflow.problem.problem import Lanes
from tests.support.problems import make_model, make_problem


def ring(size: int) -> Any:
    """Diffusion on a ring of so many cells."""
    field = lambda t, y, args: {"x": jnp.roll(y.x, 1) + jnp.roll(y.x, -1) - 2 * y.x}
    return make_model(field, {"x": {"initial": [0.0] * size, "dims": ["cell"]}}, 1.0)


def test_a_long_field_that_repeats_nothing_goes_to_the_other_engine_with_the_reason():
    """A thousand rounds of six functions, each of the one before."""

    def field(t: Any, y: Any, args: Any) -> Any:
        rounds = lambda i, x: jnp.sin(jnp.cos(jnp.tanh(jnp.sin(jnp.cos(jnp.exp(x))))))
        return {"x": lax.fori_loop(0, 1000, rounds, y.x)}

    problem = make_problem(
        make_model(field, {"x": 0.0}, 1.0),
        [1.0],
        method="euler",
        dt0=0.5,
        stepsize_controller="constant",
    )
    choice = choose_engine(problem, "auto")
    assert choice.name == "diffrax"
    assert f"more than {MOST_OPERATIONS:,} would compile for minutes" in choice.reason
    with pytest.raises(ConfigError, match=r"runtime\.engine: .* operations; .*engine=auto"):
        choose_engine(problem, "native")


def test_a_field_longer_than_any_program_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lane_program, "_LONGEST", 300)
    choice = choose_engine(make_problem(ring(20), [1.0], method="tsit5"), "auto")
    assert choice.name == "diffrax"
    assert "a field of this length" in choice.reason
    assert "more than 300 statements" in choice.reason


def test_what_is_counted():
    b = LaneBuilder()
    a = exp(b.row("b"))
    b.store("c", log(a) + a * b.row("b"))
    # a load, two functions, a product, a sum, a store
    assert b.finished("counted", "one", "").cost == 2 * 30 + 4


def test_usual_fields_are_far_from_the_limit():
    module = native_engine.generated(make_problem(ring(50), [1.0], method="tsit5"))
    assert module.code.cost < MOST_OPERATIONS / 5


def test_a_truth_of_integers_is_one_of_lanes(tmp_path: Path):
    """What compares integers that a condition gives is a truth, and combines with others."""

    def field(t: Any, y: Any, args: Any) -> dict[str, Any]:
        one = jnp.where(y.x < 1, 1, 0)
        other = jnp.where(args.k < 1, 1, 0)
        return {
            "x": 1.0 * ((one == 1) & (y.x < 2)),
            "y": 2.0 * ((one != other) | (y.x > 2)),
            "z": 4.0 * ((one < other) ^ (y.x < 2)),
        }

    model = make_model(field, {"x": 0.0, "y": 0.0, "z": 0.0}, 0.5, k=0.0)
    problem = make_problem(model, method="euler", stepsize_controller="constant", dt0=0.5)
    lanes = Lanes(np.zeros((3, 2)), np.array([[0.0, 2.0]]))
    found = native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)
    ends = np.stack([found.values[name][:, 0] for name in "xyz"])
    np.testing.assert_array_equal(ends, [[0.5, 0.5], [0.0, 1.0], [2.0, 2.0]])
