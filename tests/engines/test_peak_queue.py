"""Steps that wait to be searched for peaks."""

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from odeflow.engines.native import engine as native_engine
from odeflow.problem.problem import Lanes
from odeflow.problem.reductions import Reduction
from tests.support.problems import make_model, make_problem


def test_more_scalars_than_a_number_has_bits(tmp_path: Path):
    # all but one have their greatest or least value within the same step, at t = 1
    size, tolerance = 26, 1e-5
    heights = np.arange(size, dtype=np.float32) - 1
    field = lambda t, y, args: {"y": jnp.asarray(heights) * (1.0 - t) + args.none}
    model = make_model(field, {"y": {"initial": [0.5] * size, "dims": ["i"]}}, 2.0, none=0.0)
    problem = replace(
        make_problem(model, dtype="float32", rtol=1e-4, atol=1e-6, dt0=0.7),
        reductions=(Reduction("y", "max"), Reduction("y", "min")),
    )
    lanes = Lanes(np.full((size, 3), 0.5), np.zeros((1, 3)))
    found = native_engine.solve(problem, lanes, threads=1, cache_dir=tmp_path).reduced
    top = np.broadcast_to(0.5 + np.maximum(heights, 0.0) / 2, (3, size))
    bottom = np.broadcast_to(0.5 + np.minimum(heights, 0.0) / 2, (3, size))
    np.testing.assert_allclose(found["y_max"], top, rtol=tolerance)
    np.testing.assert_allclose(found["y_min"], bottom, rtol=tolerance, atol=tolerance)
