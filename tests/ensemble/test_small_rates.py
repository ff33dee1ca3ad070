"""States that start at 0 and stay below their tolerance: said by the job that solves first."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from odeflow.engines.choice import Resources
from odeflow.ensemble.small_rates import small_rate_notes
from odeflow.ensemble.solve import solve_slabs
from odeflow.importers.study.compose import compose
from odeflow.problem.problem import Lanes
from tests.support.problems import make_model, make_problem
from tests.support.snakes import make_study


def fed(t, y, args):
    return {"product": args.rate * y.source, "source": 0.0 * y.source, "next": args.k * y.product}


def notes(rate: float, product: float = 0.0, **solver) -> list[str]:
    model = make_model(fed, {"product": product, "source": 1.0, "next": 0.0}, 10.0, rate=rate, k=1)
    y0 = np.array([[product] * 3, [1.0] * 3, [0.0] * 3])
    args = np.array([[rate / 4, rate / 2, rate], [1.0] * 3])
    return small_rate_notes(make_problem(model, **solver), Lanes(y0, args))


def test_a_state_that_its_rate_keeps_small_is_named():
    """`next` is not: a rate of 0 at t0 says nothing."""
    (note,) = notes(1e-12, atol=1e-8)
    assert note.startswith(
        "solver.atol: 1e-08 is above what product, 0 at t0, comes to by t1 at its rate at t0, "
        "1e-11, so that no tolerance controls product; give it 1e-17 or less"
    )
    assert notes(1e-12, atol={"product": 1e-17, "source": 1e-8, "next": 1e-8}) == []


def test_large_rates_starts_above_zero_and_constant_steps_say_nothing():
    assert notes(1e-3, atol=1e-8) == []
    (note,) = notes(1e-12, product=1e-12, atol=1e-8)
    assert "what next, 0 at t0" in note
    assert notes(1e-12, method="euler", stepsize_controller="constant", dt0=0.1) == []


@pytest.mark.parametrize("first, says", [(0, 1), (2, 0)])
def test_one_job_says_it(first: int, says: int, tmp_path: Path):
    study = make_study(tmp_path)
    (study / "models.py").write_text("def decay(t, y, args):\n    return {'y': 1e-15 * args.k}\n")
    config = compose("experiment=decay", "model.states.y.initial=0", study=study)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in solve_slabs(config, study, first, 4, Resources(threads=1)):
            pass
    assert sum("is above what y, 0 at t0" in str(one.message) for one in caught) == says
