"""Steps at the limit of stability: of which methods they are told, and who is handed over."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest

import odeflow
from odeflow.engines.choice import Resources
from odeflow.engines.native import engine
from odeflow.ensemble.solve import solve_samples
from odeflow.files.flags import flag_meanings
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import Lanes, Problem
from odeflow.problem.status import Status
from tests.support.problems import make_model, make_problem

WATCHED = [method for method in METHODS.values() if method.reach is not None]


def followed(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """Y' = -rate (y - cos t): stiff where the rate is large."""
    return {"y": -args.rate * (y.y - jnp.cos(t))}


def oscillator(t: Any, y: Any, args: Any) -> dict[str, Any]:
    """X'' = -rate^2 x: many steps, none of them for stability."""
    del t
    return {"x": args.rate * y.v, "v": -args.rate * y.x}


def lanes_of(problem: Problem, *rates: float) -> Lanes:
    states = [np.full(len(rates), s.initial.item()) for s in problem.model.declared.states.values()]
    return Lanes(np.array(states), np.array([rates]))


def given(problem: Problem, steps: int | None) -> Problem:
    return replace(problem, solver=replace(problem.solver, stiff_steps=steps))


@pytest.mark.parametrize("method", WATCHED, ids=lambda method: method.name)
def test_reach_is_where_stability_ends_and_both_stages_are_at_the_end(method: Any):
    """R(z) = 1 + z b.k, of k_i = 1 + z sum_j a_ij k_j, is above 1 just beyond it on the left."""
    tableau = getattr(diffrax, method.diffrax_name)().tableau
    assert tuple(tableau.c[-2:]) == (1.0, 1.0)

    def size(z: complex) -> float:
        slopes: list[complex] = [1.0]
        for row in tableau.a_lower:
            slopes.append(1.0 + z * sum(a * k for a, k in zip(row, slopes)))
        return abs(1.0 + z * sum(b * k for b, k in zip(tableau.b_sol, slopes)))

    angles = np.exp(1j * np.deg2rad([180.0, 160.0, 135.0, 120.0]))
    assert all(size(0.9 * method.reach * angle) < 1.0 for angle in angles)
    assert size(-1.02 * method.reach) > 1.0


@pytest.mark.parametrize(
    "method",
    [METHODS["tsit5"], pytest.param(METHODS["dopri8"], marks=pytest.mark.slow)],
    ids=lambda method: method.name,
)
def test_what_is_stiff_ends_soon_and_its_neighbours_have_the_same_bits(method: Any):
    """The limit is near h = reach / rate, so that 20 such steps are over soon after the start."""
    model = make_model(followed, {"y": 0.0}, 10.0, rate=1.0)
    plain = make_problem(model, method=method.name)
    rates = (1.0, 1e5, 3.0)
    free = engine.solve(plain, lanes_of(plain, 1.0, 1.0, 3.0), threads=1)
    watched = engine.solve(given(plain, 20), lanes_of(plain, *rates), threads=1)
    assert list(watched.status) == [Status.success, Status.max_steps_reached, Status.success]
    assert 20 <= watched.num_steps[1] < 100
    for lane in (0, 2):
        assert watched.values["y"][lane] == free.values["y"][lane]
        assert watched.num_steps[lane] == free.num_steps[lane]


@pytest.mark.parametrize("method", WATCHED, ids=lambda method: method.name)
def test_what_only_takes_long_goes_on(method: Any):
    """A thousand turns, x = cos(rate t), with a single step given at the limit."""
    model = make_model(oscillator, {"x": 1.0, "v": 0.0}, 2.0 * np.pi, rate=1.0)
    problem = given(make_problem(model, method=method.name), 1)
    found = engine.solve(problem, lanes_of(problem, 1.0, 1000.0), threads=1)
    assert (found.status == Status.success).all()
    assert found.num_steps[1] > 5000


def test_of_a_table_only_the_stiff_are_handed_over(tmp_path: Path):
    """There is no pilot; Van der Pol's oscillator of mu = 1000 is stiff, of 0.1 it is not."""
    (tmp_path / "rows.csv").write_text("mu\n0.1\n1000\n5\n")
    asked = odeflow.compose(
        "~experiment", "+name=table", "model=van_der_pol", "model.t1=400", "design=table",
        "design.path=rows.csv", "solver=auto", "summary.metrics=[]", study=tmp_path,
    )  # fmt: skip
    ensemble = solve_samples(asked, tmp_path, 0, 3, Resources(threads=1))
    names = flag_meanings(ensemble.method)
    assert [names[code] for code in ensemble.method.values] == ["tsit5", "rodas5p", "tsit5"]
    assert (ensemble.status == Status.success).all()
