"""Constant steps that do not divide the time span: both engines do what Diffrax does."""

from pathlib import Path

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest

from odeflow.engines.diffrax import engine as diffrax_engine
from odeflow.engines.native import engine as native_engine
from odeflow.problem.problem import Lanes
from tests.support.problems import decay, make_model, make_problem


@pytest.mark.parametrize(
    "dt0, lengths",
    [
        pytest.param(0.3, [0.3, 0.2, 0.25, 0.25], marks=pytest.mark.slow),
        (0.25, 4 * [0.25]),
    ],
)
def test_the_first_is_dt0_and_the_others_end_at_equal_parts(
    dt0: float, lengths: list[float], tmp_path: Path
):
    """Euler's method on y' = -y multiplies by 1 - h in each step, which tells the lengths."""
    model = make_model(decay, {"y": 1.0}, 1.0, k=1.0)
    ends = np.cumsum(lengths)
    problem = make_problem(model, ends, method="euler", stepsize_controller="constant", dt0=dt0)
    lanes = Lanes(np.ones((1, 1)), np.ones((1, 1)))
    for found in (
        native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path),
        diffrax_engine.solve(problem, lanes),
    ):
        assert found.num_steps[0] == len(lengths)
        np.testing.assert_allclose(
            found.values["y"][0], np.cumprod(1 - np.array(lengths)), rtol=1e-13
        )
    own = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, args: -y), diffrax.Euler(), 0.0, 1.0, dt0, jnp.ones(()),
        saveat=diffrax.SaveAt(steps=True), stepsize_controller=diffrax.ConstantStepSize(),
        max_steps=len(lengths),
    )  # fmt: skip
    assert own.ts is not None
    np.testing.assert_allclose(own.ts, ends, rtol=1e-13)
