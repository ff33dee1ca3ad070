"""Times that the precision cannot tell apart are refused, with the digits that they need."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

import odeflow
from odeflow.engines.choice import EngineChoice, Resources, solve
from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose
from odeflow.problem.problem import Lanes
from odeflow.problem.time_text import shown_time
from tests.support.problems import decay, make_model, make_problem

UNIX = ("model.t0=1600000000", "model.t1=1600000008")

REFUSED = {
    (*UNIX, "saveat.ts=null", "runtime.precision=float32"): (
        "model.t1: from 1600000000 to 1600000008 there is no room for steps: float32 tells times "
        "near 1.6e+09 apart by 128; take runtime.precision=float64, or a time that begins at 0"
    ),
    ("saveat.ts=[64,64.00002]", "runtime.precision=float32"): (
        "saveat.ts: 64 and 64.00002 are too close: float32 tells times near 64 apart by 7.63e-06"
    ),
    ("model.t0=64", "saveat.ts=[70]", "solver.dt0=1e-6", "runtime.precision=float32"): (
        "solver.dt0: 1e-06 is too short: float32 tells times near 64 apart by 7.63e-06"
    ),
    ("doses=[{state:enzyme,amount:1,times:[64,64.00002]}]", "runtime.precision=float32"): (
        "doses.0: the times 64 and 64.00002 are too close: float32"
    ),
    ("doses=[{state:enzyme,amount:1,time:1,every:1e-6,count:3}]", "runtime.precision=float32"): (
        "doses.0.every: 1e-06 is too short: float32"
    ),
    ("model.t0=1e17", "model.t1=1.0000000000000010e17", "saveat.ts=null"): (
        "model.t1: from 1e+17 to 1.000000000000001e+17 there is no room for steps: float64"
    ),
    (*UNIX, "saveat.ts=[1600000009]"): (
        "saveat.ts: 1600000009 is outside the model's time span [1600000000, 1600000008]"
    ),
    (*UNIX, "saveat.ts=[1600000002,1600000001]"): (
        "saveat.ts: times must increase, but 1600000001 follows 1600000002"
    ),
    ("model.t0=1600000008", "model.t1=1600000000", "saveat.ts=null"): (
        "model: t1 (1600000000) must be greater than t0 (1600000008)"
    ),
}


@pytest.mark.parametrize("overrides, message", REFUSED.items())
def test_what_cannot_be_told_apart_is_refused(overrides: tuple[str, ...], message: str):
    with pytest.raises(ConfigError) as caught:
        compose(*overrides)
    assert str(caught.value).startswith(message)


def test_float64_has_room_for_seconds_since_1970():
    config = compose(
        "~experiment", "+name=unix", "model=michaelis_menten", *UNIX,
        "saveat.ts={linspace:[1600000000,1600000008,3]}", "solver.dt0=0.1",
    )  # fmt: skip
    later = odeflow.run(config)
    near = {"t0": 0.0, "t1": 8.0}
    early = config.model_copy(
        update={
            "model": config.model.model_copy(update=near),
            "saveat": config.saveat.model_copy(update={"ts": [0.0, 4.0, 8.0]}),
        }
    )
    expected = odeflow.run(early)
    np.testing.assert_allclose(later.substrate.values, expected.substrate.values, rtol=1e-5)


def test_an_axis_of_ends_has_room_too():
    config = compose(
        "model.t0=64", "saveat.ts=null", "runtime.precision=float32",
        "design.axes.t1={values:[64.001,70]}",
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r"design.axes.t1: from 64 to 64.001 there is no room"):
        odeflow.run(config)


def test_no_engine_takes_a_span_without_steps_for_a_success(tmp_path: Path):
    model = make_model(decay, {"y": 1.0}, 1600000008.0, k=1.0)
    model = dataclasses.replace(model, declared=dataclasses.replace(model.declared, t0=1.6e9))
    problem = make_problem(model, dtype="float32")
    lanes = Lanes(np.ones((1, 1)), np.ones((1, 1)))
    for engine in ("native", "diffrax"):
        with pytest.raises(ConfigError, match="no room for steps"):
            solve(problem, lanes, EngineChoice(engine), Resources(threads=1, cache=tmp_path))


def test_times_have_the_digits_that_they_need():
    assert shown_time(1600000002, 1600000000, 1600000008) == "1600000002"
    assert shown_time(2.5e-11, 0, 1e-10) == "2.5e-11"
    assert shown_time(math.pi, 0, 10) == "3.142"
    assert shown_time(1.0 + 1e-12, 1.0) == "1.000000000001"
