"""States that cannot be negative: steps beyond zero are taken again, shorter, by both engines."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.ensemble.build import make_lanes
from odeflow.files.errors import ConfigError
from odeflow.importers.loading import load_model
from odeflow.importers.study.compose import compose
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes, Problem, Solution
from odeflow.problem.status import Status
from tests.support.marks import fast
from tests.support.problems import make_model, make_problem, michaelis_menten


def with_nonnegative(model: Model, *names: str) -> Model:
    return Model(replace(model.declared, nonnegative=names), model.function)


def solved(engine: str, problem: Problem, tmp_path: Path, lanes: Lanes) -> Solution:
    if engine == "diffrax":
        return diffrax_engine.solve(problem, lanes)
    return native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path)


@pytest.mark.parametrize(
    ("engine", "per_state"),
    fast([("native", True)], [(e, one) for e in ("native", "diffrax") for one in (False, True)]),
)
def test_a_step_below_zero_is_not_kept(engine: str, per_state: bool, tmp_path: Path):
    """At rtol 1e-2 some Michaelis-Menten substrates step below -km (see test_wild_steps)."""
    atol = {"substrate": 1e-4, "enzyme": 2e-4} if per_state else 1e-4
    model = make_model(michaelis_menten, {"substrate": 1.0, "enzyme": 1.0}, 60.0, vmax=1, km=1)
    vmax, km, substrate, start = np.random.default_rng(5).random((4, 300))
    y0 = np.stack([6 + 6 * substrate, 0.1 + 0.6 * start])
    lanes = Lanes(y0, np.stack([8 + 4 * vmax, 4 + 2 * km]))
    ts = np.linspace(0, 60, 61)
    free = make_problem(model, ts, rtol=1e-2, atol=atol)
    asked = make_problem(with_nonnegative(model, "substrate"), ts, rtol=1e-2, atol=atol)
    lost, kept = (solved(engine, problem, tmp_path, lanes) for problem in (free, asked))
    assert (lost.status == Status.suspect).sum() > 30
    well = kept.status == Status.success
    assert (~well).sum() <= 1  # a wild step may end above zero
    ends = kept.values["substrate"][well, -1]
    assert (ends >= -1e-4).all() and (ends < 1e-3).all()
    total = y0[1] + 0.09 * y0[0]
    np.testing.assert_allclose(kept.values["enzyme"][well, -1], total[well], rtol=1e-3)


@pytest.mark.parametrize("engine", ["native", "diffrax"])
def test_a_state_that_falls_through_zero_ends_there(engine: str, tmp_path: Path):
    model = make_model(lambda t, y, args: {"a": 0.0 * y.a - 1.0}, {"a": 1.0}, 3.0)
    problem = make_problem(with_nonnegative(model, "a"), [0.5, 2.0], method="tsit5")
    found = solved(engine, problem, tmp_path, Lanes(np.ones((1, 1)), np.zeros((0, 1))))
    assert found.status[0] == Status.dt_min_reached
    assert found.time_reached[0] == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_array_equal(np.isnan(found.values["a"][0]), [False, True])


def test_nothing_is_emitted_where_it_is_not_asked_for():
    model = make_model(lambda t, y, args: {"a": -y.a}, {"a": 1.0}, 3.0)
    asked = with_nonnegative(model, "a")
    sources = [native_engine.generated(make_problem(m)).source for m in (model, asked)]
    assert ["negative" in source for source in sources] == [False, True]


MISTAKES = {
    ("model.nonnegative=[substrat]",): "'substrat' is not a state; known: substrate, enzyme",
    ("model.nonnegative=[enzyme]", "model.states.enzyme.initial=-1"): (
        "the initial value of enzyme is negative"
    ),
    ("model.nonnegative=[enzyme]", "solver=euler", "solver.dt0=0.1"): (
        "constant steps cannot be taken again, shorter, as model.nonnegative asks"
    ),
}


@pytest.mark.parametrize("overrides, message", MISTAKES.items())
def test_a_mistake_is_one_line(overrides: tuple[str, ...], message: str):
    with pytest.raises(ConfigError) as caught:
        compose(*overrides)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_an_axis_cannot_start_below_zero():
    config = compose("model.nonnegative=[enzyme]", "design.axes.enzyme={values:[-1,1]}")
    with pytest.raises(ConfigError, match="an initial value of enzyme is -1"):
        make_lanes(config, load_model(config.model), {"enzyme": np.array([-1.0, 1.0])})
